from __future__ import annotations

from decimal import Decimal

import pytest

from presage.core.units import format_duration, parse_duration, parse_quantity, parse_time, read_time, to_time

QUANTITIES = {
    "plain": ("50", "50"),
    "decimal": ("0.5", "0.5"),
    "no leading digit": (".5", "0.5"),
    "trailing dot": ("5.", "5"),
    "milli": ("500m", "0.5"),
    "nano": ("1n", "0.000000001"),
    "kilo": ("1k", "1000"),
    "decimal kilo": ("1.5k", "1500"),
    "kibi": ("2Ki", "2048"),
    "exbi": ("1Ei", str(2**60)),
    "exponent": ("1e3", "1000"),
    "negative exponent": ("5E-1", "0.5"),
    "exa is not an exponent": ("5E", "5e18"),
    "negative": ("-1", "-1"),
    "more digits than a float": ("0.1234567890123456789", "0.1234567890123456789"),
}


@pytest.mark.parametrize(("text", "want"), QUANTITIES.values(), ids=QUANTITIES)
def test_quantity(text: str, want: str) -> None:
    assert parse_quantity(text) == Decimal(want)


@pytest.mark.parametrize(
    "text",
    ["", " ", "50 ", "5,0", "ten", "1K", "1ki", "1mi", "1kk", "0x10", "NaN", "inf", "1e999", "1\n", "٣", "9" * 65],
)
def test_quantity_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r'is not a quantity: write a number such as "50"') as refusal:
        parse_quantity(text)
    assert len(str(refusal.value)) < 200


@pytest.mark.parametrize(
    ("text", "want"),
    [("30s", 30), ("5m", 300), ("1h30m", 5_400), ("21d", 1_814_400), ("1w", 604_800), ("300", 300), ("1d12h", 129_600)],
)
def test_durations(text: str, want: int) -> None:
    assert parse_duration(text) == want


@pytest.mark.parametrize("text", ["", "0", "0s", "-5m", "1.5h", "5 m", "m", "30m1h", "5min", "9" * 30, "9" * 99, "5M"])
def test_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r'is not a duration: write one such as "30s", "5m", "1h30m", "21d" or "300"'):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "want"),
    [(300, "5 min"), (5_400, "1 h 30 min"), (86_400, "1 d"), (45, "45 s"), (0, "0 s"), (93_784, "1 d 2 h 3 min 4 s")],
)
def test_durations_for_people(seconds: float, want: str) -> None:
    assert format_duration(seconds) == want


def test_moments_are_read_as_they_are_written() -> None:
    assert to_time(1_790_000_000.9) == "2026-09-21T14:13:20Z"
    assert read_time(to_time(1_790_000_000)) == parse_time(to_time(1_790_000_000)) == 1_790_000_000
    assert read_time("2026-09-21T14:13:20.250000Z") == 1_790_000_000.25


@pytest.mark.parametrize("text", [None, "", "soon", 5, {}])
def test_what_is_no_moment_is_none(text: object) -> None:
    assert parse_time(text) is None
