from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2e.demo.accounting import (
    Fleet,
    PodLife,
    Rises,
    account,
    measure_rises,
    ready_per_second,
    replicas_per_second,
)

START = 1000.0


def flat(level: float, seconds: int = 100) -> np.ndarray:
    return np.full(seconds, level)


def test_ready_counts_parts_of_seconds() -> None:
    lives = [PodLife(START - 5), PodLife(START + 1.25, START + 3.5), PodLife(START + 9, START + 9)]
    assert ready_per_second(lives, START, 5).tolist() == pytest.approx([1, 1.75, 2, 1.5, 1])


def test_replicas_count_parts_of_seconds_and_what_came_before() -> None:
    fleet = Fleet(((START - 10, 2), (START - 5, 3), (START + 1.5, 5), (START + 4, 1)), ())
    assert replicas_per_second(fleet, START, 5).tolist() == pytest.approx([3, 4, 5, 5, 1])


@given(
    st.lists(st.tuples(st.floats(-20, 20), st.integers(1, 9)), min_size=1, max_size=8, unique_by=lambda step: step[0])
)
def test_replicas_are_the_integral_of_the_steps(steps: list[tuple[float, int]]) -> None:
    ordered = tuple(sorted((START + offset, count) for offset, count in steps))
    fleet = Fleet(ordered, ())
    fine = np.array([fleet.replicas_at(START + (i + 0.5) / 200) for i in range(10 * 200)])
    assert replicas_per_second(fleet, START, 10) == pytest.approx(fine.reshape(10, 200).mean(axis=1), abs=0.1)


def test_unmet_is_load_above_ready_capacity() -> None:
    fleet = Fleet(((START, 2),), (PodLife(0), PodLife(START + 50)))
    got = account(flat(60), START, fleet, capacity=40)
    assert got.unmet_share == pytest.approx(20 * 50 / 6000)
    assert got.short_share == pytest.approx(0.5)
    assert got.replica_hours == pytest.approx(48)
    assert got.changes == 0


def test_changes_count_only_within_the_day() -> None:
    fleet = Fleet(((START - 5, 2), (START + 5, 3), (START + 6, 3), (START + 9, 2), (START + 500, 9)), ())
    assert account(flat(1), START, fleet, 40).changes == 2


RISES = {
    "ready long before": (30, 60.0, True),
    "ready ten seconds before": (90, 10.0, True),
    "ready eight seconds after": (108, -8.0, False),
    "never ready": (10_000, -60.0, False),
}


@pytest.mark.parametrize(("ready_from", "lead", "ahead"), RISES.values(), ids=RISES.keys())
def test_lead_at_a_rise(ready_from: int, lead: float, ahead: bool) -> None:
    seconds = np.arange(200)
    load = np.where(seconds >= 102, 70.0, 30.0)  # smoothed over 5 s, it needs a second pod at 100
    got = measure_rises(load, np.where(seconds >= ready_from, 2.0, 1.0), capacity=40)
    assert got.count == 1
    assert got.lead_seconds == pytest.approx(lead, abs=1)
    assert (got.ahead_share == 1.0) is ahead


WORDS = {4.4: "4 s before", 0.0: "0 s before", -7.0: "7 s after", 60.0: "60 s or more before"}


@pytest.mark.parametrize(("lead", "want"), WORDS.items())
def test_lead_in_words(lead: float, want: str) -> None:
    assert Rises(3, 1.0, lead).describe() == want


def test_a_steady_load_has_no_rises() -> None:
    assert measure_rises(flat(50), flat(2), 40).count == 0
