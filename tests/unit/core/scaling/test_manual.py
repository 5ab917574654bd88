"""Numbers set by hand: whose a number is, and how long one above ours is kept."""

from __future__ import annotations

import pytest

from presage.core.scaling.decision import Demand, ReplicaDecision, ScalingMemory
from presage.core.scaling.manual import (
    Change,
    Hand,
    Kept,
    begin_acting,
    find_change,
    keep_manual,
    remember_asked,
)
from tests.builders import policy

NOW = 10_000.0


@pytest.mark.parametrize(
    ("hand", "current", "want"),
    [
        pytest.param(Hand(5), 5, None, id="as it was"),
        pytest.param(Hand(5, (8,)), 8, None, id="as asked"),
        pytest.param(Hand(5, (8,)), 5, None, id="the watch lags"),
        pytest.param(Hand(5, (8, 9)), 8, None, id="asked twice, the first one came"),
        pytest.param(Hand(5), 9, Change(5, 9), id="raised by another hand"),
        pytest.param(Hand(5, (8,)), 3, Change(8, 3), id="lowered by another hand"),
        pytest.param(Hand(), 9, None, id="nothing to compare with"),
    ],
)
def test_whose_number_it_is(hand: Hand, current: int, want: Change | None) -> None:
    assert find_change(hand, current) == want


def decision(wanted: int, replicas: int) -> ReplicaDecision:
    asked = Demand(0.0, None, None, may_shrink=True, lead_s=60.0, headroom=0.1)
    memory = ScalingMemory(since=0.0)
    return ReplicaDecision(replicas, wanted, wanted, wanted, 0.0, "Stabilization", asked, "Step", memory)


@pytest.mark.parametrize(
    ("hand", "current", "wanted", "replicas", "want", "kept"),
    [
        pytest.param(Hand(3), 10, 3, 8, (10, "Manual"), Kept(10, 3), id="a raise is kept"),
        pytest.param(Hand(10, kept=Kept(10, 3)), 10, 3, 8, (10, "Manual"), Kept(10, 3), id="and goes on to be"),
        pytest.param(Hand(10, kept=Kept(10, 3)), 10, 4, 8, (10, "Stabilization"), None, id="until the need rises"),
        pytest.param(Hand(10, kept=Kept(10, 3)), 10, 2, 8, (10, "Stabilization"), None, id="or falls"),
        pytest.param(
            Hand(10, kept=Kept(10, 3)), 10, 12, 12, (12, "Stabilization"), None, id="a need above is followed"
        ),
        pytest.param(Hand(3), 30, 3, 20, (20, "Manual"), Kept(20, 3), id="the maximum holds for people too"),
        pytest.param(Hand(8), 4, 6, 6, (6, "Stabilization"), None, id="below the need: corrected"),
        pytest.param(Hand(8), 7, 6, 7, (7, "Stabilization"), None, id="below ours and enough: left"),
        pytest.param(Hand(10, kept=Kept(10, 3)), 6, 3, 5, (5, "Stabilization"), None, id="lowered again by hand"),
        pytest.param(Hand(10, kept=Kept(10, 3)), 12, 3, 9, (12, "Manual"), Kept(12, 3), id="raised again by hand"),
        pytest.param(Hand(5), 5, 3, 4, (4, "Stabilization"), None, id="nobody did anything"),
    ],
)
def test_keep(hand: Hand, current: int, wanted: int, replicas: int, want: tuple[int, str], kept: Kept | None) -> None:
    got, left = keep_manual(policy(), hand, current, decision(wanted, replicas), NOW, may_judge=True)
    assert (got.replicas, got.binding) == want
    assert left == kept


def test_a_need_that_is_not_known_does_not_end_it() -> None:
    hand = Hand(10, kept=Kept(10, 3))
    assert keep_manual(policy(), hand, 10, decision(9, 10), NOW, may_judge=False)[0].replicas == 10
    assert keep_manual(policy(), hand, 10, decision(5, 10), NOW, may_judge=False)[1] == Kept(10, 3)


def test_a_need_that_was_not_known_is_taken_when_it_is() -> None:
    _, kept = keep_manual(policy(), Hand(3), 10, decision(5, 10), NOW, may_judge=False)
    assert kept == Kept(10, None)
    _, kept = keep_manual(policy(), Hand(10, kept=kept), 10, decision(4, 8), NOW, may_judge=True)
    assert kept == Kept(10, 4)


def test_when_it_ends_a_whole_window_is_seen_first() -> None:
    got, _ = keep_manual(policy(), Hand(10, kept=Kept(10, 3)), 10, decision(4, 8), NOW, may_judge=True)
    assert got.memory.since == NOW


def test_what_was_asked_for_waits_until_it_is_found() -> None:
    hand = remember_asked(Hand(5), 5, 8, None)
    assert hand == Hand(5, (8,))
    assert remember_asked(hand, 5, 9, None) == Hand(5, (8, 9)), "the watch lags"
    assert remember_asked(hand, 8, 8, None) == Hand(8)
    assert remember_asked(hand, 8, 6, None) == Hand(8, (6,))


def test_acting_begins_with_an_empty_window() -> None:
    memory = ScalingMemory(since=0.0)
    assert begin_acting(memory, Hand()).since is None
    assert begin_acting(memory, Hand(5)).since == 0.0
