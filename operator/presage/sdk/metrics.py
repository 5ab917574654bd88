"""What one metric does by the settings in force: an object that is swapped whole when they change.

An instrument points to one of these, or to nothing while the profile leaves it out. Everything that can be worked out
once is worked out here, so that an event that is not kept costs a lookup, an addition and a subtraction.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping

from presage.core.recording.marks import KEPT_ATTRIBUTE
from presage.core.recording.types import MetricSettings
from presage.sdk.sampler import BlockSampler
from presage.sdk.series import labels_of
from presage.sdk.tables import Attributes, Cell, Table

SAMPLE, ERROR, NEW = "sample", "error", "new"

TIMED_EVERY = 16
"""One in so many that are kept is timed, by the thread's CPU clock: that takes a microsecond. The wall clock would
count what others took of a busy machine."""

Record = Callable[[float, Attributes], None]
"""Takes a kept measurement and its attributes: a histogram of OpenTelemetry."""


class SampledMetric:
    """Measurements of which one in N goes into a histogram.

    Attributes:
        settings: Settings it was made for.
        table: Exact counts.
        sampler: Which measurements are kept.
        spent: CPU seconds that keeping took so far, by those of one in sixteen.
    """

    __slots__ = ("_kept", "_labels", "_record", "sampler", "settings", "spent", "table")

    def __init__(self, settings: MetricSettings, table: Table, sampler: BlockSampler, record: Record) -> None:
        self.settings = settings
        self.table = table
        self.sampler = sampler
        self.spent = 0.0
        self._kept = 0
        self._record = record
        self._labels = labels_of(settings.retention, settings.every_events)

    def measure(self, value: float, attributes: Mapping[str, object], failed: bool = False) -> None:
        """Count a measurement, and keep it if its turn has come."""
        table = self.table
        new = False
        try:
            cell = table.cells[table.key(attributes)]
        except (KeyError, TypeError):
            cell, new = table.admit(attributes)
        cell.count += 1
        sampler = self.sampler
        left = sampler.left - 1
        sampler.left = left
        if left <= 0 or failed or new or cell.failed:
            self.keep(cell, value, left, failed or cell.failed, new)

    def keep(self, cell: Cell, value: float, left: int, failed: bool, new: bool) -> None:
        """Put a measurement into the histogram, with the reason why it was kept.

        Args:
            cell: Of its attribute set.
            value: In the metric's unit.
            left: What the sampler was counted down to.
            failed: Whether its event failed.
            new: Whether its attribute set is a new one.
        """
        self._kept += 1
        if self._kept % TIMED_EVERY != TIMED_EVERY // 2:
            self._keep(cell, value, left, failed, new)
            return
        started = time.thread_time()
        self._keep(cell, value, left, failed, new)
        self.spent += TIMED_EVERY * (time.thread_time() - started)

    def _keep(self, cell: Cell, value: float, left: int, failed: bool, new: bool) -> None:
        drawn = left <= 0 and self.sampler.draw()  # first of all: else no block would ever begin again
        if not 0 <= value < math.inf:  # also of what is not a number; one such value would spoil a sum for ever
            raise ValueError("a measurement is not a finite number of at least 0")
        kept = SAMPLE if drawn else ERROR if failed else NEW if new else None
        if kept is not None:
            self._record(value, {**cell.attributes, **self._labels, KEPT_ATTRIBUTE: kept})


class CpuMetric(SampledMetric):
    """CPU of the whole process for one event: what was used since the last reading, by the events since.

    Only the sample is kept: a reading out of turn would take from the next one what belongs to it.
    """

    __slots__ = ("_meter",)

    def __init__(
        self, settings: MetricSettings, table: Table, sampler: BlockSampler, record: Record, meter: CpuMeter
    ) -> None:
        super().__init__(settings, table, sampler, record)
        self._meter = meter

    def _keep(self, cell: Cell, value: float, left: int, failed: bool, new: bool) -> None:
        """Read the process's CPU if the turn has come; `value` is not used."""
        if left <= 0 and self.sampler.draw() and (used := self._meter.read()) is not None:
            self._record(used, {**cell.attributes, **self._labels, KEPT_ATTRIBUTE: SAMPLE})


class CpuMeter:
    """Process CPU seconds per event between two readings, for one event type.

    Events of all types are counted, so that sums of means times events are the CPU of the process.
    """

    __slots__ = ("_count_events", "_cpu", "_events")

    def __init__(self, count_events: Callable[[], int]) -> None:
        """Args: count_events: returns the events of all types since the process began."""
        self._count_events = count_events
        self._cpu = time.process_time()
        self._events = count_events()

    def read(self) -> float | None:
        """Return seconds per event since the last reading; None when there was none."""
        cpu, events = time.process_time(), self._count_events()
        between = events - self._events
        if between <= 0:
            return None
        used = (cpu - self._cpu) / between
        self._cpu, self._events = cpu, events
        return used
