"""What holds for every history: scale, shift, truncation, order, bounds."""

from __future__ import annotations

import dataclasses
import pickle
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from presage.core.forecast.api import Forecast, Series, advance, forecast_many, forecast_one
from presage.core.forecast.block import Block
from presage.core.forecast.geometry import geometry_of
from presage.core.forecast.pool import pool_of
from presage.core.forecast.types import FloatArray

DAY = 48  # slots of the made-up day: 360 s at 7.5 s
STEP = 7.5
SEASONS = (360,)
LEVELS = (0.1, 0.5, 0.9, 0.97)
FEW = settings(max_examples=30, deadline=None)

lengths = st.integers(0, 9 * DAY)
horizons = st.integers(1, 2 * DAY)
seeds = st.integers(0, 10_000)


def history(seed: int, length: int) -> FloatArray:
    """A random mixture of daily wave, drift, noise, bursts and holes; >= 0."""
    rng = np.random.default_rng(seed)
    slots = np.arange(length)
    load = 100 + 60 * rng.random() * np.sin(2 * np.pi * slots / DAY)
    load += rng.normal(0, 20 * rng.random(), length) + slots * rng.normal(0, 0.05)
    load[rng.random(length) < 0.02] *= 5
    load[rng.random(length) < 0.1 * rng.integers(0, 2)] = np.nan
    if length > DAY and rng.random() < 0.3:
        hole = rng.integers(0, length - DAY)
        load[hole : hole + DAY] = np.nan
    return np.maximum(load, 0)


def series(values: FloatArray, start: float = 0.0) -> Series:
    return Series(values, start, STEP, SEASONS)


def curves(got: Forecast) -> FloatArray:
    return np.stack([got.quantiles[level] for level in LEVELS])


def assert_same(a: Forecast, b: Forecast, factor: float = 1.0, rtol: float = 1e-9) -> None:
    np.testing.assert_allclose(curves(b), factor * curves(a), rtol=rtol, atol=rtol * 100 * factor)
    assert set(a.weights) == set(b.weights)


@FEW
@given(seeds, lengths, horizons)
def test_sound_for_any_history(seed: int, length: int, horizon: int) -> None:
    got = forecast_one(series(history(seed, length)), horizon, LEVELS, effort="batch")
    assert np.isfinite(curves(got)).all()
    assert (curves(got) >= 0).all()
    assert all((low <= high).all() for low, high in pairwise(curves(got)))
    np.testing.assert_array_equal(got.quantiles[0.5], got.point)
    assert abs(sum(got.weights.values()) - 1) < 1e-9
    assert len(pickle.dumps(got.state)) <= 32 * (DAY + horizon)


@FEW
@given(seeds, lengths, horizons, st.sampled_from([1e-9, 1e-3, 8.0, 1000.0, 1e12]))
def test_scale_equivariance(seed: int, length: int, horizon: int, factor: float) -> None:
    values = history(seed, length)
    plain = forecast_one(series(values), horizon, LEVELS)
    scaled = forecast_one(series(values * factor), horizon, LEVELS)
    assert_same(plain, scaled, factor, rtol=1e-6)


@FEW
@given(seeds, lengths, horizons, st.floats(-1e9, 1e9))
def test_the_time_of_the_first_slot_does_not_matter(seed: int, length: int, horizon: int, start: float) -> None:
    values = history(seed, length)
    plain = forecast_one(series(values), horizon, LEVELS)
    assert_same(plain, forecast_one(series(values, start), horizon, LEVELS), rtol=0)


@FEW
@given(seeds, st.integers(1, 9 * DAY), horizons)
def test_no_look_into_the_future(seed: int, length: int, horizon: int) -> None:
    """What lies in memory behind the history is not read: a view of a longer array gives the same."""
    longer = history(seed, length + DAY)
    plain = forecast_one(series(longer[:length].copy()), horizon, LEVELS)
    longer[length:] = 1e6
    assert_same(plain, forecast_one(series(longer[:length]), horizon, LEVELS), rtol=0)


@FEW
@given(seeds, st.integers(2, 9 * DAY), st.integers(1, 2 * DAY), st.integers(1, 2 * DAY))
def test_a_cut_off_sees_only_what_lies_before_it(seed: int, cut: int, behind: int, horizon: int) -> None:
    geometry = geometry_of(STEP, (90, 360, 1000))  # the last is no multiple of the step
    rng = np.random.default_rng(seed)
    values = rng.random(cut + behind)
    steps = np.arange(1, horizon + 1)
    width = len(values)
    whole = Block([values], geometry, back=width, ahead=horizon)
    part = Block([values[:cut]], geometry, back=width, ahead=horizon)
    for model in pool_of(geometry):
        seen = model.predict(whole, np.array([cut]), steps)
        np.testing.assert_allclose(model.predict(part, np.array([cut]), steps), seen, err_msg=model.name)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(seeds, lengths, st.integers(1, DAY)), min_size=2, max_size=6))
def test_neighbours_in_a_batch_do_not_matter(cases: list[tuple[int, int, int]]) -> None:
    many = [series(history(seed, length)) for seed, length, _ in cases]
    horizon = [h for _, _, h in cases]
    together = forecast_many(many, horizon, LEVELS)
    backwards = forecast_many(many[::-1], horizon[::-1], LEVELS)[::-1]
    for one, h, a, b in zip(many, horizon, together, backwards, strict=True):
        alone = forecast_one(one, h, LEVELS, effort="batch")
        assert_same(alone, a)
        assert_same(alone, b)


@FEW
@given(seeds, lengths, st.integers(1, DAY), st.lists(st.integers(0, 20), max_size=4))
def test_advance_stays_sound_and_sees_all_new_slots(seed: int, length: int, horizon: int, news: list[int]) -> None:
    values = history(seed, length + sum(news))
    state = forecast_one(series(values[:length]), horizon, LEVELS, effort="batch").state
    at_once = advance([state], [values[length:]], horizon, LEVELS)[0]
    seen = length
    got = advance([state], [values[:0]], horizon, LEVELS)[0]
    for k in news:
        got = advance([got.state], [values[seen : seen + k]], horizon, LEVELS)[0]
        seen += k
        assert np.isfinite(curves(got)).all()
        assert (curves(got) >= 0).all()
        assert len(pickle.dumps(got.state)) <= 32 * (DAY + horizon)
    np.testing.assert_allclose(got.point, at_once.point, rtol=1e-4, atol=1e-4)


@FEW
@given(seeds, st.integers(2 * DAY, 9 * DAY))
def test_missing_slots_are_masked_not_read_as_zero(seed: int, length: int) -> None:
    rng = np.random.default_rng(seed)
    values = 100 + 5 * rng.random(length)
    values[rng.random(length) < 0.3] = np.nan
    got = forecast_one(series(values), DAY, LEVELS)
    assert (got.point > 95).all()
    assert (got.point < 110).all()


@FEW
@given(seeds, lengths)
def test_infinite_is_missing(seed: int, length: int) -> None:
    values = history(seed, length)
    infinite = np.where(np.isnan(values), np.inf, values)
    plain = forecast_one(series(values), 12, LEVELS)
    assert_same(plain, forecast_one(dataclasses.replace(series(values), values=infinite), 12, LEVELS), rtol=0)
