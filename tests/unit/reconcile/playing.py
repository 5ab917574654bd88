"""A MetricProfile's life in a fake world: decide, write, store status, and on to the next decision."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from presage.core.conditions import merge_conditions, parse_conditions
from presage.core.faults import SourceFault
from presage.core.source_reading import TickSample
from presage.reconcile.kind import Decision
from presage.reconcile.metricprofile.inputs import ProfileMemory, ProfilePlan
from tests.unit.reconcile.fakes import World, make_world, pod, rfc3339
from tests.unit.reconcile.looking import conditions, look

PERIOD = 15.0
ELSEWHERE = frozenset({"10.9.0.1"})
KEY = ("MetricProfile", "team", "shop")


@dataclass
class Player:
    """Plays one profile on.

    Attributes:
        world: The fakes.
        load: What the source says now; None = no series.
        own: The series come from the target's own pods, all of them; else from an ingress.
        ready: Pods become Ready, and are Ready for long.
        storing: Whether status reaches the API server.
        notes: (reason, message) of all events so far.
        seen: Replicas after each decision.
    """

    world: World
    load: float | None = 0.0
    own: bool = False
    ready: bool = True
    storing: bool = True
    memory: ProfileMemory | None = None
    decision: Decision[ProfilePlan, ProfileMemory] | None = None
    notes: list[tuple[str, str]] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)

    @property
    def replicas(self) -> int:
        return int(self.world.watched.objects["deployments"][0]["replicas"])

    @property
    def scaling(self) -> dict[str, Any]:
        assert self.decision is not None
        found: dict[str, Any] = self.decision.status["scaling"]  # type: ignore[assignment]  # status is plain JSON
        return found

    def by_hand(self, replicas: int) -> None:
        """Set the target as a person does, and give it that many settled pods."""
        body = self.world.watched.objects["deployments"][0]
        self.world.watched.objects["deployments"] = [{**body, "replicas": replicas}]
        self.world.watched.objects["pods"] = [pod(f"shop-{i}") for i in range(replicas)] if self.ready else []

    def restart(self) -> None:
        """Forget all that is not in the API server."""
        self.memory = None

    def stop_source(self) -> None:
        self.world.loads.fault = SourceFault("Unreachable", "MetricSource main: no connection.")

    def pause(self, *, paused: bool = True) -> None:
        self.world.objects.bodies[KEY]["spec"]["paused"] = paused

    async def decide(self, times: int = 1) -> int:
        """Decide so often, and follow each decision; return the replicas then."""
        for _ in range(times):
            now = self.world.clock.time
            self.world.loads.sample = self._sample(now)
            self.decision = await look(self.world, self.memory)
            self.memory = self.decision.memory
            self.notes += [(note.reason, note.message) for note in self.decision.notes]
            if self.decision.plan is not None:
                assert self.decision.plan.current == self.replicas
                self.by_hand(self.decision.plan.replicas)
            if self.storing:
                self._store()
            self.seen.append(self.replicas)
            self.world.clock.time += PERIOD
        return self.replicas

    def told(self, reason: str) -> list[str]:
        return [message for given, message in self.notes if given == reason]

    def condition(self, kind: str) -> tuple[str, str, str]:
        assert self.decision is not None
        found = conditions(self.decision)[kind]
        return found.status, found.reason, found.message

    def _sample(self, now: float) -> TickSample:
        if self.load is None:
            return TickSample(None, None, frozenset())
        pods = frozenset(each["metadata"]["name"] for each in self.world.watched.objects["pods"])
        return TickSample(self.load, now, pods if self.own else ELSEWHERE)

    def _store(self) -> None:
        assert self.decision is not None
        body = self.world.objects.bodies[KEY]
        old = parse_conditions((body.get("status") or {}).get("conditions"))
        merged = merge_conditions(old, self.decision.conditions, rfc3339(self.world.clock.time))
        status = {**self.decision.status, "observedGeneration": 3, "conditions": [c.to_json() for c in merged]}
        self.world.objects.bodies[KEY] = {**body, "status": status}


def idle(*, replicas: int = 2, **scaling: Any) -> Player:
    """Return a player whose load, measured elsewhere, has been 0 for a week; it may go to zero."""
    settings = {"minReplicas": 0, "allowZero": True, "stabilizationWindowSeconds": 60, "maxDownPercent": 100}
    world = make_world(replicas=replicas, pods=replicas, scaling={**settings, **scaling})
    world.loads.values = np.zeros(2016, np.float32)
    return Player(world)


def steady(load: float, *, replicas: int, **scaling: Any) -> Player:
    """Return a player whose load, measured at its pods, has been the same for a week."""
    world = make_world(replicas=replicas, pods=replicas, scaling={"stabilizationWindowSeconds": 60, **scaling})
    world.loads.values = np.full(2016, load, np.float32)
    return Player(world, load, own=True)
