"""Series read from exact counts at export, without an instrument of OpenTelemetry in between.

An observable instrument would remember each attribute set that it ever saw, and a profile that changes makes new ones
for as long as the process lives; so the points are built from the tables as they stand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from presage.core.recording.marks import EVERY_ATTRIBUTE, RETENTION_ATTRIBUTE
from presage.sdk.tables import Attributes, AttributeValue, Table

Field = Literal["count", "errors", "value"]


@dataclass(frozen=True, slots=True, eq=False)
class CountedSeries:
    """One metric whose values stand in a table.

    Attributes:
        name: Name of scope and metric.
        unit: As in UCUM.
        table: Where the values stand.
        field: Which value of a cell it is.
        labels: Attributes of the SDK.
        is_gauge: Whether it may fall; else it is a sum that only rises.
        started_ns: When counting began, in nanoseconds of the epoch.
    """

    name: str
    unit: str
    table: Table
    field: Field
    labels: Attributes
    is_gauge: bool
    started_ns: int

    def is_same(self, other: CountedSeries) -> bool:
        """Whether the other one goes on where this one stands."""
        return self.table is other.table and self.name == other.name and self.labels == other.labels

    def read(self) -> Iterator[tuple[Attributes, int | float]]:
        """Yield attributes and value of each set; a set without errors is none of `errors`."""
        for cell in self.table.all_cells():
            value: int | float = getattr(cell, self.field)
            if value or self.field != "errors":
                yield {**cell.attributes, **self.labels}, value


def labels_of(retention: str, every: int = 1) -> dict[str, AttributeValue]:
    """Return the SDK's attributes of a metric: its tier, and of how many events one is kept."""
    return {RETENTION_ATTRIBUTE: retention, EVERY_ATTRIBUTE: every}
