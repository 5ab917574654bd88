"""A backtest is only worth something if no forecast sees what came after it, and if the unit of a load is no matter."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from presage.core.forecast.api import Series
from presage.core.forecast.rolling import METHODS, Origin, plan_rolling, roll, summarise
from presage.core.forecast.types import FloatArray

DAY = 24


def load(seed: int, days: int, holes: float) -> FloatArray:
    random = np.random.default_rng(seed)
    at = np.arange(days * DAY)
    values = np.maximum(20 + 15 * np.sin(2 * np.pi * at / DAY) + random.normal(0, 4, len(at)), 0.0)
    values[random.random(len(at)) < holes] = np.nan
    return values


def backtest(values: FloatArray) -> list[Origin]:
    plan = plan_rolling(len(values), 3_600, (), None, 3)
    return list(roll(Series(values, 0.0, 3_600.0), plan))


loads = st.builds(load, st.integers(0, 10**6), st.integers(3, 20), st.sampled_from([0.0, 0.1, 0.5]))


@settings(max_examples=25)
@given(values=loads, seed=st.integers(0, 10**6))
def test_what_comes_after_an_origin_changes_no_forecast_from_it(values: FloatArray, seed: int) -> None:
    for origin in backtest(values):
        other = values.copy()
        other[origin.slot :] = np.random.default_rng(seed).exponential(100, len(values) - origin.slot)
        again = next(each for each in backtest(other) if each.slot == origin.slot)
        for method in METHODS:
            assert_array_equal(again.curves[method].point, origin.curves[method].point)
            for level, curve in origin.curves[method].quantiles.items():
                assert_array_equal(again.curves[method].quantiles[level], curve)


@settings(max_examples=25)
@given(values=loads, scale=st.sampled_from([2.0**-20, 1_024.0, 2.0**30]))
def test_scores_have_no_unit(values: FloatArray, scale: float) -> None:
    plan = plan_rolling(len(values), 3_600, (), None, 3)
    plain, scaled = (summarise(backtest(each), plan) for each in (values, values * scale))
    assert plain.keys() == scaled.keys()
    for span, scores in plain.items():
        for method, score in scores.items():
            assert_allclose(scaled[span][method].mase, score.mase, rtol=1e-6)
            assert_allclose(scaled[span][method].wql, score.wql, rtol=1e-6)
