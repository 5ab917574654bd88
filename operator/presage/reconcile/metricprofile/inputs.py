"""Plain data of one MetricProfile decision: what `gather` reads, what `decide` remembers and plans."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from presage.core.calendar.spec import Calendar
from presage.core.forecast.spec import ForecastSpec
from presage.core.profile import EventType, Measure, MeasureName, ProfileSpec
from presage.core.recording.found import Found
from presage.core.recording.loads import EventLoad
from presage.core.recording.retention.tiers import Retention
from presage.core.recording.retention.verdict import TierState
from presage.core.scaling.capacity import Capacity
from presage.core.scaling.decision import ScalingMemory
from presage.core.scaling.foresight import ForecastMemory
from presage.core.scaling.gate import GateMemory
from presage.core.scaling.ladder import Reading
from presage.core.scaling.lead_time import PodStart, Starts
from presage.core.scaling.manual import Hand
from presage.core.scaling.zero import ZeroMemory
from presage.core.source_reading import LabelValues, Source
from presage.reconcile.metricprofile.recording.inputs import RecordingInput, RecordingMemory, RecordingPlan


@dataclass(frozen=True, slots=True)
class TargetState:
    """The Deployment and its pods.

    Attributes:
        replicas: `spec.replicas`.
        ready: Pods that are Ready.
        settled: Name and address of each pod Ready for so long that a scrape must have met it.
        cores: CPU that each container of a pod requests or is limited to, None for neither, by the container's name.
        pods: All that are alive, in the order in which they became Ready, those not Ready last.
    """

    replicas: int
    ready: int
    settled: tuple[tuple[str, str], ...]
    pods: tuple[PodStart, ...] = ()
    cores: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Basis:
    """What a measure is taken from and forecast by; memory on one basis says nothing about another."""

    source: Source
    event_types: tuple[EventType, ...]
    forecast: ForecastSpec


@dataclass(frozen=True, slots=True)
class ShiftMemory:
    """What was told of level shifts.

    Attributes:
        known: Whether there was a forecast before: without one, a shift found is no news.
        at: Epoch second of the last shift; None = none yet.
        told_at: Epoch second at which an event last told of one.
    """

    known: bool = False
    at: float | None = None
    told_at: float = -math.inf


@dataclass(frozen=True, slots=True)
class BindingMemory:
    """What was told of binding reasons.

    Attributes:
        told: The one that people know of; empty before the first.
        last: The one of the last decision.
        count: How many decisions in a row it has held.
        told_at: Epoch second at which an event last told of a change.
    """

    told: str = ""
    last: str = ""
    count: int = 0
    told_at: float = -math.inf


@dataclass(frozen=True, slots=True)
class CapacityMemory:
    """What was learned of the load that one pod serves.

    Attributes:
        lesson: What was asked; None before the first.
        at: Epoch second at which it was learned last.
        found: The answer; None before the first.
        differs_since: Epoch second since which it has been far from what is given; None = it is not.
        told_at: Epoch second at which an event last told of that.
    """

    lesson: object = None
    at: float = 0.0
    found: Capacity | None = None
    differs_since: float | None = None
    told_at: float = -math.inf


@dataclass(frozen=True, slots=True)
class MeasureMemory:
    """What one decision leaves to the next about one measure; empty after a restart.

    Attributes:
        basis: What forecast and share are about; None before the first look at a source.
        scaling: Stabilization and step memory.
        forecast: The last good forecast; None before the first.
        gate: What past days say about the rules. A restart takes the choice from status.
        reporting_share: Share of the settled pods that reported at the last good tick; 0 before it. A restart takes it
            from status.
        shift: What was told of level shifts. A restart takes the last one from status.
        blind_at: Epoch second at which data was not fresh and complete last.
    """

    basis: Basis | None = None
    scaling: ScalingMemory = field(default_factory=ScalingMemory)
    forecast: ForecastMemory | None = None
    gate: GateMemory = field(default_factory=GateMemory)
    reporting_share: float = 0.0
    shift: ShiftMemory = field(default_factory=ShiftMemory)
    blind_at: float = -math.inf


@dataclass(frozen=True, slots=True)
class EventMemory:
    """The forecast of one event type alone, and what it is about."""

    basis: Basis
    forecast: ForecastMemory | None = None


@dataclass(frozen=True, slots=True)
class ProfileMemory:
    """What one decision leaves to the next; empty after a restart.

    Attributes:
        target: The Deployment all of it is about.
        measures: By name of the measure.
        starts: Of the target's pods. A restart takes those from status.
        zero: Whether the target is meant to be at 0, and since when there is no data. A restart takes both from status.
        hand: Which numbers of the target are presage's own. A restart takes them from status.
        binding: What was told of binding reasons.
        capacity: What was learned of the load that one pod serves.
        in_force: Names in the calendar that were in force; None before the first look.
        events: By name of the event type, of those that have a forecast of their own.
        found: Event types that were found from a label. A restart takes them from status.
        recording: What was asked for and seen of recording. A restart takes what it can from status.
    """

    target: str = ""
    measures: Mapping[MeasureName, MeasureMemory] = field(default_factory=dict)
    starts: Starts = field(default_factory=Starts)
    zero: ZeroMemory = field(default_factory=ZeroMemory)
    hand: Hand = field(default_factory=Hand)
    binding: BindingMemory = field(default_factory=BindingMemory)
    capacity: CapacityMemory = field(default_factory=CapacityMemory)
    in_force: tuple[str, ...] | None = None
    events: Mapping[str, EventMemory] = field(default_factory=dict)
    found: Found = field(default_factory=Found)
    recording: RecordingMemory = field(default_factory=RecordingMemory)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something cannot be used: a condition's reason and message."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class RetentionView:
    """What is known of the tiers of a profile's metrics.

    Attributes:
        asked: Whether the profile asks that they be enforced.
        source: Name of the MetricSource.
        wanted: Names of the tiers.
        retention: What the source offers; `Other` where it says nothing.
        states: Of its tiers, as its status has them.
        problem: Why the source may not be used; None if it may.
        monitors: PodMonitors that there should be, by name.
        present: Names of those that there are.
    """

    asked: bool
    source: str = ""
    wanted: tuple[str, ...] = ()
    retention: Retention = field(default_factory=lambda: Retention("Other"))
    states: Mapping[str, TierState] = field(default_factory=dict)
    problem: Problem | None = None
    monitors: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    present: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MonitorPlan:
    """PodMonitors to make, by name, and names of those to remove."""

    make: Mapping[str, Mapping[str, object]]
    drop: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MeasureInput:
    """What is known of one measure.

    Attributes:
        measure: Which one.
        reading: What the source said now; None where it was not asked.
        forecast: The forecast in force, brought up to date where data allowed; None while the source may not be asked.
        gate: What past days say, with whatever replay is done.
        history_fault: Why the history could not be read; empty if it was.
        memory: From the previous decision.
    """

    measure: Measure
    reading: Reading | None
    forecast: ForecastMemory | None
    gate: GateMemory
    history_fault: str
    memory: MeasureMemory


@dataclass(frozen=True, slots=True)
class ProfileInput:
    """Everything one decision rests on.

    Attributes:
        spec: The parsed wish; what is to be recorded names the event types that were found, too.
        generation: `metadata.generation` of that wish.
        paused: By the spec or by the annotation.
        now: Epoch seconds.
        target: None if there is no such Deployment.
        owners: Other autoscalers of the target, as `kind/name`.
        contenders: Other MetricProfiles aimed at the same target.
        source_problem: Why the source may not be asked; None if it may.
        measures: As in the spec.
        memory: From the previous decision.
        zero_written: Status says that presage means this target to be at 0.
        calendar: The spec's, with the days of its holidays.
        retention: What is known of its metrics' tiers.
        event_loads: Of each event type for which its load decides what is recorded, in the order of the spec, those
            that were found after those given.
        label_values: What was seen of the label that event types are found from; None where it was no time to look.
        recording: What else is known about recording; None where none is asked for and nothing is left of it.
    """

    spec: ProfileSpec
    generation: int
    paused: bool
    now: float
    target: TargetState | None
    owners: tuple[str, ...]
    contenders: tuple[str, ...]
    source_problem: Problem | None
    measures: tuple[MeasureInput, ...]
    memory: ProfileMemory
    zero_written: bool = False
    calendar: Calendar = field(default_factory=Calendar)
    event_loads: tuple[EventLoad, ...] = ()
    retention: RetentionView = field(default_factory=lambda: RetentionView(asked=False))
    label_values: LabelValues | Problem | None = None
    recording: RecordingInput | None = None


@dataclass(frozen=True, slots=True)
class ProfilePlan:
    """What is written: what to record first, then replicas, then the pods are told.

    Attributes:
        target: Name of the Deployment.
        current: Replicas that it has; where it is to keep them, nothing is scaled.
        replicas: That it is set to.
        why: The binding reason.
        recording: What is written about recording; None = nothing.
        monitors: PodMonitors to make or remove; None = none.
    """

    target: str
    current: int
    replicas: int
    why: str
    recording: RecordingPlan | None = None
    monitors: MonitorPlan | None = None
