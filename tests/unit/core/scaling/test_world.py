"""The closed-loop world: pods that start, pods that leave, load not served; the same as the scorer's own replay."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from presage.core.scaling.world import Decide, Outcome, account, hold, observe, play
from tests.unit.core.scaling.scorer import load_scorer

SCORER = load_scorer()


def follow(plan: list[int]) -> Decide:
    """Return a rule that wants what a plan says, tick by tick."""
    steps = iter(plan)
    return lambda observed, current, ready: next(steps)


def run(plan: list[int], load: list[float] | None = None, startup_s: float = 30, **limits: Any) -> Outcome:
    loads = [0.0] * len(plan) if load is None else load
    return play(loads, 10.0, 15.0, startup_s, follow(plan), **{"initial": 2, **limits})


@pytest.mark.parametrize(
    ("plan", "ready"),
    [
        pytest.param([5, 5, 5, 5], [2, 2, 5, 5], id="ready after the start-up time"),
        pytest.param([1, 1, 1, 1], [1, 1, 1, 1], id="gone at once"),
        pytest.param([5, 3, 3, 3], [2, 2, 3, 3], id="those not yet ready go first"),
        pytest.param([5, 1, 5, 5, 5], [2, 1, 1, 1, 5], id="and ready ones when no other is left"),
        pytest.param([4, 6, 5, 5, 5], [2, 2, 4, 5, 5], id="the youngest of the starting go first"),
        pytest.param([3, 2, 3, 3, 3], [2, 2, 2, 2, 3], id="a start given up is not made up for"),
    ],
)
def test_pods_start_and_leave(plan: list[int], ready: list[int]) -> None:
    outcome = run(plan)
    assert outcome.ready.tolist() == ready
    assert outcome.replicas.tolist() == plan


@pytest.mark.parametrize(
    ("startup_s", "ready"),
    [(0, [5, 5, 5]), (1, [2, 5, 5]), (15, [2, 5, 5]), (16, [2, 2, 5])],
)
def test_a_started_tick_counts_whole(startup_s: float, ready: list[int]) -> None:
    assert run([5, 5, 5], startup_s=startup_s).ready.tolist() == ready


def test_the_rule_is_told_what_is_ready() -> None:
    seen: list[tuple[int, int]] = []
    plan = iter([4, 6, 5, 5, 5])

    def decide(observed: float, current: int, ready: int) -> int:
        seen.append((current, ready))
        return next(plan)

    play([0.0] * 5, 10.0, 15.0, 30.0, decide, initial=2)
    assert seen == [(2, 2), (4, 2), (6, 4), (5, 5), (5, 5)]


def test_accounts() -> None:
    outcome = run([2, 4, 4, 4, 1], [20.0, 30.0, 50.0, 40.0, 40.0])
    assert outcome.unmet.tolist() == [0, 10, 30, 0, 30]
    assert outcome.unmet_share == pytest.approx(70 / 180)
    assert (outcome.under_ticks, outcome.under_minutes) == (3, 0.75)
    assert outcome.replica_hours == 15 * 15 / 3600
    assert outcome.changes == 2


def test_limits_hold_whatever_the_rule_wants() -> None:
    assert run([-5, 0, 7, 99], min_replicas=2, max_replicas=8).replicas.tolist() == [2, 2, 7, 8]


def test_what_is_not_known_is_no_load_and_no_zero() -> None:
    load = np.array([math.nan, 20.0, math.nan, math.nan, 40.0])
    assert hold(load).tolist() == [20, 20, 20, 20, 40]
    assert observe(load, 15.0, None).tolist() == [20, 20, 20, 20, 20]
    outcome = account(load, [1, 1, 1, 1, 1], 10.0, 15.0, 30.0, initial=1)
    assert outcome.unmet.tolist() == [0, 10, 0, 0, 30]
    assert outcome.unmet_share == pytest.approx(40 / 60)


@pytest.mark.parametrize(
    ("tick_s", "seen"),
    [
        pytest.param(15.0, [7, 1, 1.5, 2, 2.5, 3.5], id="four ticks"),
        pytest.param(60.0, [7, 1, 2, 3, 4, 5], id="one tick"),
        pytest.param(300.0, [7, 1, 2, 3, 4, 5], id="a tick longer than a minute"),
    ],
)
def test_a_rule_sees_the_mean_of_the_last_minute(tick_s: float, seen: list[float]) -> None:
    assert observe(np.arange(1.0, 7.0), tick_s, 7.0).tolist() == seen


@pytest.mark.parametrize("load", [[], [0.0, 0.0], [math.nan, math.nan]])
def test_no_load_at_all(load: list[float]) -> None:
    outcome = play(load, 10.0, 15.0, 30.0, lambda observed, current, ready: 1)
    assert (outcome.unmet_share, outcome.under_ticks, outcome.changes) == (0.0, 0, 0)


@pytest.mark.parametrize(("capacity", "tick_s"), [(0.0, 15.0), (-1.0, 15.0), (math.nan, 15.0), (10.0, 0.0)])
def test_wrong_arguments(capacity: float, tick_s: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        play([1.0], capacity, tick_s, 30.0, follow([1]))


def test_the_first_pods_serve_the_first_start_up_time() -> None:
    outcome = play([10.0, 70.0, 10.0, 900.0], 10.0, 15.0, 30.0, lambda observed, current, ready: current)
    assert outcome.replicas[0] == math.ceil(7 * 1.43)


Figures = tuple[float, float, float, int]
Oracle = Callable[[Any, float, int, Decide], Figures]


def play_pod_by_pod(load: Any, capacity: float, startup: int, decide: Decide) -> Figures:
    """Return what comes of a rule by following each pod on its own."""
    pods = [-math.inf] * math.ceil(load[: startup // 15 + 1].max() / capacity * 1.43)  # when each was asked for
    share = under = cost = changes = 0.0
    for i, arriving in enumerate(load):
        ready = sum(15 * i - asked >= startup for asked in pods)
        seen = load[max(0, i - 4) : i]
        wanted = min(60, max(1, decide(float(seen.mean()) if i else float(load[0]), len(pods), ready)))
        changes += wanted != len(pods)
        pods = (pods + [15.0 * i] * wanted)[:wanted] if wanted > len(pods) else pods[:wanted]
        ready = sum(15 * i - asked >= startup for asked in pods)
        share += max(0.0, arriving - capacity * ready)
        under += arriving > capacity * ready
        cost += len(pods)
    return share / load.sum(), under / len(load), cost * 15 / 3600, int(changes)


def replay_by_scorer(load: Any, capacity: float, startup: int, decide: Decide) -> Figures:
    """Return what comes of a rule by the scorer's own replay."""

    def want(i: int, observed: float, current: int, ready: float) -> int:
        return decide(observed, current, int(ready))

    assert SCORER is not None
    figures: Figures = SCORER.run(load, capacity, want, startup, hi=60, stab=0, up_limit=False)
    return figures


ORACLES = {"pod by pod": play_pod_by_pod} | ({"the scorer": replay_by_scorer} if SCORER else {})


def make_load(seed: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    draw = np.random.default_rng(seed)
    wave = 100 + 80 * np.sin(np.arange(3_000) * math.tau / 800) + draw.normal(0, 25, 3_000)
    wave[draw.integers(0, 3_000, 20)] *= 4
    return np.maximum(wave, 0.0)


def reckless(seed: int) -> Callable[[float, int, int], int]:
    """Return a rule that also looks at what is ready, and changes its mind often."""
    draw = np.random.default_rng(seed)

    def decide(observed: float, current: int, ready: int) -> int:
        return math.ceil(observed / 9 + (current - ready) / 3 + draw.integers(-3, 4))

    return decide


@pytest.mark.parametrize("oracle", ORACLES.values(), ids=ORACLES.keys())
@pytest.mark.parametrize("startup_s", [15, 60, 180, 600])
@pytest.mark.parametrize("seed", range(3))
def test_the_world_is_that_of_the_scorer(oracle: Oracle, startup_s: int, seed: int) -> None:
    """Figures are equal, so that those of the command and of the benchmark can be compared."""
    load = make_load(seed)
    share, under, hours, changes = oracle(load, 10.0, startup_s, reckless(seed))
    outcome = play(load, 10.0, 15.0, startup_s, reckless(seed), max_replicas=60)
    assert (outcome.unmet_share, outcome.under_ticks / len(load)) == (share, under)
    assert (outcome.replica_hours, outcome.changes) == (hours, changes)
