"""MetricProfile: one function or service, its load, how that is forecast and what is scaled ahead of it."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from presage.core.calendar.spec import CalendarSpec
from presage.core.profile import EventType, Measure, ProfileSpec
from presage.core.recording.spec import Budget, RecordingSpec
from presage.core.units import parse_quantity
from presage.resources.accountstatus import AccountsStatus
from presage.resources.base import Model, PrinterColumn, Resource, ResourceMeta, Rule, Status, defaulted
from presage.resources.calendarspec import CalendarSettings
from presage.resources.eventtypes import EventTypesFrom, EventTypeSpec, FoundEventTypeStatus
from presage.resources.fields import (
    LocalReference,
    ObjectName,
)
from presage.resources.forecastspec import ForecastSettings, ForecastStatus
from presage.resources.recordingspec import (
    MAX_PROFILES,
    BudgetSettings,
    EscalationSettings,
    InjectionSettings,
    Profiles,
)
from presage.resources.recordingstatus import EventProfileStatus, InjectionStatus
from presage.resources.retention import ProfileRetention
from presage.resources.scalingpolicy import ScalingSettings, ScalingStatus

_GIVES_BYTES = (
    "has(self.eventTypes) && self.eventTypes.exists(each, has(each.load.bytes))"
    " || has(self.eventTypesFrom) && has(self.eventTypesFrom.load.bytes)"
)


class Target(Model):
    """The workload whose replicas are set, in the profile's own namespace."""

    api_version: Literal["apps/v1"] = Field(default="apps/v1", description="API group and version of the workload.")
    kind: Literal["Deployment"] = Field(default="Deployment", description="Kind of the workload.")
    name: ObjectName = Field(description="Name of the workload.", examples=["checkout"])


class MetricProfileSpec(Model):
    """What the owner of the function wishes."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.eventTypes) || has(self.eventTypesFrom)",
            "spec must have eventTypes, eventTypesFrom or both",
            lambda spec: spec.event_types is not None or spec.event_types_from is not None,
        ),
        Rule(
            f"has(self.scaling.perPodBytes) || !({_GIVES_BYTES})",
            "scaling.perPodBytes must be given where an event type gives load.bytes",
            lambda spec: spec.scaling.per_pod_bytes is not None or not spec.volumes,
        ),
        Rule(
            f"!has(self.scaling.perPodBytes) || {_GIVES_BYTES}",
            "scaling.perPodBytes needs an event type that gives load.bytes",
            lambda spec: spec.scaling.per_pod_bytes is None or bool(spec.volumes),
        ),
        Rule(
            "!(has(self.forecast.quantile) && has(self.scaling.objective))",
            "give either forecast.quantile or scaling.objective: the objective chooses the quantile",
            lambda spec: spec.forecast.quantile is None or spec.scaling.objective is None,
        ),
        Rule(
            f"!has(self.budget) || !has(self.budget.bytesPercent) || {_GIVES_BYTES}",
            "budget.bytesPercent needs an event type that gives load.bytes",
            lambda spec: spec.budget is None or spec.budget.bytes_percent is None or bool(spec.volumes),
        ),
    )

    target: Target = Field(description="The workload to scale, in the profile's own namespace.")
    source_ref: LocalReference = Field(description="The MetricSource to read from.")
    event_types: tuple[EventTypeSpec, ...] | None = Field(
        default=None,
        min_length=1,
        max_length=16,
        description="Kinds of events that make up the load.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )
    event_types_from: EventTypesFrom | None = Field(
        default=None, description="Kinds of events that are found by the values of a label, besides those given."
    )
    forecast: ForecastSettings = defaulted(ForecastSettings, "How the load is forecast.")
    scaling: ScalingSettings = Field(description="How replicas follow from the forecast.")
    profiles: Profiles = Field(
        default=(),
        max_length=MAX_PROFILES,
        description="Profiles of what is recorded, besides Minimal, Standard and Debug and those of the installation.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )
    budget: BudgetSettings | None = Field(
        default=None, description="What recording may cost. Left out: 1% of the CPU, and any number of bytes."
    )
    escalation: EscalationSettings | None = Field(
        default=None,
        description="What some pods record when something unforeseen happens. Left out: nothing more than the others.",
    )
    injection: InjectionSettings | None = Field(
        default=None, description="How pods come to know what to record. Left out: pods without it are counted only."
    )
    calendar: CalendarSettings | None = Field(
        default=None, description="What the user knows of days to come: holidays, sales, maintenance."
    )
    retention: ProfileRetention | None = Field(
        default=None,
        description="That each metric's series be kept as long as it says. Left out, nothing is done about it.",
    )
    paused: bool = Field(
        default=False, description="Change nothing while true. The annotation presage.dev/paused does the same."
    )

    @field_validator("event_types", mode="after")
    @classmethod
    def _no_name_twice(cls, event_types: tuple[EventTypeSpec, ...] | None) -> tuple[EventTypeSpec, ...] | None:
        if event_types is not None and len({each.name for each in event_types}) < len(event_types):
            raise PydanticCustomError("duplicate", "eventTypes must not contain a name twice")
        return event_types

    @property
    def volumes(self) -> tuple[EventType, ...]:
        """The data volume of each event type that gives one; a byte counts the same in all of them."""
        given = self.event_types or ()
        volumes = [EventType(e.name, 1.0, e.load.bytes.to_core()) for e in given if e.load.bytes]
        found = self.event_types_from.to_core() if self.event_types_from else None
        if found is not None and found.volume is not None:
            volumes.append(EventType(found.name, 1.0, found.volume))
        return tuple(volumes)

    @property
    def recording(self) -> RecordingSpec:
        """What is to be recorded of the event types that say so."""
        given = (each.to_recorded() for each in self.event_types or ())
        return RecordingSpec(
            event_types=tuple(each for each in given if each is not None),
            found=self.event_types_from.to_recorded() if self.event_types_from else None,
            profiles=tuple(each.to_core() for each in self.profiles),
            budget=Budget() if self.budget is None else self.budget.to_core(),
            escalation=None if self.escalation is None else self.escalation.to_core(),
            enforce="Off" if self.injection is None else self.injection.enforce,
        )

    def to_core(self) -> ProfileSpec:
        """Return the same wish in plain data."""
        recording = self.recording
        by_label = self.event_types_from.to_core() if self.event_types_from else None
        loads = [each.to_core() for each in self.event_types or ()]
        if by_label is not None:
            loads.append(by_label.together)
        measures = [Measure("load", tuple(loads), float(parse_quantity(self.scaling.per_pod)))]
        if self.scaling.per_pod_bytes is not None:
            measures.append(Measure("bytes", self.volumes, float(parse_quantity(self.scaling.per_pod_bytes))))
        return ProfileSpec(
            target=self.target.name,
            source=self.source_ref.name,
            measures=tuple(measures),
            forecast=self.forecast.to_core(),
            scaling=self.scaling.to_core(),
            paused=self.paused,
            calendar=self.calendar.to_core(self.forecast.time_zone) if self.calendar else CalendarSpec(),
            by_label=by_label,
            recorded=frozenset(each.name for each in recording.event_types),
            recording=recording,
        )


class MetricProfileStatus(Status):
    """What presage sees and does."""

    ready_replicas: int | None = Field(default=None, ge=0, description="Pods of the target that are ready.")
    scaling: ScalingStatus | None = Field(default=None, description="The last decision about replicas.")
    forecast: ForecastStatus | None = Field(default=None, description="The forecast of the load in force.")
    forecast_bytes: ForecastStatus | None = Field(
        default=None, description="The forecast of the data volume in force, in bytes; absent without load.bytes."
    )
    event_types_found: tuple[FoundEventTypeStatus, ...] | None = Field(
        default=None,
        max_length=32,
        description="Event types that were found by eventTypesFrom.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )
    accounts: AccountsStatus | None = Field(default=None, description="What scaling gave and cost.")
    profiles: tuple[EventProfileStatus, ...] = Field(
        default=(),
        max_length=48,
        description="What is recorded, for each event type of which presage decides that.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["eventType"]},
    )
    recording: str | None = Field(
        default=None, max_length=256, description="The profiles wanted, in one line; absent where there are none."
    )
    injection: InjectionStatus | None = Field(
        default=None, description="How many pods know what to record; absent where presage decides nothing of it."
    )


def _condition_column(name: str, condition: str, part: str, description: str) -> PrinterColumn:
    return PrinterColumn(name, "string", f'.status.conditions[?(@.type=="{condition}")].{part}', description)


def _wide_column(name: str, kind: Literal["string", "number"], path: str, description: str) -> PrinterColumn:
    return PrinterColumn(name, kind, f".status.{path}", description, priority=1)


class MetricProfile(Resource):
    """The load of one function or service, and the scaling that goes ahead of it."""

    meta: ClassVar[ResourceMeta] = ResourceMeta(
        kind="MetricProfile",
        plural="metricprofiles",
        scope="Namespaced",
        description="The load of one function or service, how it is forecast, and what is scaled ahead of it.",
        short_names=("mprof",),
        columns=(
            PrinterColumn("Target", "string", ".spec.target.name", "The workload."),
            PrinterColumn("Pods", "integer", ".status.readyReplicas", "Pods that are ready."),
            PrinterColumn("Desired", "integer", ".status.scaling.desiredReplicas", "Replicas that presage wants."),
            PrinterColumn("Because", "string", ".status.scaling.bindingReason", "What decided that number."),
            PrinterColumn("Mode", "string", ".spec.scaling.mode", "Auto, DryRun or Off."),
            _condition_column("Trusted", "ForecastTrusted", "status", "Whether the forecast drives scaling."),
            _condition_column("Ready", "Ready", "status", "Whether what the spec asks is in force."),
            _condition_column("Reason", "Ready", "reason", "Why."),
            PrinterColumn("Age", "date", ".metadata.creationTimestamp", "Time since creation."),
            _wide_column("Lead-s", "number", "scaling.leadTimeSeconds.value", "Lead time, in seconds."),
            _wide_column("Leader", "string", "forecast.leader", "Model with the largest share in the forecast."),
            _wide_column(
                "Unmet-7d", "number", "accounts.week.unmetShare", "Share of a week's load that was not served."
            ),
            _wide_column("Saved-7d", "number", "accounts.week.saved", "Replica-hours saved in a week."),
            _wide_column("Profile", "string", "recording", "Profile that each event type is recorded by."),
            _wide_column("Explain", "string", "scaling.explain", "The decision in one line."),
        ),
        rules=(
            Rule(
                "size(self.metadata.name) <= 63",
                "metadata.name must be at most 63 characters",
                lambda profile: len(profile.metadata.name) <= 63,
            ),
        ),
    )

    spec: MetricProfileSpec = Field(description="What the owner of the function wishes.")
    status: MetricProfileStatus = defaulted(MetricProfileStatus, "What presage sees and does; written by presage only.")
