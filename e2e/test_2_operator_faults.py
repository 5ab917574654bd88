"""The operator ends in mid-run: the standby takes over, no replica is missed, nothing is written twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from e2e.cluster.progress import part, say
from e2e.faults.scene import Scene
from e2e.faults.steps import find_unfounded_events
from e2e.faults.wave import LOW, PEAK, PEAK_BEGINS, PLAN, PLAYED_PEAK_ENDS
from e2e.faults.written import find_repeats, find_strangers, find_takeover
from e2e.waiting import eventually

FIRST_END = 5
"""The load rises while nobody leads: who takes over must act at once."""
SECOND_END = 50
"""The first rise is digested: nothing is about to be removed anyway."""
LONGEST_TAKEOVER_SECONDS = 20
ENDS_WITHIN_SECONDS = 10
ACTS_WITHIN_SECONDS = 4
"""From the first decision until the replicas are those that the load needs."""


@dataclass(frozen=True)
class Handover:
    """One change of the leader; times are Unix seconds."""

    old: str
    new: str
    ended_at: float
    took_over_at: float

    @property
    def seconds(self) -> float:
        return self.took_over_at - self.ended_at


def hand_over(scene: Scene, end: Callable[[str], None]) -> Handover:
    """End the leader and wait for the first decision of another."""
    old = scene.operators.deciding()
    ended_at = time.time()
    end(old)

    def find_new() -> str:
        found = scene.operators.deciding()
        return found if found != old else ""

    with part("the standby", "taking over", "leads"):
        new = eventually(find_new, bool, LONGEST_TAKEOVER_SECONDS, "the standby decides")
    found = Handover(old, new, ended_at, time.time())
    say(f"  {found.new} decided {found.seconds:.1f} s after the end of {found.old}")
    return found


def expect_a_sound_handover(scene: Scene, change: Handover) -> None:
    """Wait until the new leader has seen a whole stabilization window, and judge what happened until then."""
    assert change.seconds <= LONGEST_TAKEOVER_SECONDS
    eventually(
        lambda: (scene.replicas, scene.clock.need(time.time())),
        lambda seen: seen[0] >= seen[1],
        ACTS_WITHIN_SECONDS,
        "the new leader asks for the replicas that the load needs (replicas, need)",
    )
    end = change.took_over_at + PLAN.stabilization_seconds - PLAN.decision_seconds
    scene.wait_until(scene.clock.second(end), "a stabilization window")
    assert scene.drops(change.ended_at, end) == []
    assert scene.shortages(change.took_over_at + ACTS_WITHIN_SECONDS, end) == []


def expect_one_writer(scene: Scene, *changes: Handover) -> None:
    """See in the API server's log that nobody wrote without the Lease, and when the new leaders took it."""
    writes = scene.writes()
    assert [str(each) for each in find_strangers(writes)] == []
    for change in changes:
        takeover = find_takeover([each for each in writes if each.at >= change.ended_at], change.new)
        assert takeover is not None, "the log does not tell when the new leader took the Lease"
        assert takeover.at - change.ended_at <= LONGEST_TAKEOVER_SECONDS


def expect_nothing_written_twice(scene: Scene) -> None:
    """Judge by the API server's log everything that was written since the day was opened."""
    scales = [each for each in scene.scales() if each.done]
    assert scales, "no scale in the log: nothing can be concluded from it"
    assert [str(each) for each in find_repeats(scales)] == []
    assert scene.generation() - scene.first_generation == len(scales)
    announced = [each for each in scene.events("Rescaled") if each.done]
    assert announced
    assert [each.body["note"] for each in find_unfounded_events(announced, scales)] == []


def test_the_standby_takes_over_from_a_crashed_leader(scene: Scene) -> None:
    scene.at(FIRST_END)
    assert scene.clock.need(scene.clock.at(PEAK_BEGINS)) > scene.replicas, "there is nothing to do for the new leader"
    change = hand_over(scene, scene.operators.crash)
    expect_a_sound_handover(scene, change)
    expect_one_writer(scene, change)
    expect_nothing_written_twice(scene)


@pytest.mark.long
def test_the_operator_is_killed_twice(scene: Scene) -> None:
    scene.at(FIRST_END)
    first = hand_over(scene, scene.operators.crash)
    expect_a_sound_handover(scene, first)
    scene.at(SECOND_END)
    second = hand_over(scene, scene.operators.remove)
    assert second.old == first.new
    expect_a_sound_handover(scene, second)
    scene.wait_until(PLAYED_PEAK_ENDS, "the end of the peak")
    assert scene.shortages(first.took_over_at + ACTS_WITHIN_SECONDS, scene.clock.at(PLAYED_PEAK_ENDS)) == []
    eventually(lambda: scene.replicas, lambda n: n < PEAK / PLAN.capacity, 30, "the last leader removes replicas")
    expect_one_writer(scene, first, second)
    expect_nothing_written_twice(scene)


@pytest.mark.long
def test_a_leader_that_was_frozen_writes_nothing_when_it_wakes(scene: Scene) -> None:
    scene.at(FIRST_END)
    change = hand_over(scene, scene.operators.freeze)
    frozen = scene.operators.find(change.old)
    scene.operators.thaw(change.old)
    with part("the old leader", "ending", "ended"):
        eventually(
            lambda: scene.operators.find(change.old),
            lambda pod: pod.container != frozen.container,
            ENDS_WITHIN_SECONDS,
            "the old leader ends by itself",
        )
    expect_a_sound_handover(scene, change)
    expect_one_writer(scene, change)
    expect_nothing_written_twice(scene)
    assert scene.replicas > LOW / PLAN.capacity
