"""A metric profile in plain data: what to measure, how to forecast it, what to scale."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from presage.core.calendar.spec import CalendarSpec
from presage.core.forecast.spec import ForecastSpec
from presage.core.query import CounterLoad, GaugeLoad, Matcher
from presage.core.recording.spec import RecordingSpec
from presage.core.scaling.policy import ScalingPolicy


@dataclass(frozen=True, slots=True)
class EventType:
    """One kind of event that a function handles.

    Attributes:
        name: unique within the profile.
        weight: load units that one event per second counts for; above 0.
        load: the series that measures it.
    """

    name: str
    weight: float
    load: CounterLoad | GaugeLoad


@dataclass(frozen=True, slots=True)
class EventsByLabel:
    """Event types that are found from the values of a label.

    Attributes:
        label: whose values tell them apart.
        most: how many at most are event types of their own.
        weight: load units that one event per second counts for, of whichever type; above 0.
        load: the series that measure all of them.
        volume: the series of their data volume; None without one.
        recorded: whether the load of each decides what is recorded of it.
    """

    label: str
    most: int
    weight: float
    load: CounterLoad | GaugeLoad
    volume: CounterLoad | GaugeLoad | None = None
    recorded: bool = False

    @property
    def name(self) -> str:
        """What messages call all of them together; no event type that is given can have this name."""
        return f"any {self.label}"[:63]

    @property
    def together(self) -> EventType:
        """All of them as one event type, which is what is scaled by."""
        return EventType(self.name, self.weight, self.load)

    def split(self, load: CounterLoad | GaugeLoad, value: str) -> CounterLoad | GaugeLoad:
        """Return what measures the event type of one value of the label alone."""
        return replace(load, matchers=(*load.matchers, Matcher(self.label, "=", value)))


MeasureName = Literal["load", "bytes"]


@dataclass(frozen=True, slots=True)
class Measure:
    """One way in which an object's load is measured, and how much of it one pod serves.

    Attributes:
        name: what status and messages call it.
        event_types: at least one; the measure is the sum of weight × load over them.
        per_pod: what one ready pod serves, in the unit of the sum.
    """

    name: MeasureName
    event_types: tuple[EventType, ...]
    per_pod: float

    @property
    def window_s(self) -> float:
        """Seconds over which the longest rate is taken; 0 for gauges alone."""
        return max((e.load.window_s for e in self.event_types if isinstance(e.load, CounterLoad)), default=0.0)


@dataclass(frozen=True, slots=True)
class ProfileSpec:
    """The validated wish of one MetricProfile.

    Attributes:
        target: name of the Deployment, in the profile's own namespace.
        source: name of the MetricSource.
        measures: at least one, the main one first; replicas serve each of them, so that the largest need binds.
        forecast: forecast settings.
        scaling: scaling settings.
        paused: whether the user asks presage to change nothing.
        calendar: what the user knows of days to come; empty without one.
        recorded: names of the event types, of those given, for which their load decides what is recorded.
        recording: what is to be recorded of them; of none by default.
        by_label: event types that are found; None where all are given.
    """

    target: str
    source: str
    measures: tuple[Measure, ...]
    forecast: ForecastSpec
    scaling: ScalingPolicy
    paused: bool
    calendar: CalendarSpec = field(default_factory=CalendarSpec)
    recorded: frozenset[str] = frozenset()
    recording: RecordingSpec = field(default_factory=RecordingSpec)
    by_label: EventsByLabel | None = None

    @property
    def names(self) -> frozenset[str]:
        """Names of the event types that are given."""
        return frozenset(e.name for e in self.measures[0].event_types)
