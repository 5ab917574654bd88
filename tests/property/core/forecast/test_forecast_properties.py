"""What holds for every history: scale, shift, truncation, order, bounds."""

from __future__ import annotations

import dataclasses
import pickle
from itertools import pairwise
from typing import get_args

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from presage.core.forecast.api import Effort, Forecast, Series, advance, forecast_many, forecast_one
from presage.core.forecast.block import Block
from presage.core.forecast.geometry import geometry_of
from presage.core.forecast.pool import pool_of
from presage.core.forecast.types import FloatArray
from presage.core.samples import mean_per_slot

DAY = 48  # slots of the made-up day: 360 s at 7.5 s
STEP = 7.5
SEASONS = (360,)
LEVELS = (0.1, 0.5, 0.9, 0.97)
FEW = settings(max_examples=30, deadline=None)

lengths = st.integers(0, 9 * DAY)
horizons = st.integers(1, 2 * DAY)
seeds = st.integers(0, 10_000)
efforts = st.sampled_from(get_args(Effort))


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


def hard_history(seed: int, length: int) -> FloatArray:
    """A history of some kind that is unlike a load: constant, of two sizes, stepping, mostly zeros, mostly missing."""
    rng = np.random.default_rng(seed)
    slots = np.arange(length)
    kinds = (
        np.full(length, 10.0 ** rng.integers(-9, 13)),
        np.where(rng.random(length) < 0.01, 1e12, rng.random(length)),
        np.where(slots < rng.integers(0, length + 1), 1e-9, 1e12),
        np.where(rng.random(length) < 0.05, rng.integers(1, 50, length), 0),
        np.where(rng.random(length) < 0.02, rng.random(length), np.nan),
        np.where(rng.random(length) < 0.3, rng.choice([np.inf, -np.inf, np.nan, 0.0], length), 1e-9 * slots),
        np.full(length, np.nan),
        np.where(slots % DAY == rng.integers(0, DAY), 1e6, 1.0),
    )
    return np.asarray(kinds[rng.integers(len(kinds))], dtype=float)


def assert_same(a: Forecast, b: Forecast, factor: float = 1.0, rtol: float = 1e-9) -> None:
    np.testing.assert_allclose(curves(b), factor * curves(a), rtol=rtol, atol=rtol * 100 * factor)
    assert set(a.weights) == set(b.weights)


def assert_sound(got: Forecast, horizon: int) -> None:
    """Finite, ordered, not negative, in full length; what counts and shares is within its bounds."""
    assert curves(got).shape == (len(LEVELS), horizon)
    assert np.isfinite(curves(got)).all()
    assert (curves(got) >= 0).all()
    assert all((low <= high).all() for low, high in pairwise(curves(got)))
    np.testing.assert_array_equal(got.quantiles[0.5], got.point)
    assert abs(sum(got.weights.values()) - 1) < 1e-9
    assert all(0 < share <= 1 + 1e-9 for share in got.weights.values())
    assert all(loss >= 0 or np.isnan(loss) for losses in got.backtest.values() for loss in losses)
    assert all(0 <= share <= 1 and seen >= 0 for share, seen in got.coverage.values())
    assert got.shift_at is None or np.isfinite(got.shift_at)
    assert len(pickle.dumps(got.state)) <= 32 * (DAY + horizon)


@FEW
@given(seeds, lengths, horizons, efforts)
def test_sound_for_any_history(seed: int, length: int, horizon: int, effort: Effort) -> None:
    assert_sound(forecast_one(series(history(seed, length)), horizon, LEVELS, effort=effort), horizon)


@FEW
@given(seeds, lengths, st.integers(1, DAY), efforts)
def test_sound_for_what_is_hardly_a_load(seed: int, length: int, horizon: int, effort: Effort) -> None:
    got = forecast_one(series(np.maximum(hard_history(seed, length), 0)), horizon, LEVELS, effort=effort)
    assert_sound(got, horizon)
    news = np.maximum(hard_history(seed + 1, 2 * DAY), 0)
    for k in (1, 0, DAY):
        got = advance([got.state], [news[:k]], horizon, LEVELS)[0]
        assert_sound(got, horizon)


@FEW
@given(seeds, lengths, efforts)
def test_a_load_that_falls_below_zero_stays_finite(seed: int, length: int, effort: Effort) -> None:
    got = forecast_one(series(history(seed, length) - 100), 12, LEVELS, effort=effort)
    assert np.isfinite(curves(got)).all()
    assert all((low <= high).all() for low, high in pairwise(curves(got)))


@FEW
@given(seeds, lengths, efforts, st.lists(st.floats(1e-6, 1 - 1e-6), min_size=1, max_size=8, unique=True))
def test_any_quantiles_may_be_asked(seed: int, length: int, effort: Effort, levels: list[float]) -> None:
    got = forecast_one(series(history(seed, length)), 12, levels, effort=effort)
    moved = advance([got.state], [history(seed, 3)], 12, levels)[0]
    plain = forecast_one(series(history(seed, length)), 12, LEVELS, effort=effort)
    for one in (got, moved):
        assert tuple(one.quantiles) == tuple(levels)
        assert set(one.coverage) == set(levels)
        ordered = [one.quantiles[level] for level in sorted(levels)]
        assert all((low <= high).all() for low, high in pairwise(ordered))
        for level, curve in one.quantiles.items():
            assert (curve <= one.point).all() if level <= 0.5 else (curve >= one.point).all()
    np.testing.assert_array_equal(got.point, plain.point)


@FEW
@given(seeds, lengths, efforts)
def test_equal_input_gives_equal_output(seed: int, length: int, effort: Effort) -> None:
    a, b = (forecast_one(series(history(seed, length)), 12, LEVELS, effort=effort) for _ in range(2))
    assert_same(a, b, rtol=0)
    assert pickle.dumps(a.state) == pickle.dumps(b.state)
    assert (a.weights, a.coverage, a.seasons, a.shift_at) == (b.weights, b.coverage, b.seasons, b.shift_at)
    again = pickle.loads(pickle.dumps(a.state))  # noqa: S301
    news = history(seed + 1, 5)
    assert_same(*advance([a.state, again], [news, news], 12, LEVELS), rtol=0)


@FEW
@given(seeds, st.integers(1, 400), efforts)
def test_the_order_in_which_samples_arrive_does_not_matter(seed: int, count: int, effort: Effort) -> None:
    rng = np.random.default_rng(seed)
    times = np.unique(rng.integers(0, 8 * DAY * 7, count)).astype(float)
    values = rng.gamma(2, 50, len(times))
    order = rng.permutation(len(times))
    a, b = (mean_per_slot(times[o], values[o], STEP) for o in (slice(None), order))
    one, two = (forecast_one(Series(g.values, g.start, STEP, SEASONS), 12, LEVELS, effort=effort) for g in (a, b))
    assert_same(one, two, rtol=0)


@FEW
@given(seeds, lengths, horizons, efforts, st.sampled_from([1e-9, 1e-3, 1000.0, 1e12]))
def test_scale_equivariance(seed: int, length: int, horizon: int, effort: Effort, factor: float) -> None:
    values = history(seed, length)
    plain = forecast_one(series(values), horizon, LEVELS, effort=effort)
    scaled = forecast_one(series(values * factor), horizon, LEVELS, effort=effort)
    assert_same(plain, scaled, factor, rtol=1e-6)


@FEW
@given(seeds, lengths, efforts, st.sampled_from([2.0**-30, 0.5, 8.0, 2.0**40]))
def test_scale_by_a_power_of_two_is_exact(seed: int, length: int, effort: Effort, factor: float) -> None:
    values, news = history(seed, length), history(seed + 1, 4)
    plain = forecast_one(series(values), 12, LEVELS, effort=effort)
    scaled = forecast_one(series(values * factor), 12, LEVELS, effort=effort)
    assert_same(plain, scaled, factor, rtol=0)
    moved, moved_scaled = (
        advance([got.state], [part], 12, LEVELS)[0] for got, part in ((plain, news), (scaled, news * factor))
    )
    assert_same(moved, moved_scaled, factor, rtol=0)


@FEW
@given(seeds, lengths, horizons, efforts, st.floats(-1e9, 1e9))
def test_the_time_of_the_first_slot_does_not_matter(
    seed: int, length: int, horizon: int, effort: Effort, start: float
) -> None:
    values = history(seed, length)
    plain = forecast_one(series(values), horizon, LEVELS, effort=effort)
    assert_same(plain, forecast_one(series(values, start), horizon, LEVELS, effort=effort), rtol=0)


@settings(max_examples=10, deadline=None)
@given(seeds, st.integers(1, 20), efforts, st.integers(1, 10))
def test_whole_weeks_later_in_a_zone_is_the_same(seed: int, days: int, effort: Effort, weeks: int) -> None:
    """From the first of May on Berlin's clocks stay for five months."""
    hourly = history(seed, 24 * days)
    plain, later = (
        forecast_one(Series(hourly, start, 3600, time_zone="Europe/Berlin"), 24, LEVELS, effort=effort)
        for start in (1_714_521_600.0, 1_714_521_600.0 + weeks * 604_800)
    )
    assert_same(plain, later, rtol=0)


@FEW
@given(seeds, st.integers(1, 9 * DAY), horizons, efforts)
def test_no_look_into_the_future(seed: int, length: int, horizon: int, effort: Effort) -> None:
    """What lies in memory behind the history is not read: a view of a longer array gives the same."""
    longer = history(seed, length + DAY)
    plain = forecast_one(series(longer[:length].copy()), horizon, LEVELS, effort=effort)
    longer[length:] = 1e6
    assert_same(plain, forecast_one(series(longer[:length]), horizon, LEVELS, effort=effort), rtol=0)


@FEW
@given(seeds, st.integers(2, 6 * DAY), st.integers(1, 2 * DAY), efforts)
def test_a_coarse_history_is_read_up_to_the_origin(seed: int, length: int, fine: int, effort: Effort) -> None:
    """It goes on beyond the origin; what it holds there changes nothing."""
    values = history(seed, length * 5)
    recent = series(values[-fine:], (len(values) - min(fine, len(values))) * STEP)
    coarse = np.append(np.where(np.isnan(values), 0, values).reshape(-1, 5).mean(axis=1), np.full(DAY, 50.0))
    other = coarse.copy()
    other[length:] = 1e6
    one, two = (
        forecast_one(dataclasses.replace(recent, coarse=Series(c, 0, 5 * STEP)), 12, LEVELS, effort=effort)
        for c in (coarse, other)
    )
    assert_same(one, two, rtol=0)
    assert (one.seasons, one.history_rung) == (two.seasons, two.history_rung)


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


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(seeds, lengths, st.integers(1, DAY)), min_size=2, max_size=6), efforts)
def test_neighbours_in_a_batch_do_not_matter(cases: list[tuple[int, int, int]], effort: Effort) -> None:
    many = [series(history(seed, length)) for seed, length, _ in cases]
    horizon = [h for _, _, h in cases]
    together = forecast_many(many, horizon, LEVELS, effort=effort)
    backwards = forecast_many(many[::-1], horizon[::-1], LEVELS, effort=effort)[::-1]
    for one, h, a, b in zip(many, horizon, together, backwards, strict=True):
        alone = forecast_one(one, h, LEVELS, effort=effort)
        assert_same(alone, a)
        assert_same(alone, b)


@FEW
@given(seeds, lengths, st.integers(1, DAY), st.lists(st.integers(0, 20), max_size=4), efforts)
def test_advance_stays_sound_and_sees_all_new_slots(
    seed: int, length: int, horizon: int, news: list[int], effort: Effort
) -> None:
    values = history(seed, length + sum(news))
    state = forecast_one(series(values[:length]), horizon, LEVELS, effort=effort).state
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
@given(seeds, lengths, efforts)
def test_infinite_is_missing(seed: int, length: int, effort: Effort) -> None:
    values = history(seed, length)
    infinite = np.where(np.isnan(values), np.inf, values)
    plain = forecast_one(series(values), 12, LEVELS, effort=effort)
    assert_same(plain, forecast_one(series(infinite), 12, LEVELS, effort=effort), rtol=0)


@FEW
@given(st.lists(st.tuples(seeds, lengths, st.integers(0, 30)), min_size=1, max_size=6))
def test_neighbours_in_a_batch_of_ticks_do_not_matter(cases: list[tuple[int, int, int]]) -> None:
    states = [f.state for f in forecast_many([series(history(seed, length)) for seed, length, _ in cases], 12)]
    news = [history(seed + 1, k) for seed, _, k in cases]
    together = advance(states[::-1], news[::-1], 12, LEVELS)[::-1]
    for state, new, got in zip(states, news, together, strict=True):
        assert_same(advance([state], [new], 12, LEVELS)[0], got)
