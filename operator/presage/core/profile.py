"""A metric profile in plain data: what to measure, how to forecast it, what to scale."""

from __future__ import annotations

from dataclasses import dataclass, field

from presage.core.calendar.spec import CalendarSpec
from presage.core.forecast.spec import ForecastSpec
from presage.core.query import CounterLoad, GaugeLoad
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
class ProfileSpec:
    """The validated wish of one MetricProfile.

    Attributes:
        target: name of the Deployment, in the profile's own namespace.
        source: name of the MetricSource.
        event_types: at least one; load is the sum of weight × load over them.
        forecast: forecast settings.
        scaling: scaling settings.
        paused: whether the user asks presage to change nothing.
        calendar: what the user knows of days to come; empty without one.
    """

    target: str
    source: str
    event_types: tuple[EventType, ...]
    forecast: ForecastSpec
    scaling: ScalingPolicy
    paused: bool
    calendar: CalendarSpec = field(default_factory=CalendarSpec)
