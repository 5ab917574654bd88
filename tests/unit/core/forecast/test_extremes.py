"""Lengths, times and numbers far beyond what loads have: an answer all the same, at a cost that stays in proportion."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

from presage.core.forecast.api import Effort, Forecast, Series, State, advance, forecast_one
from tests.unit.core.forecast.histories import DAY, STEP, daily

BOTH = pytest.mark.parametrize("effort", ["batch", "full"])
TEN_YEARS = 10 * 365 * 86_400
FAR = float(2**53)


def assert_finite(got: Forecast, horizon: int) -> None:
    for curve in (got.point, *got.quantiles.values()):
        assert curve.shape == (horizon,)
        assert np.isfinite(curve).all()
        assert (curve >= 0).all()


ODD: dict[str, dict[str, Any]] = {
    "step of 30 years": {"step": 1e9},
    "longest step there is": {"step": FAR},
    "step of 30 years in a zone": {"step": 1e9, "time_zone": "Europe/Berlin"},
    "start before all calendars": {"start": -FAR, "time_zone": "Europe/Berlin"},
    "start after all calendars": {"start": FAR, "time_zone": "Europe/Berlin"},
    "the calendar begins": {"start": -62_135_596_800.0 - 43_200, "time_zone": "Europe/Berlin"},
    "the calendar ends": {"start": 253_402_300_800.0 - 43_200, "time_zone": "Europe/Berlin"},
    "a zone that left out a day": {"start": 1_325_239_200.0 - 2 * 86_400, "time_zone": "Pacific/Apia"},
    "local mean time, whose offset is no whole minute": {"start": -2.3e9, "time_zone": "Europe/Amsterdam"},
    "season of a second at a step of one": {"step": 1, "seasons": (1,)},
    "season of two slots": {"step": 1, "seasons": (2,)},
    "season of ten years": {"seasons": (TEN_YEARS,)},
    "season of ten years at a step of a second": {"step": 1, "seasons": (60, TEN_YEARS)},
    "longest season there is": {"step": 1, "seasons": (2**53,)},
    "200 seasons": {"seasons": tuple(range(3600, 86_400, 400))},
    "coarse history of another age": {"coarse": Series(np.ones(50), -FAR, 3600)},
    "coarse history finer than the fine one": {"coarse": Series(np.ones(9000), -90_000, 10)},
    "coarse history of huge values": {"coarse": Series(np.full(50, 1e308), -180_000, 3600)},
}


@BOTH
@pytest.mark.parametrize("name", ODD)
def test_odd_times_and_seasons_get_an_answer(name: str, effort: Effort) -> None:
    given = Series(**({"values": daily(5, noise=3), "start": 0.0, "step": STEP} | ODD[name]))
    got = forecast_one(given, 30, effort=effort)
    assert_finite(got, 30)
    assert_finite(advance([got.state], [[100.0, np.nan]], 30)[0], 30)


@BOTH
def test_a_million_slots_are_as_good_as_the_newest_ones(effort: Effort) -> None:
    values = daily(10**6 / DAY, noise=3)
    whole = forecast_one(Series(values, 0, STEP), 12, effort=effort)
    newest = forecast_one(Series(values[-100 * DAY :], 0, STEP), 12, effort=effort)
    np.testing.assert_array_equal(whole.point, newest.point)
    assert whole.weights == newest.weights


@BOTH
@pytest.mark.parametrize(
    "values", [np.full(10**6, np.nan), np.append(np.full(10**6, np.nan), 2.0)], ids=["all", "but one"]
)
def test_a_million_missing_slots_are_nothing(values: np.ndarray, effort: Effort) -> None:
    got = forecast_one(Series(values, 0, STEP), 12, effort=effort)
    np.testing.assert_array_equal(got.point, np.nan_to_num(values[-1]))


def test_a_coarse_history_costs_what_it_holds_not_what_a_season_could() -> None:
    coarse = Series(np.ones(100), -1e4, 100)
    tracemalloc.start()
    forecast_one(Series(daily(1), 0, 1, (60, TEN_YEARS), coarse=coarse), 12, effort="batch")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30e6


@BOTH
@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_a_horizon_of_ten_thousand_slots_goes_on_as_it_began(effort: Effort, zone: str | None) -> None:
    given = Series(daily(21, noise=3), 1.7e9, STEP, time_zone=zone)  # two weeks of November to Christmas
    got, near = (forecast_one(given, h, effort=effort) for h in (10_000, 2 * DAY))
    assert_finite(got, 10_000)
    truth = daily(21 + 10_000 / DAY)[21 * DAY :]
    assert np.abs(got.point - truth[:10_000]).mean() < 5
    assert np.abs(got.point[: 2 * DAY] - near.point).mean() < 5
    assert_finite(advance([near.state], [truth[:3]], 10_000)[0], 10_000)


def test_a_thousand_quantiles_in_any_order() -> None:
    levels = np.random.default_rng(0).permutation(np.linspace(1e-6, 1 - 1e-6, 1001))
    got = forecast_one(Series(daily(9, noise=3), 0, STEP), 3, list(levels), effort="batch")
    ordered = np.stack([got.quantiles[level] for level in sorted(levels)])
    assert (np.diff(ordered, axis=0) >= 0).all()


@BOTH
def test_values_of_any_size_may_follow_each_other(effort: Effort) -> None:
    """Between values that a float hardly holds and such as it hardly tells from nothing, and back to a load."""
    got = forecast_one(Series(daily(9, noise=3), 0, STEP), 12, effort=effort)
    state: State = got.state
    for value in (1e300, 1e-300, 1e300, 0.0, np.nan, np.inf, 5e-324, 5.0):
        got = advance([state], [np.full(3, value)], 12)[0]
        assert_finite(got, 12)
        state = got.state
    got = advance([state], [np.full(20 * DAY, 5.0)], 12)[0]
    np.testing.assert_allclose(got.point, 5.0, rtol=0.01)
