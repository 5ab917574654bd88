"""What the API server said of pods, replicas and decisions, as times (pure; fed by watches).

Times are those at which an event came, in Unix seconds: the API's own stamps know whole seconds only. Events may
repeat. A pod serves while it is Ready and not told to go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import Any

from e2e.demo.accounting import Fleet, PodLife
from e2e.demo.record import Decision
from e2e.demo.recording import Chosen
from presage.core.recording.document import KEY, parse_document


@dataclass
class _Pod:
    created_at: float
    first_ready_at: float | None = None
    ready_since: float | None = None
    restarts: int = 0
    lives: list[PodLife] = field(default_factory=list)


class PodLog:
    """Lives of the pods seen in a watch."""

    def __init__(self) -> None:
        self._pods: dict[str, _Pod] = {}

    def receive(self, when: float, event: Mapping[str, Any]) -> None:
        """Take one watch event of a pod that came at ``when``."""
        pod = event.get("object", {})
        if event.get("type") not in ("ADDED", "MODIFIED", "DELETED") or pod.get("kind") != "Pod":
            return
        uid = pod["metadata"]["uid"]
        known = self._pods.setdefault(uid, _Pod(_created_at(when, pod)))
        known.restarts = max(known.restarts, count_restarts(pod))
        serves = event["type"] != "DELETED" and "deletionTimestamp" not in pod["metadata"] and _is_ready(pod)
        if serves and known.ready_since is None:
            known.ready_since = when
            if known.first_ready_at is None:
                known.first_ready_at = when
        elif not serves and known.ready_since is not None:
            known.lives.append(PodLife(known.ready_since, when))
            known.ready_since = None

    @property
    def ready_count(self) -> int:
        """Pods that serve now."""
        return sum(pod.ready_since is not None for pod in self._pods.values())

    @property
    def restarts(self) -> int:
        """Restarts of containers, of all pods ever seen."""
        return sum(pod.restarts for pod in self._pods.values())

    def lives(self) -> tuple[PodLife, ...]:
        """Return every stretch of time in which a pod served; those not over have no end."""
        found = [life for pod in self._pods.values() for life in pod.lives]
        found += [PodLife(pod.ready_since) for pod in self._pods.values() if pod.ready_since is not None]
        return tuple(sorted(found, key=lambda life: life.ready_at))

    def startup_seconds(self, since: float) -> list[float]:
        """Return created to Ready of each pod created at or after ``since``, in order of creation."""
        pods = sorted(self._pods.values(), key=lambda pod: pod.created_at)
        return [
            pod.first_ready_at - pod.created_at
            for pod in pods
            if pod.first_ready_at is not None and pod.created_at >= since
        ]


class ReplicaLog:
    """Replicas asked for, from a watch on one Deployment."""

    def __init__(self) -> None:
        self._steps: list[tuple[float, int]] = []

    def receive(self, when: float, event: Mapping[str, Any]) -> None:
        """Take one watch event of the Deployment that came at ``when``."""
        count = event.get("object", {}).get("spec", {}).get("replicas")
        if count is not None and (not self._steps or self._steps[-1][1] != count):
            self._steps.append((when, int(count)))

    @property
    def current(self) -> int | None:
        """Replicas asked for now; None before the first event."""
        return self._steps[-1][1] if self._steps else None

    def steps(self) -> tuple[tuple[float, int], ...]:
        """Return every (time, replicas) at which the number changed."""
        return tuple(self._steps)


class DecisionLog:
    """What presage wanted and why, from a watch on one MetricProfile."""

    def __init__(self) -> None:
        self._decisions: list[Decision] = []

    def receive(self, when: float, event: Mapping[str, Any]) -> None:
        """Take one watch event of the profile that came at ``when``."""
        scaling = event.get("object", {}).get("status", {}).get("scaling", {})
        wanted, why = scaling.get("desiredReplicas"), scaling.get("explain")
        if wanted is None or why is None:
            return
        if not self._decisions or self._decisions[-1].replicas != wanted:
            self._decisions.append(Decision(when, int(wanted), str(why)))

    def decisions(self) -> tuple[Decision, ...]:
        """Return every decision for another number than before."""
        return tuple(self._decisions)


class DocumentLog:
    """What presage stored for functions to record by, from a watch on its ConfigMap."""

    def __init__(self, event_type: str) -> None:
        """Args: event_type: whose profile is followed."""
        self._event_type = event_type
        self._chosen: list[Chosen] = []

    def receive(self, when: float, event: Mapping[str, Any]) -> None:
        """Take one watch event of the ConfigMap that came at ``when``."""
        text = (event.get("object", {}).get("data") or {}).get(KEY)
        if event.get("type") not in ("ADDED", "MODIFIED") or text is None:
            return
        document = parse_document(text.encode())
        events = document.recording.event_types
        profile = events[self._event_type].profile if self._event_type in events else document.recording.default
        if not self._chosen or self._chosen[-1].generation != document.generation:
            self._chosen.append(Chosen(when, document.generation, profile.name))

    def chosen(self) -> tuple[Chosen, ...]:
        """Return every document, in order."""
        return tuple(self._chosen)


def build_fleet(pods: PodLog, replicas: ReplicaLog) -> Fleet:
    """Return what both logs saw as one fleet."""
    return Fleet(replicas.steps(), pods.lives())


def median_startup(pods: PodLog, since: float) -> float | None:
    """Return the median of created to Ready over the pods created since then, or over all where those are under 3."""
    recent = pods.startup_seconds(since)
    known = recent if len(recent) >= 3 else pods.startup_seconds(0.0)
    return median(known) if known else None


def count_restarts(pod: Mapping[str, Any]) -> int:
    """Return how often containers of a pod were restarted."""
    return sum(int(each["restartCount"]) for each in pod.get("status", {}).get("containerStatuses") or [])


def _is_ready(pod: Mapping[str, Any]) -> bool:
    conditions = pod.get("status", {}).get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _created_at(when: float, pod: Mapping[str, Any]) -> float:
    """Return when the pod was created: when its first event came, unless it is plainly older than that."""
    stamp = datetime.fromisoformat(pod["metadata"]["creationTimestamp"]).timestamp()
    return when if stamp <= when < stamp + 1.5 else min(stamp + 0.5, when)
