"""The blocks of a spec that say what is recorded: profiles, levels of load, budget, escalation, injection."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from presage.core.recording.retention.tiers import TIER_NAME
from presage.core.recording.spec import Budget, EscalationPolicy, Level, RecordedEvent
from presage.core.recording.types import MetricSettings, RecordingProfile
from presage.core.units import parse_quantity
from presage.resources.base import Model, Rule
from presage.resources.fields import QUANTITY_MAX_LENGTH, positive_quantity

MAX_LEVELS = 8
MAX_PROFILES = 16
MAX_METRICS = 64
MAX_ATTRIBUTES = 16
_MAX_EVERY_EVENTS = 10**9

ProfileName = Annotated[str, Field(min_length=1, max_length=63, pattern="^[A-Za-z][A-Za-z0-9]*(-[A-Za-z0-9]+)*$")]
"""Name of a profile. Which ones there are is not known to the API server: the installation may define some too."""

RecordedMetricName = Annotated[
    str,
    Field(min_length=1, max_length=63, pattern="^[A-Za-z][A-Za-z0-9_]*([.-][A-Za-z0-9_]+)*$"),
    Rule(
        "self != 'events'",
        "a metric cannot be named events: that is the exact count that each event type has anyway",
        lambda name: name != "events",
    ),
]
"""Name of a metric within its event type, as functions declare it."""

AttributeName = Annotated[
    str,
    Field(min_length=1, max_length=63, pattern="^[A-Za-z_][A-Za-z0-9_]*([.-][A-Za-z0-9_]+)*$"),
    Rule(
        "!self.startsWith('presage_')",
        "an attribute cannot begin with presage_: those are added to every series",
        lambda name: not name.startswith("presage_"),
    ),
]
"""Name of an attribute."""

Tier = Annotated[str, Field(min_length=2, max_length=6, pattern=f"^{TIER_NAME.pattern}$")]
"""How long a metric's series are kept."""


def _refuse_attribute_twice(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise PydanticCustomError("duplicate", "attributes must not contain a name twice")
    return names


class RecordedMetric(Model):
    """How one metric is recorded."""

    name: RecordedMetricName = Field(description="Name of the metric, unique in the profile.", examples=["latency"])
    every_events: int = Field(
        default=1,
        ge=1,
        le=_MAX_EVERY_EVENTS,
        description="One event in so many is recorded, at a random position in each block of them; 1 records all.",
    )
    attributes: Annotated[tuple[AttributeName, ...], AfterValidator(_refuse_attribute_twice)] = Field(
        default=(),
        max_length=MAX_ATTRIBUTES,
        description="Attributes that are kept, by name; all others are dropped before anything is counted.",
        json_schema_extra={"x-kubernetes-list-type": "set"},
        examples=[["route", "outcome"]],
    )
    retention: Tier = Field(
        default="15d", description="How long its series are kept, such as 2h, 15d or 400d.", examples=["2h"]
    )


def _refuse_metric_twice(metrics: tuple[RecordedMetric, ...]) -> tuple[RecordedMetric, ...]:
    if len({each.name for each in metrics}) < len(metrics):
        raise PydanticCustomError("duplicate", "metrics must not contain a name twice")
    return metrics


class ProfileSettings(Model):
    """A profile: the metrics that are recorded. A metric that it does not name is left out."""

    name: ProfileName = Field(
        description=(
            "Name of the profile. Minimal, Standard and Debug are there already; the same name defines one anew."
        ),
        examples=["Standard"],
    )
    metrics: Annotated[tuple[RecordedMetric, ...], AfterValidator(_refuse_metric_twice)] = Field(
        min_length=1,
        max_length=MAX_METRICS,
        description="The metrics that are recorded.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )
    export_interval_seconds: int = Field(default=60, ge=1, le=3600, description="Time between two exports, in seconds.")
    exemplars: bool = Field(default=False, description="Whether histograms keep examples of what fell into them.")

    def to_core(self) -> RecordingProfile:
        """Return the same profile in plain data."""
        metrics = {
            each.name: MetricSettings(each.every_events, each.attributes, each.retention) for each in self.metrics
        }
        return RecordingProfile(self.name, metrics, self.export_interval_seconds, self.exemplars)


def _refuse_profile_twice(profiles: tuple[ProfileSettings, ...]) -> tuple[ProfileSettings, ...]:
    if len({each.name for each in profiles}) < len(profiles):
        raise PydanticCustomError("duplicate", "profiles must not contain a name twice")
    return profiles


Profiles = Annotated[tuple[ProfileSettings, ...], AfterValidator(_refuse_profile_twice)]
"""Profiles of unique names."""


class LevelSettings(Model):
    """A profile for a range of load."""

    profile: ProfileName = Field(description="Name of the profile.", examples=["Standard"])
    above: Annotated[str, Field(min_length=1, max_length=QUANTITY_MAX_LENGTH), positive_quantity("above")] | None = (
        Field(
            default=None,
            description="Events per second above which the level begins, as a quantity; the lowest level has none.",
            examples=["50"],
        )
    )

    def to_core(self) -> Level:
        """Return the same level in plain data."""
        return Level(self.profile, 0.0 if self.above is None else float(parse_quantity(self.above)))


def _begin_at_zero(levels: tuple[LevelSettings, ...]) -> bool:
    return all((level.above is None) == (index == 0) for index, level in enumerate(levels))


def _rise(levels: tuple[LevelSettings, ...]) -> bool:
    above = [parse_quantity(level.above) for level in levels if level.above is not None]
    return all(lower < upper for lower, upper in pairwise(above))


_PLACES = str(list(range(1, MAX_LEVELS)))
Levels = Annotated[
    tuple[LevelSettings, ...],
    Field(
        max_length=MAX_LEVELS,
        description=(
            "Profiles by load, the lowest first: what counts is the load predicted until a pod asked for now is ready. "
            "A level is left below four fifths of its threshold, and two steps of the forecast after the last change. "
            "Without levels, and not critical, presage decides nothing of what is recorded."
        ),
    ),
    Rule(
        f"size(self) == 0 || (!has(self[0].above) && {_PLACES}.all(i, i >= size(self) || has(self[i].above)))",
        "the lowest level must have no above, and all others one",
        _begin_at_zero,
    ),
    Rule(
        f"{_PLACES}.all(i, i < 2 || i >= size(self) || !has(self[i - 1].above) || !has(self[i].above) "
        "|| !isQuantity(self[i - 1].above) || !isQuantity(self[i].above) "
        "|| quantity(self[i - 1].above).isLessThan(quantity(self[i].above)))",
        "levels must be in rising order of above, none twice",
        _rise,
    ),
]
"""Levels of load, the lowest first."""


Critical = Annotated[
    bool, Field(description="Whether the event type is recorded by the profile Debug, whatever its load.")
]
"""Whether an event type is too important to leave anything out."""


def to_recorded_event(name: str, levels: tuple[LevelSettings, ...], *, critical: bool) -> RecordedEvent | None:
    """Return how the profile of an event type is chosen, in plain data; None if none is."""
    if not levels and not critical:
        return None
    return RecordedEvent(name, tuple(level.to_core() for level in levels), critical)


class BudgetSettings(Model):
    """What recording may cost at the predicted load; where it would cost more, less is recorded."""

    cpu_percent: Annotated[
        str, Field(min_length=1, max_length=QUANTITY_MAX_LENGTH), positive_quantity("cpuPercent")
    ] = Field(
        default="1",
        description=(
            "Share of the CPU that the target's pods request, or else are limited to, in percent, as a quantity above "
            "0. Where more would be needed, everyEvents of the dearest metric is raised."
        ),
        examples=["500m"],
    )
    bytes_per_second: (
        Annotated[str, Field(min_length=1, max_length=QUANTITY_MAX_LENGTH), positive_quantity("bytesPerSecond")] | None
    ) = Field(
        default=None,
        description=(
            "Bytes that all pods together may export per second, as a quantity. Where there would be more, the export "
            "interval of the dearest profile is made longer, up to 300 seconds."
        ),
        examples=["10k"],
    )
    bytes_percent: (
        Annotated[str, Field(min_length=1, max_length=QUANTITY_MAX_LENGTH), positive_quantity("bytesPercent")] | None
    ) = Field(
        default=None,
        description=(
            "The same as a share of the data volume predicted, in percent; needs an event type that gives load.bytes. "
            "The smaller of both holds."
        ),
        examples=["1"],
    )

    def to_core(self) -> Budget:
        """Return the same budget in plain data."""
        sent, share = self.bytes_per_second, self.bytes_percent
        return Budget(
            cpu_share=float(parse_quantity(self.cpu_percent)) / 100,
            bytes_per_second=None if sent is None else float(parse_quantity(sent)),
            bytes_share=None if share is None else float(parse_quantity(share)) / 100,
        )


class EscalationSettings(Model):
    """What some pods record for a while when the load is far from its forecast, or much of it goes unserved."""

    profile: ProfileName = Field(default="Debug", description="Profile that they record by.")
    instances_percent: int = Field(
        default=10, ge=1, le=100, description="How many pods do, in percent; each finds out by its own name."
    )
    max_seconds: int = Field(default=600, ge=60, le=3600, description="How long they do, in seconds.")
    pause_seconds: int = Field(
        default=3600, ge=0, le=86_400, description="Time after that before the next escalation, in seconds."
    )

    def to_core(self) -> EscalationPolicy:
        """Return the same wish in plain data."""
        return EscalationPolicy(
            self.profile, self.instances_percent / 100, float(self.max_seconds), float(self.pause_seconds)
        )


class InjectionSettings(Model):
    """How pods come to know what to record."""

    enforce: Literal["Off", "Restart"] = Field(
        default="Off",
        description=(
            "What becomes of pods of the target that were created without knowing where to look: Off only counts them "
            'in status, Restart replaces them. Quote "Off": YAML reads the bare word as a boolean.'
        ),
    )
