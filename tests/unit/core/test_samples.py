"""Samples onto a grid: gauges as means, counters as rates, whatever order, gaps, resets and jitter they come with."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from presage.core.samples import MAX_SLOTS, Grid, mean_per_slot, rate_per_slot

NAN = float("nan")
INF = float("inf")


@pytest.mark.parametrize(
    ("times", "values", "want", "start"),
    [
        pytest.param([], [], [], 0, id="no samples"),
        pytest.param([125], [4], [4], 120, id="one sample, the slot starts on the grid"),
        pytest.param([0, 20, 59, 60], [1, 2, 6, 5], [3, 5], 0, id="the mean of a slot"),
        pytest.param([0, 200], [1, 2], [1, NAN, NAN, 2], 0, id="a slot without samples is missing, not zero"),
        pytest.param([-30, 30], [1, 2], [1, 2], -60, id="before the epoch"),
        pytest.param([0, 1], [-3, 1], [-1], 0, id="negative values count"),
        pytest.param([0, 1], [1.5e308, 1.7e308], [1.6e308], 0, id="a sum beyond what a float holds"),
        pytest.param([0, NAN, 70, INF, 80], [1, 2, NAN, 3, INF], [1], 0, id="what is not finite is dropped"),
    ],
)
def test_mean_per_slot(times: list[float], values: list[float], want: list[float], start: float) -> None:
    got = mean_per_slot(times, values, 60)
    np.testing.assert_allclose(got.values, want)
    assert (got.start, got.step) == (start, 60)


@pytest.mark.parametrize(
    ("times", "values", "want"),
    [
        pytest.param([], [], [], id="no samples"),
        pytest.param([10], [5], [NAN], id="one sample says nothing of a rate"),
        pytest.param(range(0, 181, 15), range(0, 181, 15), [1, 1, 1, NAN], id="steady, the newest slot not covered"),
        pytest.param(range(0, 121, 20), [0, 20, 40, 0, 20, 40, 60], [2 / 3, 1, NAN], id="a reset to zero"),
        pytest.param(range(0, 121, 20), [90, 110, 130, 10, 30, 50, 70], [5 / 6, 1, NAN], id="a reset counts from zero"),
        pytest.param([0, 17, 59, 64, 100, 121], [0, 17, 59, 64, 100, 121], [1, 1, NAN], id="jitter is no noise"),
        pytest.param([0, 45, 75, 120], [0, 45, 45, 45], [45 / 60, 0, NAN], id="what was gained is where it was gained"),
        pytest.param([0, 300, 600], [0, 600, 600], [2] * 5 + [0] * 5 + [NAN], id="samples rarer than slots"),
        pytest.param(
            [40, 60, 80, 100, 120], [0, 9, 18, 27, 36], [NAN, 0.45, NAN], id="a third of a slot is too little"
        ),
        pytest.param([0, 10, 20, -5, 30], [1, -1, 2, -2, 3], [2 / 30], id="below zero is no counter"),
        pytest.param([0, 1e-3], [0, 1e308], [NAN], id="too short for a rate"),
    ],
)
def test_rate_per_slot(times: list[float], values: list[float], want: list[float]) -> None:
    np.testing.assert_allclose(rate_per_slot(list(times), values, 60).values, want, atol=1e-12)


def test_over_a_hole_no_rate_is_made_up() -> None:
    times = np.array([*range(0, 301, 15), *range(1500, 1801, 15)], float)
    got = rate_per_slot(times, 2 * times, 60)
    assert np.isnan(got.values[5:25]).all()
    np.testing.assert_allclose(got.values[:5], 2)
    np.testing.assert_allclose(got.values[25:30], 2)


def test_a_counter_of_many_digits_keeps_its_rate() -> None:
    times = 1.7e9 + np.arange(0, 3600, 15)
    got = rate_per_slot(times, 1e15 + np.arange(len(times)) * 30, 300)
    np.testing.assert_allclose(got.values[1:-1], 2, rtol=1e-9)


@pytest.mark.parametrize("read", [mean_per_slot, rate_per_slot])
def test_what_was_amiss_is_counted(read: Callable[..., Grid]) -> None:
    got = read([0, 30, 10, 20, 30, NAN], [0, 99, 10, 20, 30, 5], 60)
    assert (got.unsorted, got.duplicates, got.dropped) == (2, 1, 1)
    plain = read([0, 10, 20, 30], [0, 10, 20, 30], 60)
    np.testing.assert_array_equal(got.values, plain.values)
    assert (plain.unsorted, plain.duplicates, plain.dropped) == (0, 0, 0)


@pytest.mark.parametrize(
    ("times", "values", "step", "match"),
    [
        pytest.param([0, 1e12], [1, 2], 60, "epoch seconds", id="one time in milliseconds"),
        pytest.param([1e300], [1], 60, "epoch seconds", id="no time at all"),
        pytest.param([0, MAX_SLOTS], [1, 2], 1, "longer step", id="one slot too many"),
        pytest.param([0, 1], [1], 60, "alike", id="shapes"),
        pytest.param([0], [1], 0, "step", id="step zero"),
        pytest.param([0], [1], NAN, "step", id="step NaN"),
    ],
)
def test_what_cannot_be_a_history_is_refused(times: list[float], values: list[float], step: float, match: str) -> None:
    for read in (mean_per_slot, rate_per_slot):
        with pytest.raises(ValueError, match=match):
            read(times, values, step)


@given(st.integers(0, 10_000), st.integers(0, 200))
def test_the_order_of_samples_does_not_matter(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    times = np.unique(rng.integers(0, 3000, count)).astype(float)
    values = rng.random(len(times)) * 1e3
    order = rng.permutation(len(times))
    for read in (mean_per_slot, rate_per_slot):
        a, b = read(times, values, 60), read(times[order], values[order], 60)
        np.testing.assert_array_equal(a.values, b.values)
        assert a.start == b.start


@given(st.integers(0, 10_000), st.integers(2, 200))
def test_a_rate_accounts_for_all_that_was_gained(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.uniform(10, 20, count))
    gains = rng.random(count) * 100
    values = np.cumsum(gains)
    for i in np.flatnonzero(rng.random(count) < 0.1):
        if i and values[i - 1] > gains[i]:  # else nobody could tell
            values[i:] += gains[i] - values[i]  # from zero to what was gained since
    got = rate_per_slot(times, values, 60).values
    assert not (got < 0).any()
    assert np.nanmax(got, initial=0) <= (gains[1:] / np.diff(times)).max() * (1 + 1e-9)
    whole = got[1:-1]  # the slots at both ends are covered in part
    assert np.isfinite(whole).all()
    edges = np.array([60.0, 60.0 * (len(got) - 1)]) + times[0] // 60 * 60
    if len(whole):
        gained = np.interp(edges, times, np.cumsum(np.append(0, gains[1:])))
        assert whole.sum() * 60 == pytest.approx(gained[1] - gained[0])
