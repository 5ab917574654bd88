"""Conditions: merge, transitions, Ready."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from presage.core.conditions import (
    MESSAGE_LIMIT,
    Condition,
    find_transitions,
    merge_conditions,
    parse_conditions,
    summarize_ready,
)

THEN, NOW = "2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z"
conditions = st.lists(
    st.builds(
        Condition,
        st.sampled_from(["TargetFound", "DataAvailable", "ScalingActive"]),
        st.sampled_from(["True", "False", "Unknown"]),
        st.sampled_from(["Found", "Stale"]),
        st.text(max_size=1100),
        st.integers(0, 9),
    ),
    unique_by=lambda c: c.type,
).map(tuple)


def test_the_time_moves_only_with_the_status() -> None:
    old = (Condition("Ready", "True", "Fine", last_transition_time=THEN),)
    same = merge_conditions(old, (Condition("Ready", "True", "Finer"),), NOW)
    flipped = merge_conditions(old, (Condition("Ready", "False", "Bad"),), NOW)
    assert (same[0].last_transition_time, flipped[0].last_transition_time) == (THEN, NOW)


@given(conditions, conditions)
def test_merge_is_idempotent(old: tuple[Condition, ...], new: tuple[Condition, ...]) -> None:
    once = merge_conditions(old, new, THEN)
    assert merge_conditions(once, new, NOW) == once
    assert all(len(c.message) <= MESSAGE_LIMIT for c in once)


@given(conditions)
def test_what_is_written_reads_back(given_conditions: tuple[Condition, ...]) -> None:
    merged = merge_conditions((), given_conditions, NOW)
    assert parse_conditions([c.to_json() for c in merged]) == merged


def test_hostile_status_is_left_out() -> None:
    assert parse_conditions("no list") == ()
    assert parse_conditions([1, {}, {"type": "Ready"}, {"type": "Ready", "status": "Maybe"}]) == ()


def test_transitions_are_changes_of_status_or_reason() -> None:
    old = (Condition("A", "True", "Fine"), Condition("B", "False", "Bad"), Condition("C", "True", "Fine"))
    new = (
        Condition("A", "True", "Fine", "said anew"),
        Condition("B", "False", "Worse"),
        Condition("C", "False", "Bad"),
    )
    assert [c.type for c in find_transitions(old, new)] == ["B", "C"]


def test_ready_names_the_first_obstacle_and_accepts_what_was_asked_for() -> None:
    held = (Condition("TargetFound", "True", "Found"), Condition("ScalingActive", "False", "Paused", "p"))
    order = ("TargetFound", "ScalingActive")
    assert summarize_ready(held, order, frozenset({"Paused"}), 1).status == "True"
    refused = summarize_ready(held, order, frozenset(), 1)
    assert (refused.status, refused.reason, refused.message) == ("False", "Paused", "p")
