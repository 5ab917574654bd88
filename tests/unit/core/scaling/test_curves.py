"""Curves of the load ahead: quantiles, and what earlier days showed at a time of day."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from presage.core.scaling.curves import PAST, Curve, FloatArray, draw_forecast, draw_past, quantile_curve

DAY = 8
YESTERDAY, THREE_DAYS = PAST[0], PAST[1]
AROUND = replace(THREE_DAYS, around=1 / DAY)


def look_back(curve: Curve, values: FloatArray, origin: int, ahead: int, day: int) -> float:
    """Return the highest known load of past days about one time of day, slot by slot."""
    around = round(curve.around * day)
    slots = [origin + ahead - back * day + s for back in range(1, curve.days + 1) for s in range(-around, around + 1)]
    known = [float(values[slot]) for slot in slots if 0 <= slot < origin and not math.isnan(values[slot])]
    return max(known, default=math.nan)


@pytest.mark.parametrize("curve", PAST, ids=str)
@pytest.mark.parametrize(("day", "horizon"), [(288, 14), (24, 60), (96, 1)])
def test_the_highest_load_of_past_days(curve: Curve, day: int, horizon: int) -> None:
    draw = np.random.default_rng(day)
    values = draw.normal(100, 30, 8 * day)
    values[draw.random(len(values)) < 0.3] = math.nan
    origins = [0, 1, day // 2, 3 * day + 1, 8 * day]
    want = [[look_back(curve, values, origin, ahead, day) for ahead in range(horizon)] for origin in origins]
    assert np.array_equal(draw_past(curve, values, origins, horizon, day), want, equal_nan=True)


def test_yesterday() -> None:
    assert draw_past(YESTERDAY, np.arange(20.0), [20], 4, DAY).tolist() == [[12, 13, 14, 15]]


def test_the_highest_of_three_days_and_around() -> None:
    values = np.zeros(4 * DAY)
    values[1 * DAY + 3] = 7.0
    (got,) = draw_past(AROUND, values, [len(values)], DAY, DAY)
    assert got.tolist() == [0, 0, 7, 7, 7, 0, 0, 0]
    (sharp,) = draw_past(replace(AROUND, around=0.0), values, [len(values)], DAY, DAY)
    assert sharp.tolist() == [0, 0, 0, 7, 0, 0, 0, 0]


def test_nothing_after_an_origin_is_looked_at() -> None:
    values = np.random.default_rng(0).uniform(0, 100, 6 * DAY)
    for origin in range(6 * DAY):
        other = values.copy()
        other[origin:] = np.nan
        for curve in (YESTERDAY, AROUND, PAST[2]):
            one, two = (draw_past(curve, v, [origin], 2 * DAY, DAY) for v in (values, other))
            np.testing.assert_array_equal(one, two)


def test_gaps_are_left_out_and_are_no_load_of_zero() -> None:
    values = np.array([1.0, 2, 3, 4, 5, 6, 7, 8, np.nan, np.nan, 3, 4, 5, 6, 7, 8])
    assert draw_past(YESTERDAY, values, [16], 3, DAY)[0].tolist() == pytest.approx([np.nan, np.nan, 3], nan_ok=True)
    assert draw_past(replace(YESTERDAY, days=2), values, [16], 3, DAY)[0].tolist() == [1, 2, 3]


@pytest.mark.parametrize("known", [1, 3, DAY])
def test_a_short_history_says_what_it_can(known: int) -> None:
    (got,) = draw_past(YESTERDAY, np.full(known, 5.0), [known], DAY + 2, DAY)
    told = np.isfinite(got)
    assert told.tolist() == [0 <= known + ahead - DAY < known for ahead in range(DAY + 2)]
    assert (got[told] == 5).all()


def test_beyond_a_day_only_days_that_are_past_count() -> None:
    assert np.isnan(draw_past(YESTERDAY, np.ones(40), [20], 2 * DAY, DAY)[0, DAY:]).all()


def test_each_origin_by_itself() -> None:
    values = np.random.default_rng(2).uniform(0, 100, 50)
    both = draw_past(AROUND, values, [20, 41], 5, DAY)
    for row, origin in zip(both, (20, 41), strict=True):
        np.testing.assert_array_equal(row, draw_past(AROUND, values, [origin], 5, DAY)[0])


def test_a_quantile_and_beyond() -> None:
    quantiles = {0.5: np.array([10.0, 20.0]), 0.99: np.array([14.0, 20.0])}
    assert draw_forecast(quantile_curve(0.99), quantiles).tolist() == [14, 20]
    assert draw_forecast(quantile_curve(0.99, 2.0), quantiles).tolist() == [18, 20]
    assert [quantile_curve(0.99, 2.0).name, quantile_curve(0.975).name] == ["p99 x 2", "p97.5"]
