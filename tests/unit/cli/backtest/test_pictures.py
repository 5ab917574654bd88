"""Both pictures: that all marks are there. How they look must be seen by a person."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageColor

from presage.cli.backtest import picture
from presage.cli.backtest.picture import Panel, find_panel_limits
from presage.cli.drawing import axes
from tests.unit.cli.loads.pages import Page
from tests.unit.cli.loads.samples import START, backtest, rows, write

DAY = 86_400


@pytest.fixture
def bursty(tmp_path: Path) -> Path:
    """A load with a hole before, and a burst that nobody could foresee after an origin."""
    samples = [(at, value) for at, value in rows(10) if not START + 2 * DAY < at < START + 3 * DAY]
    return write(
        tmp_path / "<b> & load.csv", [(at, value * (3 if i > 2_300 else 1)) for i, (at, value) in enumerate(samples)]
    )


def test_the_page_holds_every_mark(bursty: Path, tmp_path: Path) -> None:
    assert backtest("--csv", bursty, "--plot", tmp_path / "x.html", "--unit", "orders/s", "--quantile", "0.99") == 0
    text = (tmp_path / "x.html").read_text()
    page = Page()
    page.feed(text)
    page.close()
    assert page.open == [], "every element is closed"
    assert page.count["figure"] == 8
    assert page.count[".origin"] == 8 + 8 + 1, "in the overview, in each panel, in the legend"
    assert page.count[".truth"] == page.count[".median"] == page.count[".rival"] == page.count[".known"] + 1 == 9
    assert page.count[".band"] == 3 * (8 + 8 + 1)
    missed = int(re.findall(r"above the 0.95 band: (\d+) slots", page.text)[0])
    assert missed > 20
    assert page.count[".miss"] == 8 + 8 + 1
    assert page.count["circle"] == 2 * missed + 1, "each miss is marked in the overview and in its panel"
    assert page.links == [f"#origin-{i}" for i in range(8)], "nothing is fetched"
    assert not re.search(r"https?://(?!www\.w3\.org)", text)
    assert "__" not in re.sub(r"<script.*", "", text, flags=re.DOTALL)
    assert "<b> & load" in page.text, "a name is text"
    assert "orders/s" in page.text
    assert "day, 1 d: error " in page.text
    data = json.loads(re.findall(r'<script id="data" type="application/json">(.*?)</script>', text)[0])
    assert data["levels"] == ["0.9", "0.95", "0.99"]
    panel = data["panels"][0]
    assert (len(panel["median"]), len(panel["times"])) == (288, 288 + 144)


def test_the_png_shows_misses_median_and_origins(bursty: Path, tmp_path: Path) -> None:
    seen = []
    for days in (10, 7):  # the burst comes on the ninth day
        cut = ("--to", START + days * DAY)
        assert backtest("--csv", bursty, *cut, "--plot", tmp_path / "x.png") == 0
        with Image.open(tmp_path / "x.png") as image:
            colours = {colour: count for count, colour in image.convert("RGB").getcolors(2**20) or []}
            grey = np.asarray(image.convert("L"))[125:375, 80:]  # the load as a whole, where only origins are dark
        seen.append([colours.get(ImageColor.getrgb(name), 0) for name in (axes.MISS, axes.AHEAD)])
        columns = np.flatnonzero((grey < 128).sum(axis=0) > 80)
        assert (np.diff(columns) > 1).sum() + 1 == 8, "each origin is a dark line"
    (missed, median), (fewer, _) = seen
    assert missed > 3 * fewer
    assert median > 500


def test_the_png_has_its_size(bursty: Path, tmp_path: Path) -> None:
    for origins, height in ((1, 7.45), (8, 10.25), (40, 13.05)):
        assert backtest("--csv", bursty, "--plot", tmp_path / "x.png", "--origins", origins) == 0
        content = (tmp_path / "x.png").read_bytes()
        assert content[:8] == b"\x89PNG\r\n\x1a\n"
        width, tall = struct.unpack(">II", content[16:24])
        assert (width, tall) == (1_400, pytest.approx(100 * height, abs=1))


@pytest.mark.parametrize("ending", ["png", "html"])
@pytest.mark.parametrize(
    "values",
    [[0.0] * 900, [1e-9, 2e-9] * 450, [1e12] * 900, [-5.0, 5.0, 0.0] * 300],
    ids=["zero", "tiny", "huge", "signed"],
)
def test_odd_loads_are_drawn(values: list[float], ending: str, tmp_path: Path) -> None:
    path = write(tmp_path / "load.csv", [(START + 300 * i, value) for i, value in enumerate(values)])
    assert backtest("--csv", path, "--plot", tmp_path / f"x.{ending}", "--time-zone", "Pacific/Chatham") == 0


def test_thinned_lines_keep_peaks_and_gaps() -> None:
    values = np.zeros(100_000)
    values[77_777] = 9.0
    values[20_000:30_000] = np.nan
    at, kept = axes.thin(np.arange(100_000.0), values, 500)
    assert len(kept) <= 1_000
    assert kept[np.searchsorted(at, 77_777)] == 9.0
    assert np.isnan(kept[(at > 20_300) & (at < 29_700)]).all()
    assert np.isfinite(kept[(at < 19_700) | (at > 30_300)]).all()
    same = np.arange(10.0)
    assert axes.thin(same, same, 500) == (same, same)


@pytest.mark.parametrize(
    ("first", "last", "zone", "want"),
    [
        pytest.param(START, START + 2 * DAY, None, ["15 Nov", "12:00", "16 Nov", "12:00", "17 Nov"], id="two days"),
        pytest.param(START + 1, START + DAY, "Asia/Kolkata", ["06:00", "12:00", "18:00", "16 Nov"], id="a zone"),
        pytest.param(START, START + 20, None, ["15 Nov", "00:00:05", "00:00:10", "00:00:15", "00:00:20"], id="seconds"),
        pytest.param(START, START + 700 * DAY, None, ["Nov 2023", "May 2024", "Nov 2024", "May 2025"], id="two years"),
    ],
)
def test_ticks_are_round_moments_of_the_zone(first: float, last: float, zone: str | None, want: list[str]) -> None:
    ticks = axes.plan_ticks(first, last, zone, 5)
    assert [label for _, label in ticks] == want
    assert all(first <= at <= last for at, _ in ticks)


def test_ticks_over_a_change_of_the_clock_stay_on_the_hour() -> None:
    begin = 1_743_202_800  # 2025-03-29 00:00 in Berlin; the clock changes on the 30th
    labels = [label for _, label in axes.plan_ticks(begin, begin + 2 * DAY, "Europe/Berlin", 8)]
    assert labels == ["29 Mar", "06:00", "12:00", "18:00", "30 Mar", "06:00", "12:00", "18:00", "31 Mar"][: len(labels)]


@pytest.mark.parametrize(
    ("bottom", "top", "want"),
    [
        (0.0, 10.0, ["0", "2", "4", "6", "8", "10"]),
        (-1.0, 1.0, ["-1", "-0.5", "0", "0.5", "1"]),
        (0.0, 48_000.0, ["0", "10k", "20k", "30k", "40k"]),
        (0.0, 22_000.0, ["0", "5k", "10k", "15k", "20k"]),
        (0.0, 3.1e6, ["0", "1M", "2M", "3M"]),
        (0.0, 2.1e-9, ["0", "5e-10", "1e-09", "1.5e-09", "2e-09"]),
    ],
)
def test_values_on_the_axis_are_round(bottom: float, top: float, want: list[str]) -> None:
    assert [label for _, label in axes.plan_values(bottom, top, 5)] == want


def test_the_worst_origin_is_always_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "load.csv", rows(10))
    monkeypatch.setattr(picture, "MOST_PANELS", 12)
    assert backtest("--csv", tmp_path / "load.csv", "--plot", tmp_path / "x.html", "--origins", "100") == 0
    page = Page()
    page.feed((tmp_path / "x.html").read_text())
    assert (page.count["figure"], page.count[".worst"], page.count[".hit"]) == (12, 1, 12)
    assert "12 of 100 origins from near" in page.text


def limits(last: list[float]) -> axes.Limits:
    """Return the axis of one origin whose history is flat and ends with some values."""
    before, ones = np.array([10.0] * 200 + last), np.full(3, 10.0)
    at = np.arange(3.0)
    nothing = np.zeros(3, dtype=bool)
    return find_panel_limits(
        Panel(
            "", "", False, 0.0, before, -np.arange(len(before), 0.0, -1), at, ones, ones, [], ones * 1.2, ones, nothing
        )
    )


def test_a_rare_peak_before_is_cut_and_named_and_a_small_one_is_shown() -> None:
    assert limits([11.0]) == axes.Limits(0.0, pytest.approx(12 * 1.06), None)
    assert limits([400.0]).cut == 400
    assert limits([400.0]).top < 30
    assert limits([30.0]).cut is None
