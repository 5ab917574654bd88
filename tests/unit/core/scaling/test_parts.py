"""Outlook and ladder: tables."""

from __future__ import annotations

import numpy as np
import pytest

from presage.core.scaling.curves import LEVELS, OBSERVED, PAST, quantile_curve
from presage.core.scaling.ladder import Reading, Reporting, judge
from presage.core.scaling.outlook import Outlook, Peak, find_peak, levels_for

PODS = frozenset({"a", "b"})


UPPER, LEFT_OUT, YESTERDAY = quantile_curve(0.9), quantile_curve(0.99), PAST[0]
OUTLOOK = Outlook(
    1000.0,
    10.0,
    np.array([1.0, 2.0, 1.0]),
    {UPPER.name: np.array([1.0, 5.0, 2.0]), YESTERDAY.name: np.array([np.nan, np.nan, 3.0])},
)


@pytest.mark.parametrize(
    ("since", "until", "want"),
    [
        pytest.param(1000, 1009, Peak(1, 1000), id="within one slot"),
        pytest.param(1000, 1010, Peak(5, 1010), id="a slot it only touches counts"),
        pytest.param(1020, 1500, Peak(2, 1020), id="beyond the horizon the covered part answers"),
        pytest.param(1030, 1040, None, id="run out"),
        pytest.param(999, 1010, None, id="not begun"),
    ],
)
def test_peak(since: float, until: float, want: Peak | None) -> None:
    assert find_peak(OUTLOOK, UPPER, since, until) == want
    assert find_peak(None, UPPER, since, until) is None


def test_peak_of_a_curve_that_says_nothing() -> None:
    """A gap in the history is no load of 0, and the observed load is no course ahead."""
    assert find_peak(OUTLOOK, YESTERDAY, 1000, 1010) is None
    assert find_peak(OUTLOOK, YESTERDAY, 1000, 1020) == Peak(3, 1020)
    assert find_peak(OUTLOOK, LEFT_OUT, 1000, 1010) is None
    assert find_peak(OUTLOOK, OBSERVED, 1000, 1010) is None


def test_levels_that_are_forecast() -> None:
    """The median and the shown one always; a level that the user fixes saves the others."""
    assert levels_for(None) == LEVELS
    assert levels_for(0.97) == (0.5, 0.9, 0.97)
    assert levels_for(0.5) == (0.5, 0.9)


@pytest.mark.parametrize(
    ("reading", "pods", "want"),
    [
        pytest.param(Reading(5, 95, PODS), Reporting(2, 2), "Fresh", id="fresh and complete"),
        pytest.param(Reading(None, None, PODS, error="down"), Reporting(0, 2), "SourceUnavailable", id="no answer"),
        pytest.param(Reading(None, None, PODS, ("order",)), Reporting(0, 2), "NoMatchingSeries", id="no series"),
        pytest.param(Reading(5, 95, PODS, (), ("order",)), Reporting(2, 2), "NoSamples", id="one without a rate"),
        pytest.param(Reading(5, 30, PODS), Reporting(2, 2), "StaleSamples", id="old"),
        pytest.param(Reading(5, 95, PODS), Reporting(1, 2), "TargetsMissing", id="half the pods are silent"),
        pytest.param(Reading(5, 95, PODS), Reporting(9, 9.9), "Fresh", id="a share need not be whole"),
        pytest.param(Reading(5, 95, PODS), Reporting(0, 0), "Fresh", id="measured elsewhere"),
    ],
)
@pytest.mark.parametrize("covered", [True, False])
def test_rungs(reading: Reading, pods: Reporting, want: str, covered: bool) -> None:
    got = judge(reading, now=100, max_age_s=60, pods=pods, forecast_covers_now=covered)
    assert got.reason == want
    assert got.rung == ("Live" if want == "Fresh" else "Coasting" if covered else "Hold")
