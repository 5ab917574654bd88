"""What code declares and calls: event types, and counters, histograms and gauges of them.

An instrument that the profile leaves out points to nothing: a call is a look at one attribute. Nothing here raises.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol, TypeVar

from presage.sdk.events import Event, EventPlan, begin_event
from presage.sdk.metrics import SampledMetric
from presage.sdk.plans import RESERVED, SECONDS, Declared, EventState
from presage.sdk.tables import Table

Report = Callable[[BaseException], None]
MAX_INSTRUMENTS = 64
"""Instruments of one event type; further ones record nothing, and are counted."""


class Owner(Protocol):
    """What an event type asks of the telemetry that it belongs to."""

    def report(self, problem: BaseException) -> None:
        """Count a failure inside the SDK."""

    def refresh(self, event: EventType) -> None:
        """Bring an event type to what is in force now."""


class _Exact:
    """An instrument whose values stand in a table of its own; None while the profile leaves it out."""

    __slots__ = ("_report", "table")

    def __init__(self, report: Report) -> None:
        self._report = report
        self.table: Table | None = None


class Counter(_Exact):
    """A sum that only rises, counted exactly whatever the profile's N: to skip would cost as much as to count."""

    __slots__ = ()

    def add(self, amount: float = 1, /, **attributes: object) -> None:
        """Add an amount of at least 0; attributes that the profile does not name are dropped."""
        table = self.table
        if table is None:
            return
        try:
            try:
                cell = table.cells[table.key(attributes)]
            except (KeyError, TypeError):
                cell = table.admit(attributes)[0]
            if not 0 <= amount < math.inf:
                raise ValueError("an amount is not a finite number of at least 0")
            cell.value += amount
        except Exception as problem:  # noqa: BLE001  # telemetry never breaks the function that it measures
            self._report(problem)


class Gauge(_Exact):
    """The newest value of something."""

    __slots__ = ()

    def set(self, value: float, /, **attributes: object) -> None:
        """Set the value; attributes that the profile does not name are dropped."""
        table = self.table
        if table is None:
            return
        try:
            try:
                cell = table.cells[table.key(attributes)]
            except (KeyError, TypeError):
                cell = table.admit(attributes)[0]
            if not math.isfinite(value):
                raise ValueError("a value is not a finite number")
            cell.value = value
        except Exception as problem:  # noqa: BLE001  # telemetry never breaks the function that it measures
            self._report(problem)


class Histogram:
    """A distribution, of which one measurement in N is kept and all are counted."""

    __slots__ = ("_report", "metric")

    def __init__(self, report: Report) -> None:
        self._report = report
        self.metric: SampledMetric | None = None

    def record(self, value: float, /, **attributes: object) -> None:
        """Record a measurement of at least 0; attributes that the profile does not name are dropped."""
        metric = self.metric
        if metric is None:
            return
        try:  # `SampledMetric.measure`, written out for sets that are known: a call costs a third of all this
            table = metric.table
            try:
                cell = table.cells[table.key(attributes)]
            except (KeyError, TypeError):
                metric.measure(value, attributes)
                return
            cell.count += 1
            sampler = metric.sampler
            sampler.left = left = sampler.left - 1
            if left <= 0 or cell.failed:
                metric.keep(cell, value, left, cell.failed, False)
        except Exception as problem:  # noqa: BLE001  # telemetry never breaks the function that it measures
            self._report(problem)


Instrument = Counter | Gauge | Histogram
I = TypeVar("I", Counter, Gauge, Histogram)  # noqa: E741


class EventType:
    """Something that a function does again and again, such as serving an order; made by `Telemetry.event`.

    Attributes:
        name: As given.
        plan: What is in force; None while telemetry is off.
    """

    __slots__ = ("_counted", "_telemetry", "declared", "instruments", "name", "plan", "state")

    def __init__(self, name: str, telemetry: Owner) -> None:
        self.name = name
        self.plan: EventPlan | None = None
        self.state = EventState()
        self.declared: dict[str, Declared] = {}
        self.instruments: dict[str, Instrument] = {}
        self._counted = 0
        self._telemetry = telemetry

    def measure(self, /, **attributes: object) -> Event:
        """Measure one event: `with order.measure(route="/order") as event:`, `async with`, or as a decorator.

        Args:
            **attributes: What the profile may keep; `outcome` is set at the end, to `ok`, `error` or `cancelled`.
        """
        return begin_event(self, attributes)

    def counter(self, name: str, unit: str = "1") -> Counter:
        """Return the counter of that name; the same one each time."""
        return self._declare(name, Declared("counter", unit), Counter)

    def gauge(self, name: str, unit: str = "1") -> Gauge:
        """Return the gauge of that name; the same one each time."""
        return self._declare(name, Declared("gauge", unit), Gauge)

    def histogram(self, name: str, unit: str = "1", bounds: tuple[float, ...] = SECONDS) -> Histogram:
        """Return the histogram of that name; the same one each time.

        Args:
            name: As the profile names it.
            unit: As in UCUM: `s`, `By`, `1`.
            bounds: Upper bounds of its buckets, rising.
        """
        return self._declare(name, Declared("histogram", unit, tuple(bounds)), Histogram)

    def count(self) -> int:
        """Return how many events there were, whatever they were recorded by."""
        table = _main_table(self.state)
        return self._counted + (0 if table is None else sum(cell.count for cell in table.all_cells()))

    def report(self, problem: BaseException) -> None:
        """Count a failure inside the SDK."""
        self._telemetry.report(problem)

    def _declare(self, name: str, declared: Declared, kind: type[I]) -> I:
        found = self.instruments.get(name)
        if isinstance(found, kind):
            return found
        made = kind(self._telemetry.report)
        if found is not None or name in RESERVED or len(self.instruments) >= MAX_INSTRUMENTS:
            self._telemetry.report(ValueError("an instrument has a name in use, or is one too many"))
            return made
        self.instruments[name] = made
        self.declared[name] = declared
        self._telemetry.refresh(self)
        return made

    def put_in_force(self, state: EventState) -> None:
        """Swap what events and instruments do."""
        table, old = _main_table(state), _main_table(self.state)
        if old is not None and old is not table:
            self._counted += sum(cell.count for cell in old.all_cells())
        self.state = state
        for name, instrument in self.instruments.items():
            if isinstance(instrument, Histogram):
                live = state.live.get(name)
                instrument.metric = None if live is None else live.metric
            else:
                instrument.table = state.table_of(name)
        self.plan = state.plan

    def switch_off(self) -> None:
        """Record nothing any more."""
        self.plan = None
        for instrument in self.instruments.values():
            if isinstance(instrument, Histogram):
                instrument.metric = None
            else:
                instrument.table = None


def _main_table(state: EventState) -> Table | None:
    """Return the first of the tables that count each event."""
    groups = state.plan.groups
    return groups[0][0] if groups else None
