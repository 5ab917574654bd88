"""A world in which documents are stored, pods touched, and functions say what they record by."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from presage.core.conditions import merge_conditions, parse_conditions
from presage.core.faults import WriteRefused
from presage.core.ownership import build_marks
from presage.core.recording.document import KEY, Document, parse_document
from presage.core.recording.marks import GENERATION_ANNOTATION, GENERATION_METRIC
from presage.core.resource_type import ResourceType
from presage.core.source_reading import TickSample
from presage.reconcile.kind import Applied, Decision
from presage.reconcile.metricprofile import DEFINITION
from presage.reconcile.metricprofile.inputs import ProfileMemory, ProfilePlan
from presage.reconcile.metricprofile.watching import WATCHED
from presage.reconcile.ports import Json, Owner
from presage.resources.metricprofile import MetricProfile, MetricProfileStatus
from tests.unit.reconcile.fakes import FakePods, FakeScaler, World, make_world, pod, rfc3339

NAME = "presage-shop"
KEY_OF_PROFILE = ("MetricProfile", "team", "shop")
LEVELS = [
    {"profile": "Minimal"},
    {"profile": "Standard", "above": "50"},
    {"profile": "Debug", "above": "200"},
]
FORBIDDEN = WriteRefused("Forbidden", "presage may not: restore the rights.")
(_CONFIG_MAPS,) = (each for each in WATCHED if each.resource.plural == "configmaps")


class Killed(Exception):
    """The operator was killed at this very moment."""


@dataclass
class Journal:
    """What was written, in order; `kill_after` ends the operator right after the first write of that sort."""

    written: list[str] = field(default_factory=list)
    kill_after: str = ""

    def write(self, what: str) -> None:
        self.written.append(what)
        if what == self.kill_after:
            self.kill_after = ""
            raise Killed


@dataclass
class StoredConfigMaps:
    """ConfigMaps as the API server keeps them, and shows them to the watch unless that lags."""

    world: World
    journal: Journal
    bodies: dict[str, dict[str, Any]] = field(default_factory=dict)
    lags: bool = False
    refusal: WriteRefused | None = None
    takes_s: float = 0.0

    async def apply(self, owner: Owner, resource: ResourceType, name: str, body: Json) -> None:
        await asyncio.sleep(self.takes_s)
        if self.refusal is not None:
            raise self.refusal
        written = [{"manager": "presage-metricprofile", "time": rfc3339(self.world.clock.time)}]
        metadata = {"name": name, "namespace": owner.namespace, "managedFields": written}
        self.bodies[name] = {**body, "metadata": {**metadata, **build_marks(owner, owner.namespace)}}
        self.show()
        self.journal.write("document" if body.get("data") else "end")

    async def delete(self, owner: Owner, resource: ResourceType, name: str) -> None:
        raise AssertionError("presage has no right to delete")

    async def delete_all(self, owner: Owner, resource: ResourceType) -> None:
        raise AssertionError("never needed")

    def show(self) -> None:
        if not self.lags:
            self.world.watched.objects["configmaps"] = [_CONFIG_MAPS.trim(each) for each in self.bodies.values()]

    def edit(self, text: str) -> None:
        """Change the document as somebody else does."""
        self.bodies[NAME]["data"][KEY] = text
        self.show()


@dataclass
class TouchedPods(FakePods):
    """Pods that remember in the watched copy that they were touched."""

    world: World | None = None
    journal: Journal = field(default_factory=Journal)

    async def annotate(self, namespace: str, name: str, annotations: Mapping[str, str]) -> None:
        await super().annotate(namespace, name, annotations)
        assert self.world is not None
        mark = annotations[GENERATION_ANNOTATION]
        self.world.watched.objects["pods"] = [
            {**each, "touched": mark} if each["metadata"]["name"] == name else each
            for each in self.world.watched.objects["pods"]
        ]
        self.journal.write("touch")


@dataclass
class JournaledScaler(FakeScaler):
    """Sets the replicas of the Deployment in the watched copy."""

    world: World | None = None
    journal: Journal = field(default_factory=Journal)

    async def scale(self, resource: ResourceType, namespace: str, name: str, expected: int, replicas: int) -> None:
        await super().scale(resource, namespace, name, expected, replicas)
        assert self.world is not None
        (body,) = self.world.watched.objects["deployments"]
        self.world.watched.objects["deployments"] = [{**body, "replicas": replicas}]
        self.journal.write("scale")


class Studio:
    """Plays one profile that records, tick by tick."""

    def __init__(self, load: float = 20.0, *, pods: int = 2, spec: Json | None = None, **event: Any) -> None:
        self.world = make_world(replicas=pods, pods=0, scaling={"maxReplicas": 50, "decisionPeriodSeconds": 15})
        self.journal = Journal()
        self.config_maps = StoredConfigMaps(self.world, self.journal)
        self.world.children = self.config_maps
        self.world.pods = self.pods = TouchedPods(world=self.world, journal=self.journal)
        self.world.scaler = JournaledScaler(world=self.world, journal=self.journal)
        self.memory: ProfileMemory | None = None
        self.decision: Decision[ProfilePlan, ProfileMemory] | None = None
        self.applied: Applied | None = None
        self.said: dict[str, float] = {}
        self.notes: list[tuple[str, str]] = []
        self.status_writes = 0
        body = self.world.objects.bodies[KEY_OF_PROFILE]
        body["spec"]["eventTypes"][0] |= {"levels": LEVELS, **event}
        body["spec"] |= spec or {}
        (deployment,) = self.world.watched.objects["deployments"]
        self.world.watched.objects["deployments"] = [{**deployment, "asks": "shop"}]
        self.add_pods(pods)
        self.load(load)

    def add_pods(self, count: int, *, injected: bool = True, **changes: Any) -> None:
        there = self.world.watched.objects["pods"]
        made = [pod(f"shop-{len(there) + i}", **changes) for i in range(count)]
        self.world.watched.objects["pods"] = [*there, *({**p, "document": NAME if injected else ""} for p in made)]

    def load(self, events_per_second: float) -> None:
        """Let the load be this, and have been for a week."""
        self._load = events_per_second
        self.world.loads.values = np.full(2016, events_per_second, np.float32)

    def set_spec(self, **changes: Any) -> None:
        body = self.world.objects.bodies[KEY_OF_PROFILE]
        self.world.objects.bodies[KEY_OF_PROFILE] = {**body, "spec": {**body["spec"], **changes}}

    def run_by(self, generation: float | None, *names: str) -> None:
        """Let functions say that they record by a generation; all of them if no name is given."""
        for each in names or [p["metadata"]["name"] for p in self.world.watched.objects["pods"]]:
            self.said.pop(each, None)
            if generation is not None:
                self.said[each] = generation

    def follow(self) -> None:
        """Let all functions take over what is stored."""
        self.run_by(self.document.generation)

    @property
    def document(self) -> Document:
        return parse_document(self.config_maps.bodies[NAME]["data"][KEY].encode())

    @property
    def recorded_by(self) -> str:
        return self.document.recording.event_types["order"].profile.name

    @property
    def status(self) -> dict[str, Any]:
        return dict(self.world.objects.bodies[KEY_OF_PROFILE].get("status") or {})

    @property
    def entry(self) -> dict[str, Any]:
        (found,) = self.status["profiles"]
        return dict(found)

    def condition(self, kind: str) -> tuple[str, str]:
        found = {c.type: (c.status, c.reason) for c in parse_conditions(self.status.get("conditions"))}
        return found.get(kind, ("", ""))

    def message(self, kind: str) -> str:
        return next(c.message for c in parse_conditions(self.status["conditions"]) if c.type == kind)

    def told(self, reason: str) -> list[str]:
        return [message for given, message in self.notes if given == reason]

    async def tick(self, times: int = 1, seconds: float = 15.0) -> None:
        for _ in range(times):
            await self._tick()
            self.world.clock.time += seconds

    async def live_through(self, times: int) -> None:
        """Tick on, and start the operator anew whenever it was killed."""
        for _ in range(times):
            try:
                await self.tick()
            except Killed:
                self.restart()

    def restart(self) -> None:
        self.memory = None

    async def _tick(self) -> None:
        now = self.world.clock.time
        names = frozenset(p["metadata"]["name"] for p in self.world.watched.objects["pods"])
        self.world.loads.sample = TickSample(self._load, now, names)
        heard = TickSample(float(len(self.said)), now if self.said else None, frozenset(self.said), values=self.said)
        self.world.loads.by_metric[GENERATION_METRIC] = heard
        profile = MetricProfile.parse(self.world.objects.bodies[KEY_OF_PROFILE])
        ports = self.world.ports()
        self.decision = DEFINITION.decide(await DEFINITION.gather(profile, self.memory, ports))
        self.memory = self.decision.memory
        self.applied = None
        if self.decision.plan is not None:
            self.applied = await DEFINITION.apply(profile, self.decision.plan, ports)
        self._store_status()

    def _store_status(self) -> None:
        assert self.decision is not None
        better = {c.type: c for c in (self.applied.conditions if self.applied else ())}
        judged = [better.get(c.type, c) for c in self.decision.conditions]
        judged.append(DEFINITION.summarize(judged, 3))
        body = self.world.objects.bodies[KEY_OF_PROFILE]
        merged = merge_conditions(
            parse_conditions((body.get("status") or {}).get("conditions")), judged, rfc3339(self.world.clock.time)
        )
        status = {**self.decision.status, "observedGeneration": 3, "conditions": [c.to_json() for c in merged]}
        MetricProfileStatus.model_validate(status)
        self.status_writes += status != body.get("status")
        self.world.objects.bodies[KEY_OF_PROFILE] = {**body, "status": status}
        self.notes += [(n.reason, n.message) for n in self.decision.notes]
        self.notes += [(n.reason, n.message) for n in (self.applied.notes if self.applied else ())]
        self.journal.write("status")
