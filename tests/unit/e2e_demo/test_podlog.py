from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from e2e.demo.accounting import PodLife
from e2e.demo.podlog import DecisionLog, PodLog, ReplicaLog, build_fleet, median_startup
from e2e.demo.record import Decision

T0 = 1_800_000_000.0


def event(kind: str, uid: str, created: float, *, ready: bool = False, deleting: bool = False) -> dict[str, Any]:
    stamp = datetime.fromtimestamp(int(created), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    metadata: dict[str, Any] = {"uid": uid, "creationTimestamp": stamp}
    if deleting:
        metadata["deletionTimestamp"] = stamp
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    return {"type": kind, "object": {"kind": "Pod", "metadata": metadata, "status": {"conditions": conditions}}}


def test_a_pod_serves_from_ready_to_deletion() -> None:
    log = PodLog()
    log.receive(T0 + 0.3, event("ADDED", "a", T0))
    log.receive(T0 + 4.0, event("MODIFIED", "a", T0, ready=True))
    log.receive(T0 + 5.0, event("MODIFIED", "a", T0, ready=True))
    assert log.ready_count == 1
    log.receive(T0 + 60.0, event("MODIFIED", "a", T0, ready=True, deleting=True))
    log.receive(T0 + 65.0, event("DELETED", "a", T0, deleting=True))
    assert log.lives() == (PodLife(T0 + 4.0, T0 + 60.0),)
    assert log.startup_seconds(T0) == pytest.approx([3.7])
    assert log.ready_count == 0


def test_restarts_are_counted_though_the_pod_is_gone() -> None:
    log = PodLog()
    for kind, count in (("ADDED", 0), ("MODIFIED", 2), ("MODIFIED", 2)):
        seen = event(kind, "a", T0, ready=True)
        seen["object"]["status"]["containerStatuses"] = [{"restartCount": count}]
        log.receive(T0, seen)
    log.receive(T0, event("DELETED", "a", T0))
    assert log.restarts == 2


def test_losing_readiness_ends_a_life_and_a_later_one_begins() -> None:
    log = PodLog()
    log.receive(T0, event("ADDED", "a", T0))
    for when, ready in ((2.0, True), (10.0, False), (12.0, True)):
        log.receive(T0 + when, event("MODIFIED", "a", T0, ready=ready))
    assert log.lives() == (PodLife(T0 + 2, T0 + 10), PodLife(T0 + 12))
    assert log.startup_seconds(T0) == [2.0]


def test_a_watch_that_lists_again_changes_nothing() -> None:
    log = PodLog()
    log.receive(T0, event("ADDED", "a", T0))
    log.receive(T0 + 2, event("MODIFIED", "a", T0, ready=True))
    log.receive(T0 + 30, event("ADDED", "a", T0, ready=True))
    assert log.lives() == (PodLife(T0 + 2),)
    assert log.startup_seconds(T0) == [2.0]


def test_a_pod_older_than_the_watch_keeps_its_own_stamp() -> None:
    log = PodLog()
    log.receive(T0 + 100, event("ADDED", "a", T0, ready=True))
    assert log.startup_seconds(T0) == pytest.approx([99.5])


def test_other_events_are_passed_over() -> None:
    log = PodLog()
    log.receive(T0, {"type": "BOOKMARK", "object": {"kind": "Pod", "metadata": {}}})
    log.receive(T0, {"type": "ERROR", "object": {"kind": "Status"}})
    assert log.lives() == ()


def test_start_up_is_the_median_of_the_recent_pods() -> None:
    log = PodLog()
    for index, (created, took) in enumerate([(0, 9.0), (100, 3.0), (101, 4.0), (102, 8.0)]):
        log.receive(T0 + created, event("ADDED", str(index), T0 + created))
        log.receive(T0 + created + took, event("MODIFIED", str(index), T0 + created, ready=True))
    assert median_startup(log, T0 + 50) == 4.0
    assert median_startup(log, T0 + 101) == 6.0  # two are too few: all count
    assert median_startup(PodLog(), T0) is None


def test_replicas_are_kept_as_steps() -> None:
    log = ReplicaLog()
    assert log.current is None
    for when, count in ((0.0, 3), (1.0, 3), (2.0, 5)):
        log.receive(T0 + when, {"type": "MODIFIED", "object": {"spec": {"replicas": count}}})
    log.receive(T0 + 3, {"type": "ERROR", "object": {"kind": "Status"}})
    assert log.current == 5
    assert build_fleet(PodLog(), log).replicas == ((T0, 3), (T0 + 2, 5))


def test_a_decision_is_kept_with_the_line_that_came_with_it() -> None:
    log = DecisionLog()
    log.receive(T0, {"type": "ADDED", "object": {"kind": "MetricProfile"}})
    for seconds, wanted, why in (
        (1.0, 2, "2 replicas"),
        (2.0, 2, "2 replicas still"),
        (3.0, 4, "4 replicas (Forecast)"),
    ):
        status = {"scaling": {"desiredReplicas": wanted, "explain": why}}
        log.receive(T0 + seconds, {"type": "MODIFIED", "object": {"kind": "MetricProfile", "status": status}})
    assert log.decisions() == (Decision(T0 + 1, 2, "2 replicas"), Decision(T0 + 3, 4, "4 replicas (Forecast)"))
