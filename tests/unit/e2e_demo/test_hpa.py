from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2e.demo.accounting import account, ready_per_second
from e2e.demo.hpa import HpaRule, replay

RULE = HpaRule(capacity=40, min_replicas=1, max_replicas=20, startup_seconds=5)
START = 1000.0

WANTED = {
    "at the target": (56.0, 2, 2),
    "within the tolerance above": (61.0, 2, 2),
    "above the tolerance": (62.0, 2, 3),
    "far below": (10.0, 5, 1),
    "below the minimum": (0.0, 3, 1),
    "above the maximum": (5000.0, 10, 20),
}


@pytest.mark.parametrize(("observed", "current", "want"), WANTED.values(), ids=WANTED.keys())
def test_wanted(observed: float, current: int, want: int) -> None:
    assert RULE.wanted(observed, current) == want


def jump(at: int, high: float, seconds: int = 120) -> np.ndarray:
    return np.where(np.arange(seconds) >= at, high, 20.0)


def test_pods_come_a_start_up_after_the_rate_shows_the_load() -> None:
    fleet = replay(RULE, jump(60, 200.0), START, initial_replicas=1)
    ready = ready_per_second(fleet.lives, START, 120)
    asked = fleet.replicas[1][0] - START
    assert 60 < asked <= 63
    assert ready[int(asked + 4)] == 1
    assert ready[int(asked + 5)] > 1
    assert fleet.replicas[-1][1] == 7  # 200 over 28 is 7.1: within the tolerance of 7


def test_growth_is_limited_to_doubling_or_four_a_period() -> None:
    fleet = replay(RULE, jump(60, 560.0), START, initial_replicas=1)
    counts = [count for _, count in fleet.replicas]
    assert all(b <= max(2 * a, a + 4) for a, b in itertools.pairwise(counts))
    assert counts[-1] == 20


def test_going_down_waits_for_the_stabilization_window() -> None:
    load = np.where(np.arange(120) < 60, 200.0, 20.0)
    fleet = replay(RULE, load, START, initial_replicas=8)
    assert fleet.replicas_at(START + 69) == 8
    assert fleet.replicas_at(START + 76) == 1


def test_a_longer_start_up_leaves_more_unmet() -> None:
    load = jump(60, 300.0)
    unmet = [
        account(load, START, replay(replace(RULE, startup_seconds=startup), load, START, 1), 40).unmet_share
        for startup in (0.0, 5.0, 20.0)
    ]
    assert unmet == sorted(unmet)
    assert unmet[0] < unmet[2]


@given(st.lists(st.floats(0, 800), min_size=20, max_size=80), st.integers(1, 20))
def test_replicas_stay_within_limits_and_ready_within_replicas(loads: list[float], initial: int) -> None:
    fleet = replay(RULE, np.array(loads), START, initial)
    assert all(1 <= count <= 20 for _, count in fleet.replicas)
    ready = ready_per_second(fleet.lives, START, len(loads))
    asked = np.array([fleet.replicas_at(START + second) for second in range(len(loads))])
    assert (ready <= asked + 1e-9).all()
