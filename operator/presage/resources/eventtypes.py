"""Event types of a MetricProfile: given one by one, or found from the values of a label."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from presage.core.profile import EventType
from presage.core.units import parse_quantity
from presage.resources.base import Model
from presage.resources.fields import QUANTITY_MAX_LENGTH, DnsLabel, positive_quantity
from presage.resources.load import Load


class EventTypeSpec(Model):
    """One kind of event that the function handles."""

    name: DnsLabel = Field(description="Name of the event type, unique in the profile.", examples=["order"])
    weight: Annotated[str, Field(min_length=1, max_length=QUANTITY_MAX_LENGTH), positive_quantity("weight")] = Field(
        default="1",
        description="Load units that one event counts for, as a quantity above 0. The weighted sum is the load.",
    )
    load: Load = Field(description="Where the load of this event type is measured: exactly one of counter and gauge.")

    def to_core(self) -> EventType:
        """Return the same event type in plain data."""
        return EventType(name=self.name, weight=float(parse_quantity(self.weight)), load=self.load.to_core())
