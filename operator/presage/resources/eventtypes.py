"""Event types of a MetricProfile: given one by one, or found from the values of a label."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from presage.core.profile import EventsByLabel, EventType
from presage.core.recording.spec import RecordedEvent
from presage.core.units import parse_quantity
from presage.resources.base import Model
from presage.resources.fields import QUANTITY_MAX_LENGTH, DnsLabel, LabelName, positive_quantity
from presage.resources.load import Load
from presage.resources.recordingspec import Critical, Levels, to_recorded_event

_Weight = Annotated[str, Field(min_length=1, max_length=QUANTITY_MAX_LENGTH), positive_quantity("weight")]
_WEIGHT = "Load units that one event counts for, as a quantity above 0. The weighted sum is the load."


class EventTypeSpec(Model):
    """One kind of event that the function handles."""

    name: DnsLabel = Field(description="Name of the event type, unique in the profile.", examples=["order"])
    weight: _Weight = Field(default="1", description=_WEIGHT)
    load: Load = Field(description="Where the load of this event type is measured: exactly one of counter and gauge.")
    critical: Critical = False
    levels: Levels = ()

    def to_core(self) -> EventType:
        """Return the same event type in plain data."""
        return EventType(name=self.name, weight=float(parse_quantity(self.weight)), load=self.load.to_core())

    def to_recorded(self) -> RecordedEvent | None:
        """Return how its profile is chosen, in plain data; None if none is."""
        return to_recorded_event(self.name, self.levels, critical=self.critical)


class EventTypesFrom(Model):
    """Event types that are found: each value of a label is one."""

    label: LabelName = Field(
        description=(
            "Label whose values tell the event types apart. A value gives its event type a name of small letters, "
            "digits and dashes, such as api-order of /api/Order; status.eventTypesFound shows both."
        ),
        examples=["route"],
    )
    max: int = Field(
        default=16,
        ge=1,
        le=32,
        description="How many values may be event types of their own; of more, those with the most load.",
    )
    weight: _Weight = Field(default="1", description=_WEIGHT)
    load: Load = Field(
        description=(
            "Where the load of all of them is measured, exactly one of counter and gauge, without a matcher for each. "
            "Replicas are made for the sum, whatever values were found."
        )
    )
    critical: Critical = False
    levels: Levels = ()

    def to_core(self) -> EventsByLabel:
        """Return the same in plain data."""
        return EventsByLabel(
            label=self.label,
            most=self.max,
            weight=float(parse_quantity(self.weight)),
            load=self.load.to_core(),
            volume=self.load.bytes.to_core() if self.load.bytes else None,
            recorded=self.to_recorded() is not None,
        )

    def to_recorded(self) -> RecordedEvent | None:
        """Return how the profile of each is chosen, in plain data; None if none is."""
        return to_recorded_event("", self.levels, critical=self.critical)


class FoundEventTypeStatus(Model):
    """An event type that was found."""

    name: DnsLabel = Field(description="Name of the event type, unique in the profile.")
    value: str = Field(max_length=256, description="The label's value.")
    found_time: str = Field(description="When it was seen first (RFC 3339).", json_schema_extra={"format": "date-time"})
