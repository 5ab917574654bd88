"""What a function records of one event type, in plain data.

Only the standard library is used here and in `document`: functions read both in their own process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MINIMAL, STANDARD, DEBUG = "Minimal", "Standard", "Debug"


@dataclass(frozen=True, slots=True)
class MetricSettings:
    """How one metric of an event type is recorded.

    Attributes:
        every_events: One event in so many is recorded, at a random position in each block; 1 = every one.
        attributes: Names of the attributes that are kept; all others are dropped before anything is counted.
        retention: Tier that the metric's series are kept in, such as `15d`.
    """

    every_events: int = 1
    attributes: tuple[str, ...] = ()
    retention: str = "15d"


@dataclass(frozen=True, slots=True)
class RecordingProfile:
    """A profile: the metrics that are recorded; one that is not named is left out.

    Attributes:
        name: Such as `Standard`.
        metrics: By name.
        export_interval_s: Seconds between two exports.
        exemplars: Whether histograms keep examples of what fell into them.
    """

    name: str
    metrics: Mapping[str, MetricSettings]
    export_interval_s: int = 60
    exemplars: bool = False


@dataclass(frozen=True, slots=True)
class Escalation:
    """A profile that some of the instances record by for a while.

    Attributes:
        profile: What they record.
        share: Share of the instances, above 0, at most 1; an instance finds out by the hash of its name.
        until: Epoch second at which it ends.
    """

    profile: RecordingProfile
    share: float
    until: float


@dataclass(frozen=True, slots=True)
class EventRecording:
    """What instances record of one event type: a profile, and for some of them another one for a while."""

    profile: RecordingProfile
    escalation: Escalation | None = None


@dataclass(frozen=True, slots=True)
class Recording:
    """All that a function is told.

    Attributes:
        namespace: Of the MetricProfile.
        name: Of the MetricProfile.
        event_types: By name of the event type.
        default: For event types that are not named.
        attribute_sets: Most attribute sets of one metric; all further ones are counted together.
    """

    namespace: str
    name: str
    event_types: Mapping[str, EventRecording]
    default: RecordingProfile
    attribute_sets: int = 200
