"""From a profile to what an event type does: tables, sampled metrics and series, reusing what has not changed.

A metric whose settings stay keeps its table, its block and its counts. Any change of them begins a new block, and
lets each attribute set be kept once more as a new one; counts go on wherever the attributes are the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from presage.core.recording.types import MetricSettings, RecordingProfile
from presage.sdk.events import EventPlan
from presage.sdk.metrics import CpuMeter, CpuMetric, Record, SampledMetric
from presage.sdk.sampler import BlockSampler, derive_seed
from presage.sdk.series import CountedSeries, Field, labels_of
from presage.sdk.tables import Table

Kind = Literal["counter", "gauge", "histogram"]
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
BYTES = (256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262144.0, 1048576.0, 4194304.0, 16777216.0)
MICROSECONDS = (1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0)
DEFAULT_RETENTION = "15d"


@dataclass(frozen=True, slots=True)
class Declared:
    """A metric that code has declared: whether it is recorded is the profile's business.

    Attributes:
        kind: What it is.
        unit: As in UCUM.
        bounds: Upper bounds of a histogram's buckets.
    """

    kind: Kind
    unit: str = "1"
    bounds: tuple[float, ...] = ()


EVENT_WIDE: Mapping[str, Declared] = {
    "latency": Declared("histogram", "s", SECONDS),
    "cpu": Declared("histogram", "s", MICROSECONDS),
}
"""Histograms that each event measures."""

OCCASIONAL: Mapping[str, Declared] = {
    "queue_time": Declared("histogram", "s", SECONDS),
    "payload": Declared("histogram", "By", BYTES),
    "dependency_latency": Declared("histogram", "s", SECONDS),
}
"""Histograms of what only some events carry, or more than once."""

COUNTS: Mapping[str, Field] = {"requests": "count", "errors": "errors"}
RESERVED = frozenset({*EVENT_WIDE, *OCCASIONAL, *COUNTS, "events"})
MakeRecord = Callable[[str, Declared, bool], Record]
"""Makes the histogram of a metric, by export name; the last argument says whether with exemplars."""


@dataclass(frozen=True, slots=True)
class Live:
    """A metric in force, and what it was made for."""

    made_for: tuple[MetricSettings, bool]
    metric: SampledMetric


@dataclass(slots=True)
class EventState:
    """All that an event type has in force.

    Attributes:
        profile: The profile it was built from; None: nothing yet.
        plan: For events.
        tables: By use and attributes: the metric's name, or the counts of events that are read from it. Another use
            begins with another table: what one series has counted must not be another one's beginning.
        live: Sampled metrics by name.
        series: What is read from tables.
    """

    profile: RecordingProfile | None = None
    plan: EventPlan = field(default_factory=lambda: EventPlan(()))
    tables: dict[tuple[str, tuple[str, ...]], Table] = field(default_factory=dict)
    live: dict[str, Live] = field(default_factory=dict)
    series: list[CountedSeries] = field(default_factory=list)

    def table_of(self, metric: str) -> Table | None:
        """Return the table of a counter or gauge that code declared; None: the profile leaves it out."""
        return next((table for (name, _), table in self.tables.items() if name == metric), None)


class Builder:
    """Builds the next state of one event type from the one before."""

    def __init__(
        self,
        event_type: str,
        prefix: str,
        seed: int,
        most_sets: int,
        make_record: MakeRecord,
        count_events: Callable[[], int],
    ) -> None:
        """Args: event_type: its name; prefix: of export names; most_sets: cap of attribute sets; rest by its type."""
        self._event_type = event_type
        self._prefix = prefix
        self._seed = seed
        self._most = most_sets
        self._make_record = make_record
        self._count_events = count_events

    def build(self, before: EventState, profile: RecordingProfile, declared: Mapping[str, Declared]) -> EventState:
        """Return what is in force under a profile, for the metrics that code has declared."""
        state = EventState(profile=profile)
        self._add_event_wide(before, state)
        for name, metric in {**OCCASIONAL, **declared}.items():
            if name in profile.metrics:
                self._add_own(before, state, name, metric)
        optional = {name: state.live[name].metric for name in OCCASIONAL if name in state.live}
        state.plan = EventPlan(state.plan.groups, **optional)
        return state

    def _add_event_wide(self, before: EventState, state: EventState) -> None:
        assert state.profile is not None  # noqa: S101  # for the type checker
        wanted = {n: s for n, s in state.profile.metrics.items() if n in EVENT_WIDE or n in COUNTS}
        every_name = tuple(dict.fromkeys(name for each in wanted.values() for name in each.attributes))
        groups: dict[tuple[str, ...], list[str]] = {every_name: ["events"]}
        for name, settings in wanted.items():
            groups.setdefault(settings.attributes, []).append(name)
        found = []
        for names, metrics in groups.items():
            counted = [name for name in metrics if name not in EVENT_WIDE]
            table = self._table(before, state, "/".join(["", *counted]), names)
            wide = [self._sampled(before, state, n, EVENT_WIDE[n], table) for n in metrics if n in EVENT_WIDE]
            found.append((table, tuple(wide)))
            for name in counted:
                retention = _retention_of(name, wanted)
                self._count(before, state, name, "{event}", table, COUNTS.get(name, "count"), retention)
        state.plan = EventPlan(tuple(found))

    def _add_own(self, before: EventState, state: EventState, name: str, declared: Declared) -> None:
        assert state.profile is not None  # noqa: S101  # for the type checker
        settings = state.profile.metrics[name]
        table = self._table(before, state, name, settings.attributes)
        if declared.kind != "histogram":
            is_gauge = declared.kind == "gauge"
            self._count(before, state, name, declared.unit, table, "value", settings.retention, is_gauge)
            return
        self._sampled(before, state, name, declared, table)
        if settings.every_events > 1:
            named = f"{name}.measurements"
            self._count(before, state, named, "{measurement}", table, "count", settings.retention)

    def _table(self, before: EventState, state: EventState, use: str, names: tuple[str, ...]) -> Table:
        key = (use, names)
        if key not in state.tables:
            old = before.tables.get(key)
            state.tables[key] = old if old is not None and old.most == self._most else Table(names, self._most)
        return state.tables[key]

    def _sampled(
        self, before: EventState, state: EventState, name: str, declared: Declared, table: Table
    ) -> SampledMetric:
        assert state.profile is not None  # noqa: S101  # for the type checker
        settings = state.profile.metrics[name]
        made_for = (settings, state.profile.exemplars)
        old = before.live.get(name)
        if old is not None and old.made_for == made_for and old.metric.table is table:
            state.live[name] = old
            return old.metric
        if old is not None:
            table.renew()
            sampler = old.metric.sampler.resume(settings.every_events)
        else:
            sampler = BlockSampler(settings.every_events, derive_seed(self._seed, self._event_type, name))
        record = self._make_record(f"{self._prefix}{name}", declared, state.profile.exemplars)
        metric = (
            CpuMetric(settings, table, sampler, record, CpuMeter(self._count_events))
            if name == "cpu"
            else SampledMetric(settings, table, sampler, record)
        )
        state.live[name] = Live(made_for, metric)
        return metric

    def _count(
        self,
        before: EventState,
        state: EventState,
        name: str,
        unit: str,
        table: Table,
        counted: Field,
        retention: str,
        is_gauge: bool = False,
    ) -> None:
        labels = labels_of(retention)
        series = CountedSeries(f"{self._prefix}{name}", unit, table, counted, labels, is_gauge, time.time_ns())
        state.series.append(next((old for old in before.series if old.is_same(series)), series))


def _retention_of(name: str, wanted: Mapping[str, MetricSettings]) -> str:
    """Return the tier of a count; that of all events is the one of the requests, or of the latency."""
    among = (name, "requests", "latency")
    return next((wanted[each].retention for each in among if each in wanted), DEFAULT_RETENTION)


def changed_histograms(before: EventState, after: EventState) -> list[str]:
    """Return the names of sampled metrics that ended, or began anew, with the later state."""
    return [name for name, live in before.live.items() if after.live.get(name) is not live]


def ended_series(before: EventState, after: EventState) -> list[CountedSeries]:
    """Return the series that the later state does not go on with."""
    return [old for old in before.series if not any(old is new for new in after.series)]
