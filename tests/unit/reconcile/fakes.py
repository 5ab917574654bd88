"""Fake ports for reconcile tests: plain data in, what was written out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from presage.core.faults import SourceFault, WriteRefused
from presage.core.forecast.api import Forecast, Series, State, advance, forecast_one
from presage.core.query import Load, Selection
from presage.core.recording.injection import Mechanism
from presage.core.recording.retention.canary import Canary, Look
from presage.core.recording.retention.tiers import Retention, Tier
from presage.core.resource_type import ResourceType
from presage.core.scaling.gate import ReplayJob
from presage.core.scaling.objective import ReplayedDay
from presage.core.source_reading import History, LabelValues, Source, TickSample
from presage.reconcile.metricprofile.watching import WATCHED
from presage.reconcile.ports import Children, Json, Owner, Ports

NOW = 1_700_000_000.0
PODS = frozenset({"shop-0", "shop-1"})


def rfc3339(epoch: float) -> str:
    """Return the time as Kubernetes writes it."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class FakeClock:
    """Stands still until moved."""

    time: float = NOW

    def now(self) -> float:
        return self.time


@dataclass
class FakeObjects:
    """presage's own objects."""

    bodies: dict[tuple[str, str, str], Json] = field(default_factory=dict)

    def get(self, kind: str, namespace: str, name: str) -> Json | None:
        return self.bodies.get((kind, namespace, name))

    def list(self, kind: str, namespace: str | None = None) -> Sequence[Json]:
        return [b for (k, n, _), b in self.bodies.items() if k == kind and namespace in (None, n)]


@dataclass
class FakeWatched:
    """Trimmed objects by plural; pods are found as the kind's own index puts them."""

    objects: dict[str, list[Json]] = field(default_factory=dict)

    def get(self, resource: ResourceType, namespace: str, name: str) -> Json | None:
        found = (o for o in self.list(resource, namespace) if o["metadata"]["name"] == name)
        return next(found, None)

    def list(self, resource: ResourceType, namespace: str) -> Sequence[Json]:
        return [o for o in self.objects.get(resource.plural, []) if o["metadata"]["namespace"] == namespace]

    def find(self, resource: ResourceType, value: str) -> Sequence[Json]:
        index = next(w.index for w in WATCHED if w.resource == resource and w.index is not None)
        return [o for o in self.objects.get(resource.plural, []) if value in index(o)]


@dataclass
class FakeLoads:
    """A source with a set answer and history; `fault` makes every request fail, `history_fault` those for history.

    `label_values` are the loads of a label's values.
    Those for a metric that hangs get no answer. What stands under a metric's name, or under a load, is the answer or
    the fault, or the history, for that one.
    """

    sample: TickSample = field(default_factory=lambda: TickSample(100.0, NOW, PODS))
    values: NDArray[np.float32] = field(default_factory=lambda: np.full(2016, 100, np.float32))
    by_metric: dict[str, TickSample] = field(default_factory=dict)
    by_load: dict[Load, NDArray[np.float32]] = field(default_factory=dict)
    samples_by_load: dict[Load, TickSample] = field(default_factory=dict)
    faults_by_metric: dict[str, SourceFault] = field(default_factory=dict)
    fault: SourceFault | None = None
    history_fault: SourceFault | None = None
    asked: list[Selection] = field(default_factory=list)
    label_values: dict[str, float] = field(default_factory=dict)
    values_asked: int = 0
    values_fault: SourceFault | None = None
    hanging: set[str] = field(default_factory=set)

    async def probe(self, source: Source) -> str:
        self._fail()
        return "3.8.1"

    async def observe(self, source: Source, askers: Sequence[Selection], max_age_s: float) -> list[TickSample]:
        self._fail(askers)
        if any(asker.load.metric in self.hanging for asker in askers):
            await asyncio.sleep(60)
        self.asked += askers
        by_load, by_metric = self.samples_by_load, self.by_metric
        return [by_load.get(a.load) or by_metric.get(a.load.metric) or self.sample for a in askers]

    async def history(
        self, source: Source, askers: Sequence[Selection], step_s: int, history_s: float, now: float
    ) -> list[History]:
        self._fail(askers)
        if self.history_fault is not None:
            raise self.history_fault
        self.asked += askers
        found = [self.by_load.get(asker.load, self.values) for asker in askers]
        return [History(values, (now // step_s - len(values)) * step_s) for values in found]

    async def find_values(self, source: Source, asker: Selection, label: str, most: int) -> LabelValues:
        self._fail([asker])
        self.values_asked += 1
        if self.values_fault is not None:
            raise self.values_fault
        return LabelValues(self.label_values)

    def _fail(self, askers: Sequence[Selection] = ()) -> None:
        faults = (self.faults_by_metric.get(asker.load.metric) for asker in askers)
        fault = self.fault or next((each for each in faults if each is not None), None)
        if fault is not None:
            raise fault


@dataclass
class PlayedFit:
    """A full fit that is done when the test says so."""

    series: Series
    horizon: int
    quantiles: tuple[float, ...]
    state: State | None
    ended: bool = False
    forecast: Forecast | None = None

    def done(self) -> bool:
        return self.ended

    def result(self) -> Forecast | None:
        return self.forecast

    def succeed(self) -> Forecast:
        self.ended = True
        self.forecast = forecast_one(self.series, self.horizon, self.quantiles, effort="full", state=self.state)
        return self.forecast

    def fail(self) -> None:
        self.ended = True


@dataclass
class PlayedReplay:
    """A replay that is done when the test says so."""

    job: ReplayJob
    ended: bool = False
    days: tuple[ReplayedDay, ...] | None = None

    def done(self) -> bool:
        return self.ended

    def result(self) -> tuple[ReplayedDay, ...] | None:
        return self.days

    def succeed(self) -> None:
        self.ended, self.days = True, self.job.run()

    def fail(self) -> None:
        self.ended = True


@dataclass
class DirectForecaster:
    """The real forecaster: the batch tier is called in place, full fits are played; `shift_at` is what a fit finds."""

    fits: list[PlayedFit] = field(default_factory=list)
    replays: list[PlayedReplay] = field(default_factory=list)
    forecasts: int = 0
    shift_at: float | None = None

    async def forecast(
        self, series: Series, horizon: int, quantiles: tuple[float, ...], state: State | None
    ) -> Forecast:
        self.forecasts += 1
        found = forecast_one(series, horizon, quantiles, effort="batch", state=state)
        return found if self.shift_at is None else replace(found, shift_at=self.shift_at)

    async def advance(
        self, state: State, new_values: NDArray[np.float64], horizon: int, quantiles: tuple[float, ...]
    ) -> Forecast:
        return advance([state], [new_values], horizon, quantiles)[0]

    def fit(self, series: Series, horizon: int, quantiles: tuple[float, ...], state: State | None) -> PlayedFit:
        self.fits.append(PlayedFit(series, horizon, quantiles, state))
        return self.fits[-1]

    def replay(self, job: ReplayJob) -> PlayedReplay:
        self.replays.append(PlayedReplay(job))
        return self.replays[-1]


@dataclass
class FakeScaler:
    """Remembers what was written, or refuses."""

    refusal: WriteRefused | None = None
    written: list[tuple[str, int]] = field(default_factory=list)

    async def scale(self, resource: ResourceType, namespace: str, name: str, expected: int, replicas: int) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.written.append((name, replicas))


class NoChildren:
    """A MetricProfile without recording makes no objects."""

    async def apply(self, owner: Owner, resource: ResourceType, name: str, body: Json) -> None:
        raise AssertionError(f"{owner.kind} {owner.name} makes {resource.kind} {name}")

    async def delete(self, owner: Owner, resource: ResourceType, name: str) -> None:
        raise AssertionError(f"{owner.kind} {owner.name} deletes {resource.kind} {name}")

    async def delete_all(self, owner: Owner, resource: ResourceType) -> None:
        raise AssertionError(f"{owner.kind} {owner.name} deletes every {resource.kind}")


@dataclass
class FakePods:
    """Remembers what was done to pods, or refuses."""

    refusal: WriteRefused | None = None
    annotated: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    evicted: list[str] = field(default_factory=list)

    async def annotate(self, namespace: str, name: str, annotations: Mapping[str, str]) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.annotated.append((name, dict(annotations)))

    async def evict(self, namespace: str, name: str, uid: str) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.evicted.append(name)


@dataclass
class FakeInjection:
    """By what pods are given their reference."""

    by: Mechanism = "Policy"

    def mechanism(self) -> Mechanism:
        return self.by


@dataclass
class FakeCanaries:
    """What is found of each tier, and what was written."""

    looks: dict[str, Look] = field(default_factory=dict)
    refusal: SourceFault | None = None
    written: list[tuple[str, float]] = field(default_factory=list)

    async def look(self, source: Source, retention: Retention, known: Mapping[str, Canary]) -> dict[str, Look]:
        return {tier.name: self.looks.get(tier.name, Look()) for tier in retention.tiers}

    async def write(self, source: Source, tier: Tier, at: float) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.written.append((tier.name, at))


@dataclass
class World:
    """All fakes together: one MetricSource, one MetricProfile, its Deployment and pods."""

    clock: FakeClock = field(default_factory=FakeClock)
    objects: FakeObjects = field(default_factory=FakeObjects)
    watched: FakeWatched = field(default_factory=FakeWatched)
    loads: FakeLoads = field(default_factory=FakeLoads)
    forecaster: DirectForecaster = field(default_factory=DirectForecaster)
    scaler: FakeScaler = field(default_factory=FakeScaler)
    children: Children = field(default_factory=NoChildren)
    pods: FakePods = field(default_factory=FakePods)
    injection: FakeInjection = field(default_factory=FakeInjection)
    canaries: FakeCanaries = field(default_factory=FakeCanaries)

    def ports(self) -> Ports:
        return Ports(
            self.clock,
            self.objects,
            self.watched,
            self.loads,
            self.forecaster,
            self.scaler,
            self.children,
            self.pods,
            self.injection,
            self.canaries,
        )


def pod(name: str, *, created: float = NOW - 500, ready_after: float | None = 4.0) -> Json:
    """Return a trimmed pod of Deployment `shop`."""
    return {
        "metadata": {"namespace": "team", "name": name},
        "uid": name,
        "ip": "",
        "deployment": "shop",
        "created": rfc3339(created),
        "ready_at": "" if ready_after is None else rfc3339(created + ready_after),
        "again": False,
        "leaving": False,
        "document": "",
        "touched": "",
    }


def make_world(*, replicas: int = 2, pods: int = 2, scaling: Json | None = None, forecast: Json | None = None) -> World:
    """Return a world in which MetricProfile team/shop can act: 50 per pod, 1..20 replicas."""
    world = World()
    world.objects.bodies[("MetricSource", "", "main")] = {
        "metadata": {"name": "main", "generation": 1, "uid": "s"},
        "spec": {"url": "http://prometheus:9090"},
    }
    world.objects.bodies[("MetricProfile", "team", "shop")] = {
        "metadata": {"name": "shop", "namespace": "team", "generation": 3, "uid": "p"},
        "spec": {
            "target": {"name": "shop"},
            "sourceRef": {"name": "main"},
            "eventTypes": [{"name": "order", "load": {"counter": {"metric": "http_requests_total"}}}],
            "forecast": {"historySeconds": 604800, "seasonsSeconds": [86400], "quantile": "0.9", **(forecast or {})},
            "scaling": {"perPod": "50", "minReplicas": 1, "maxReplicas": 20, "headroomPercent": 10, **(scaling or {})},
        },
    }
    world.watched.objects["deployments"] = [
        {"metadata": {"namespace": "team", "name": "shop"}, "replicas": replicas, "cores": {}, "asks": ""},
    ]
    world.watched.objects["pods"] = [pod(f"shop-{i}") for i in range(pods)]
    return world
