"""Prometheus goes, answers nothing, or sees half of the pods: no replica is removed, and it heals by itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime

import pytest

from e2e.cluster.progress import part, say
from e2e.faults.scene import Scene
from e2e.faults.wave import LOW, PEAK, PLAN, PLAYED_PEAK_ENDS
from e2e.waiting import eventually

FAULT_BEGINS = 38
FAULT_SECONDS = 60
SAID_WITHIN_SECONDS = 30
HEALED_WITHIN_SECONDS = 20
FALLS_WITHIN_SECONDS = 30

Fault = Callable[[Scene], AbstractContextManager[None]]


@contextmanager
def stopped(scene: Scene) -> Iterator[None]:
    """Prometheus does not run."""
    scene.prometheus.stop()
    yield
    scene.prometheus.start()


@contextmanager
def answering_empty(scene: Scene) -> Iterator[None]:
    """Prometheus answers as if it knew no series."""
    scene.proxy.empty = True
    yield
    assert scene.proxy.emptied > 0, "presage did not ask during the fault"
    scene.proxy.empty = False


@contextmanager
def half_unscraped(scene: Scene) -> Iterator[None]:
    """Prometheus scrapes half of the target's pods only."""
    pods = scene.ready_pods()
    left_out = pods[: len(pods) // 2]
    scene.scrape_all_but(left_out)
    with part(f"{len(left_out)} of {len(pods)} pods", "leaving out", "left out"):
        eventually(
            lambda: scene.prometheus.value('count(up{job="order"})'),
            lambda scraped: scraped == len(pods) - len(left_out),
            10,
            "half of the pods are scraped",
        )
    yield
    scene.scrape_all_but([])


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        pytest.param(answering_empty, "NoMatchingSeries", id="empty"),
        pytest.param(stopped, "SourceUnavailable", id="stopped", marks=pytest.mark.long),
        pytest.param(half_unscraped, "TargetsMissing", id="half", marks=pytest.mark.long),
    ],
)
def test_no_replica_is_removed_while_data_is_missing(scene: Scene, fault: Fault, reason: str) -> None:
    scene.at(FAULT_BEGINS)
    leader, restarts = scene.operators.leader(), scene.operators.restarts()
    assert scene.replicas >= PEAK / PLAN.capacity
    with fault(scene):
        began = time.time() + PLAN.decision_seconds  # a decision that was under way knew nothing of it yet
        with part(f"DataAvailable: {reason}", "waiting", "said"):
            said = scene.wait_for("DataAvailable", "False", reason, within_s=SAID_WITHIN_SECONDS)
        say(f"  {said['message']}")
        assert said["message"]
        scene.wait_until(scene.clock.second(began + FAULT_SECONDS), f"{FAULT_SECONDS} s of the fault")
        still = scene.condition("DataAvailable")
        assert (still["status"], still["reason"]) == ("False", reason)
    with part("fresh data", "waiting", "there"):
        healed = scene.wait_for("DataAvailable", "True", "Fresh", within_s=HEALED_WITHIN_SECONDS)
    healed_at = datetime.fromisoformat(healed["lastTransitionTime"]).timestamp()
    window_ends = healed_at + PLAN.stabilization_seconds - PLAN.decision_seconds
    scene.wait_until(max(PLAYED_PEAK_ENDS, scene.clock.second(window_ends)), "a window of fresh data, then the peak")
    assert scene.drops(began, window_ends) == []
    assert scene.shortages(began, scene.clock.at(PLAYED_PEAK_ENDS)) == []
    with part("fewer replicas", "waiting", "asked for"):
        eventually(
            lambda: scene.replicas,
            lambda n: LOW / PLAN.capacity <= n < PEAK / PLAN.capacity,
            FALLS_WITHIN_SECONDS,
            "replicas are removed again once the load has fallen",
        )
    assert scene.operators.restarts() == restarts
    assert scene.operators.leader() == leader
