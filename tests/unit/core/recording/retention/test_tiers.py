from __future__ import annotations

import pytest

from presage.core.recording.catalogue import BUILT_IN
from presage.core.recording.retention.tiers import Retention, Tier, find_granularity, find_tiers, parse_tier
from presage.core.recording.retention.verdict import TierState, Verdict, judge_retention

DAY = 86_400


@pytest.mark.parametrize(("name", "seconds"), [("20s", 20), ("90m", 5400), ("15d", 15 * DAY), ("52w", 364 * DAY)])
def test_a_name_says_how_long(name: str, seconds: int) -> None:
    assert parse_tier(name) == seconds
    assert Tier(name, "", 0).seconds == seconds


@pytest.mark.parametrize("name", ["", "d", "0d", "1.5h", "1h30m", "2 h", "2H", "1y", "100000d", "2h\n"])
def test_no_name(name: str) -> None:
    with pytest.raises(ValueError, match="is not a tier"):
        parse_tier(name)


def test_granularity_of_the_back_ends_defaults() -> None:
    """2 h blocks at least, a tenth of the retention, 31 d at most; a head of three hours; a minute for compaction."""
    assert find_granularity("Prometheus", 7200) == (2 + 3) * 3600 + 60
    assert find_granularity("PrometheusOperator", 15 * DAY) == 1.5 * DAY + 3 * 3600 + 60
    assert find_granularity("Prometheus", 400 * DAY) == 31 * DAY + 3 * 3600 + 60
    assert find_granularity("VictoriaMetrics", 400 * DAY) == 600


def test_the_tiers_of_the_built_in_profiles() -> None:
    assert find_tiers(BUILT_IN.values()) == ("15d", "2h")
    assert find_tiers(()) == ()


RETENTION = Retention("Prometheus", (Tier("2h", "http://a", 1), Tier("15d", "http://b", 1)))
BOTH = ("15d", "2h")
PROVEN, WAITING = TierState("Proven"), TierState("Waiting")


@pytest.mark.parametrize(
    ("retention", "wanted", "states", "want"),
    [
        pytest.param(RETENTION, BOTH, {"2h": PROVEN, "15d": PROVEN}, ("True", "Proven"), id="all proven"),
        pytest.param(RETENTION, BOTH, {"2h": PROVEN, "15d": WAITING}, ("Unknown", "Waiting"), id="one waits"),
        pytest.param(RETENTION, BOTH, {"2h": PROVEN}, ("Unknown", "Waiting"), id="one is not known yet"),
        pytest.param(RETENTION, ("2h",), {"2h": PROVEN, "15d": WAITING}, ("True", "Proven"), id="another's matter"),
        pytest.param(
            RETENTION, BOTH, {"2h": TierState("SourceDown", "x"), "15d": WAITING}, ("Unknown", "SourceDown"), id="down"
        ),
        pytest.param(
            RETENTION, BOTH, {"2h": TierState("NotEnforced"), "15d": TierState("SourceDown")}, ("False", "NotEnforced"),
            id="the worst speaks",
        ),
        pytest.param(RETENTION, ("1d", "2h"), {"2h": PROVEN}, ("False", "TierMissing"), id="no server"),
        pytest.param(Retention("Other"), BOTH, {}, ("False", "BackendSingleRetention"), id="one retention"),
    ],
)  # fmt: skip
def test_the_verdict(
    retention: Retention, wanted: tuple[str, ...], states: dict[str, TierState], want: tuple[str, str]
) -> None:
    verdict = judge_retention("main", retention, wanted, states)
    assert (verdict.status, verdict.reason) == want


def test_the_message_names_what_is_wrong() -> None:
    found = judge_retention("main", RETENTION, ("1d", "1w", "2h"), {})
    assert found == Verdict(
        "False",
        "TierMissing",
        "No server of MetricSource main keeps tiers 1d, 1w: name another tier, or ask its owner.",
    )
    states = {"2h": TierState("NotEnforced", "http://a keeps samples longer than 2h"), "15d": PROVEN}
    found = judge_retention("main", RETENTION, BOTH, states)
    assert found.message == "tier 2h not enforced: http://a keeps samples longer than 2h."
