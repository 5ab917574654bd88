"""Sampling is fair: every event has the same chance, whatever repeats, and no block goes without its one."""

from __future__ import annotations

import math
import statistics

from hypothesis import given, settings
from hypothesis import strategies as st

from presage.sdk.sampler import BlockSampler, derive_seed

SEEDS = st.integers(0, 2**64 - 1)


def kept_events(sampler: BlockSampler, events: int) -> list[int]:
    return [index for index in range(events) if sampler.keep()]


@given(every=st.integers(1, 300), blocks=st.integers(1, 20), rest=st.integers(0, 299), seed=SEEDS)
def test_each_block_keeps_exactly_one(every: int, blocks: int, rest: int, seed: int) -> None:
    rest %= every
    kept = kept_events(BlockSampler(every, seed), every * blocks + rest)
    assert [index // every for index in kept][:blocks] == list(range(blocks))
    assert len(kept) in (blocks, blocks + 1)
    if rest == 0:
        assert len(kept) == blocks


@given(every=st.integers(1, 10**9), seed=SEEDS)
def test_positions_stay_in_their_block(every: int, seed: int) -> None:
    sampler = BlockSampler(every, seed)
    assert 1 <= sampler.left <= every
    for _ in range(5):
        sampler.left = 0
        assert sampler.draw()
        assert 1 <= sampler.left < 2 * every


@given(first=st.integers(1, 50), then=st.integers(1, 50), before=st.integers(0, 200), seed=SEEDS)
def test_after_a_change_blocks_have_the_new_length_at_once(first: int, then: int, before: int, seed: int) -> None:
    sampler = BlockSampler(first, seed)
    kept_events(sampler, before)
    kept = kept_events(sampler.resume(then), then * 5)
    assert [index // then for index in kept] == [0, 1, 2, 3, 4]


@settings(max_examples=12, deadline=None)
@given(
    every=st.sampled_from([10, 50, 100]),
    period=st.sampled_from([50, 100, 1000]),
    dear=st.integers(0, 999),
    base=st.integers(0, 2**40),
)
def test_the_mean_of_periodic_work_has_no_bias(every: int, period: int, dear: int, base: int) -> None:
    """One event in each period costs fifty times the others; 60 seeds, so 3.5 standard errors are as good as never."""
    events = 20_000
    cost = [50.0 if index % period == dear % period else 1.0 for index in range(events)]
    truth = statistics.fmean(cost)
    estimates = []
    for seed in range(60):
        kept = kept_events(BlockSampler(every, derive_seed(base + seed, "order", "latency")), events)
        estimates.append(statistics.fmean(cost[index] for index in kept))
    error = statistics.stdev(estimates) / math.sqrt(len(estimates))
    assert abs(statistics.fmean(estimates) - truth) <= 3.5 * error + 1e-9
