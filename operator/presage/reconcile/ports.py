"""Ports: what the reconcilers ask of the outside. Adapters and the runtime answer them; tests give fakes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from presage.core.ownership import Owner
from presage.core.query import Selection
from presage.core.recording.injection import Mechanism
from presage.core.recording.retention.canary import Canary, Look
from presage.core.recording.retention.tiers import Retention, Tier
from presage.core.recording.types import RecordingProfile
from presage.core.resource_type import ResourceType
from presage.core.scaling import foresight
from presage.core.scaling.foresight import FullFit
from presage.core.scaling.gate import AskedReplay, ReplayJob
from presage.core.source_reading import History, LabelValues, Source, TickSample

__all__ = [
    "AskedReplay",
    "Canaries",
    "Children",
    "Clock",
    "Forecaster",
    "FullFit",
    "History",
    "Injection",
    "Json",
    "LabelValues",
    "Loads",
    "Objects",
    "Owner",
    "Pods",
    "Ports",
    "ReplayJob",
    "Scaler",
    "Source",
    "TickSample",
    "Watched",
]

Json = Mapping[str, Any]


class Clock(Protocol):
    """Time, so that tests can set it."""

    def now(self) -> float:
        """Return epoch seconds."""


class Objects(Protocol):
    """presage's own objects, as last seen."""

    def get(self, kind: str, namespace: str, name: str) -> Json | None:
        """Return the object, or None if there is none."""

    def list(self, kind: str, namespace: str | None = None) -> Sequence[Json]:
        """Return the objects of a kind, in one namespace or in all."""


class Watched(Protocol):
    """Objects of other types, trimmed, as last seen by a watch."""

    def get(self, resource: ResourceType, namespace: str, name: str) -> Json | None:
        """Return the object, or None if there is none."""

    def list(self, resource: ResourceType, namespace: str) -> Sequence[Json]:
        """Return the objects of a namespace."""

    def find(self, resource: ResourceType, value: str) -> Sequence[Json]:
        """Return the objects that the watch's index puts under `value`; costs only what it finds."""


class Loads(Protocol):
    """Metrics sources."""

    async def probe(self, source: Source) -> str:
        """Return the server's version, empty if it does not tell.

        Raises:
            SourceFault: If it cannot be used.
        """

    async def observe(self, source: Source, askers: Sequence[Selection], max_age_s: float) -> Sequence[TickSample]:
        """Return each asker's load now, its newest sample's time, and its targets with a sample of `max_age_s` at most.

        Raises:
            SourceFault: If there is no usable answer for one of them.
        """

    async def history(
        self, source: Source, askers: Sequence[Selection], step_s: int, history_s: float, now: float
    ) -> Sequence[History]:
        """Return each asker's complete slots up to `now`; only new ones are fetched, and the newest few held again.

        Raises:
            SourceFault: If there is no usable answer for one of them.
        """

    async def find_values(self, source: Source, asker: Selection, label: str, most: int) -> LabelValues:
        """Return the values of a label in the series that an asker may see: `most` of them, those with the most load.

        Raises:
            SourceFault: If there is no usable answer.
        """


class Canaries(Protocol):
    """Samples that prove retention tiers, on the servers of a source."""

    async def look(self, source: Source, retention: Retention, known: Mapping[str, Canary]) -> Mapping[str, Look]:
        """Return what is found of each tier's canary, by the tier's name; a server that fails is part of it."""

    async def write(self, source: Source, tier: Tier, at: float) -> None:
        """Write a canary with a time in the past to a tier's server.

        Raises:
            SourceFault: If the server does not take it.
        """


class Forecaster(foresight.Forecaster, Protocol):
    """Runs the pure forecaster where it cannot hold up the event loop."""

    def replay(self, job: ReplayJob) -> AskedReplay:
        """Ask for a replay of past days; it comes when it comes, or not at all."""


class Scaler(Protocol):
    """The one place where replicas are written."""

    async def scale(self, resource: ResourceType, namespace: str, name: str, expected: int, replicas: int) -> None:
        """Set the replicas of a target through its `scale` subresource, if it still has `expected` of them.

        Raises:
            WriteRefused: If the API server does not take it.
        """


class Children(Protocol):
    """Objects that presage makes for an owner, in the owner's namespace or without one.

    Every method raises `WriteRefused` if the API server does not take the write, or if an object of that name was not
    made for this owner.
    """

    async def apply(self, owner: Owner, resource: ResourceType, name: str, body: Json) -> None:
        """Create a child, or set the fields in `body`; those set before and left out now are taken back."""

    async def delete(self, owner: Owner, resource: ResourceType, name: str) -> None:
        """Delete a child and what hangs on it; one that is gone is no error."""

    async def delete_all(self, owner: Owner, resource: ResourceType) -> None:
        """Delete every child of a type; asks the API server which there are, since a watched copy may lag."""


class Injection(Protocol):
    """Whether new pods that ask for it are given the reference to their document."""

    def mechanism(self) -> Mechanism:
        """Return by what, as last proven; costs nothing."""


class Pods(Protocol):
    """What is done to pods. Every method raises `WriteRefused` if it is not taken; a pod that is gone is no error."""

    async def annotate(self, namespace: str, name: str, annotations: Mapping[str, str]) -> None:
        """Set annotations of a pod."""

    async def evict(self, namespace: str, name: str, uid: str) -> None:
        """Ask for the end of the pod of that name and uid; a PodDisruptionBudget may refuse it."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything a reconciler may touch."""

    clock: Clock
    objects: Objects
    watched: Watched
    loads: Loads
    forecaster: Forecaster
    scaler: Scaler
    children: Children
    pods: Pods
    injection: Injection
    canaries: Canaries
    profiles: tuple[RecordingProfile, ...] = ()
    """Of what functions record, for every MetricProfile: the installation's."""
