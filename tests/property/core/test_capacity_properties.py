"""Capacity per pod: whatever the history holds, the answer is bounded, keeps its unit and owes nothing to the order."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from presage.core.scaling.capacity import (
    REACH,
    Capacity,
    FloatArray,
    divide_among_pods,
    learn_from_cpu,
    learn_from_latency,
)

Learn = Callable[[FloatArray, FloatArray, float], Capacity]
EACH = pytest.mark.parametrize("learn", [learn_from_cpu, learn_from_latency])
ANY = st.floats(allow_nan=True, allow_infinity=True, width=32)
SEEDS = st.integers(0, 2**32 - 1)


def make(seed: int, count: int = 400) -> tuple[FloatArray, FloatArray, float]:
    """Return load, CPU or latency that rises with it, and a limit that may be met, of a random shape and unit."""
    rng = np.random.default_rng(seed)
    load = rng.gamma(rng.uniform(0.5, 20), 1, count) * 10.0 ** rng.uniform(-3, 6)
    used = (rng.uniform(0, 1) * load.max() + load ** rng.uniform(0.8, 1.5)) * rng.lognormal(0, 0.1, count)
    return load, used, float(np.quantile(used, rng.uniform(0.2, 1)) * rng.uniform(0.5, 1.5))


@EACH
@given(
    pairs=st.lists(st.tuples(ANY, ANY), max_size=150),
    limit=st.floats(min_value=1e-6, max_value=1e6),
)
def test_no_history_is_too_strange(learn: Learn, pairs: list[tuple[float, float]], limit: float) -> None:
    load, other = np.array(pairs, np.float64).reshape(-1, 2).T
    found = learn(load, other, limit)
    assert found.message
    assert len(found.message) <= 1024
    if found.value is not None:
        known = load[np.isfinite(load) & np.isfinite(other) & (load >= 0) & (other >= 0)]
        assert 0 < found.value <= REACH * known.max()


@EACH
@given(seed=SEEDS)
def test_never_far_beyond_what_was_seen(learn: Learn, seed: int) -> None:
    load, other, limit = make(seed)
    found = learn(load, other, limit)
    if found.value is not None:
        assert found.value <= (REACH if learn is learn_from_cpu else 1) * load.max()


@EACH
@settings(max_examples=50)
@given(seed=SEEDS, power=st.integers(-3, 3))
def test_another_unit_of_the_load_gives_the_same_in_that_unit(learn: Learn, seed: int, power: int) -> None:
    load, other, limit = make(seed)
    found, scaled = learn(load, other, limit), learn(load * 10.0**power, other, limit)
    assert (found.finding, found.samples, found.at_least) == (scaled.finding, scaled.samples, scaled.at_least)
    if found.value is not None:
        assert scaled.value == pytest.approx(found.value * 10.0**power, rel=0.11)  # a last digit of two may tip


@EACH
@settings(max_examples=50)
@given(seed=SEEDS, factor=st.floats(min_value=0.001, max_value=1000))
def test_the_unit_of_what_is_watched_does_not_matter(learn: Learn, seed: int, factor: float) -> None:
    load, other, limit = make(seed)
    found, scaled = learn(load, other, limit), learn(load, other * factor, limit * factor)
    assert found.finding == scaled.finding
    if found.value is not None:
        assert scaled.value == pytest.approx(found.value, rel=0.11)


@EACH
@settings(max_examples=50)
@given(seed=SEEDS, holes=st.lists(st.integers(0, 400), max_size=50))
def test_slots_that_are_missing_change_nothing(learn: Learn, seed: int, holes: list[int]) -> None:
    load, other, limit = make(seed)
    assert learn(np.insert(load, holes, np.nan), np.insert(other, holes, 1.0), limit) == learn(load, other, limit)


@given(
    pods=st.lists(st.one_of(st.just(float("nan")), st.floats(0, 10_000)), min_size=1, max_size=50), total=st.floats(0)
)
def test_what_falls_to_a_pod_is_never_more_than_all(pods: list[float], total: float) -> None:
    got = divide_among_pods(np.full(len(pods), total), np.array(pods))
    assert got.shape == (len(pods),)
    assert not (got > total).any()
