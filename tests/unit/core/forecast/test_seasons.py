from __future__ import annotations

import math

import numpy as np
import pytest

from presage.core.forecast.api import Series, forecast_one
from presage.core.forecast.types import FloatArray
from tests.unit.core.forecast.histories import DAY, STEP, daily, office

RNG = np.random.default_rng(1)
HOURLY_JOB = np.where(np.arange(5 * DAY) % 12 == 3, 50.0, 5.0) + RNG.normal(0, 1, 5 * DAY)


@pytest.mark.parametrize(
    ("values", "want"),
    [
        pytest.param(daily(9, noise=5), (86_400,), id="daily wave"),
        pytest.param(office(21, noise=3), (86_400, 604_800), id="office week"),
        pytest.param(HOURLY_JOB, (3600,), id="hourly job"),
        pytest.param(RNG.normal(100, 5, 9 * DAY), (), id="noise"),
        pytest.param(np.cumsum(RNG.normal(0, 1, 9 * DAY)) + 500, (), id="random walk"),
        pytest.param(np.full(9 * DAY, 7.0), (), id="constant"),
        pytest.param(daily(0.5), (), id="half a day"),
    ],
)
def test_seasons_found(values: FloatArray, want: tuple[int, ...]) -> None:
    assert forecast_one(Series(values, 0, STEP), 12).seasons == want


def test_seasons_given_are_not_doubted() -> None:
    noise = RNG.normal(100, 5, 400)
    assert forecast_one(Series(noise, 0, 60, (1800, 2700)), 5).seasons == (1800, 2700)


def test_each_season_comes_with_its_evidence() -> None:
    tests = forecast_one(Series(office(21, noise=3), 0, STEP), 12).season_tests
    assert [(t.season, t.used, t.reason) for t in tests] == [
        (3600, False, "NoBetterThanRivals"),
        (86_400, True, "Repeats"),
        (604_800, True, "Repeats"),
    ]
    assert all(t.loss < 0.95 * t.rival and t.correlation > 0.2 for t in tests if t.used)


def test_evidence_is_missing_where_there_is_too_little_history() -> None:
    day, week = forecast_one(Series(daily(0.5), 0, STEP), 12).season_tests[1:]
    assert (day.reason, week.reason) == ("TooLittleHistory", "TooLittleHistory")
    assert math.isnan(day.loss)
    assert math.isnan(week.rival)


def test_seasons_given_are_explained_as_given() -> None:
    tests = forecast_one(Series(RNG.normal(100, 5, 400), 0, 60, (1800, 2700)), 5).season_tests
    assert [(t.season, t.used, t.reason) for t in tests] == [(1800, True, "Given"), (2700, True, "Given")]
