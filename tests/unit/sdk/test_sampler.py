"""The generator and the blocks, held to fixed numbers: other languages are held to the same ones."""

from __future__ import annotations

import pytest

from presage.sdk.sampler import BlockSampler, derive_seed, splitmix64


def test_the_generator_is_splitmix64() -> None:
    """The first outputs for the seed 1234567, as published with the generator's reference implementation."""
    state, outputs = 1234567, []
    for _ in range(5):
        state, output = splitmix64(state)
        outputs.append(output)
    assert outputs == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


@pytest.mark.parametrize("every", [1, 2, 7, 100])
def test_each_block_keeps_exactly_one(every: int) -> None:
    sampler = BlockSampler(every, 7)
    kept = [sampler.keep() for _ in range(every * 50)]
    blocks = [kept[start : start + every] for start in range(0, len(kept), every)]
    assert [sum(block) for block in blocks] == [1] * 50


def test_positions_are_the_generators() -> None:
    state, every = derive_seed(1, "order", "latency"), 10
    sampler = BlockSampler(every, state)
    kept = [index for index in range(50) if sampler.keep()]
    want = []
    for block in range(5):
        state, output = splitmix64(state)
        want.append(block * every + int((output >> 11) / 2**53 * every))
    assert kept == want


def test_a_change_of_n_begins_a_new_block() -> None:
    sampler = BlockSampler(100, 7)
    for _ in range(150):
        sampler.keep()
    changed = sampler.resume(5)
    kept = [changed.keep() for _ in range(20)]
    assert [sum(kept[start : start + 5]) for start in range(0, 20, 5)] == [1] * 4


def test_of_two_that_meet_the_end_of_a_block_one_is_kept() -> None:
    sampler = BlockSampler(3, 7)
    while sampler.left > 1:
        sampler.left -= 1
    sampler.left -= 2  # two threads met the end of the block before either drew
    assert sampler.draw()
    assert not sampler.draw()
    assert sampler.left > 0


def test_each_block_keeps_one_however_long_a_thread_is_held_up_before_it_draws() -> None:
    sampler = BlockSampler(10, 7)
    held_up = 2_537
    sampler.left -= held_up  # what other threads counted meanwhile
    kept = sampler.draw() + sum(sampler.keep() for _ in range(1_000 - 537))
    assert kept == (held_up + 1_000 - 537) / 10


def test_seeds_differ_by_all_three() -> None:
    seeds = {derive_seed(s, e, m) for s in (1, 2) for e in ("a", "b") for m in ("x", "y")}
    assert len(seeds) == 8
