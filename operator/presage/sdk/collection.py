"""All that is recorded, as OpenTelemetry's data: histograms from its SDK, exact counts from our tables.

OpenTelemetry's histograms are collected as deltas, which it forgets at once, and added up here. So a metric that a
profile ends is really gone afterwards, which the SDK's own cumulative state does not allow. What ended is exported
once more by each output, with its last value, before a metric of the same name and attributes starts again from zero.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from presage.core.recording.marks import KEPT_ATTRIBUTE
from presage.sdk.metrics import NEW, SAMPLE
from presage.sdk.recorders import Recorders
from presage.sdk.series import CountedSeries

MAX_ENDED = 20_000
"""Points of ended metrics that wait for their last export; the oldest beyond are dropped."""

OwnPoint = tuple[str, str, bool, dict[str, str], int | float]
"""A metric of the SDK itself: name, unit, whether a gauge, attributes, value."""


@dataclass(slots=True)
class _Metric:
    """A histogram's identity and its points by attribute set."""

    name: str
    unit: str
    points: dict[Hashable, HistogramDataPoint] = field(default_factory=dict)


@dataclass(slots=True)
class _Ended:
    """Something that ended, and the outputs that have not exported it yet."""

    what: CountedSeries | _Metric
    pending: set[str]

    @property
    def size(self) -> int:
        return len(self.what.points) if isinstance(self.what, _Metric) else len(self.what.table.all_cells())


def add_points(one: HistogramDataPoint | None, other: HistogramDataPoint) -> HistogramDataPoint:
    """Return the sum of two histograms of the same attributes, the second being the later one."""
    if one is None or one.explicit_bounds != other.explicit_bounds:
        return other
    return replace(
        other,
        start_time_unix_nano=one.start_time_unix_nano,
        count=one.count + other.count,
        sum=one.sum + other.sum,
        bucket_counts=[a + b for a, b in zip(one.bucket_counts, other.bucket_counts, strict=True)],
        min=min(one.min, other.min),
        max=max(one.max, other.max),
    )


class Collection:
    """The state of all metrics between what counts them and what exports them."""

    def __init__(
        self, recorders: Recorders, own: Callable[[], Iterable[OwnPoint]], delta: bool, started_ns: int
    ) -> None:
        """Args: recorders: hold OpenTelemetry's histograms; own: the SDK's own metrics; delta: temporality."""
        self.outputs: set[str] = set()
        self.delta = delta
        self._recorders = recorders
        self._own = own
        self._started_ns = started_ns
        self._resource: Resource | None = None
        self._lock = threading.RLock()
        self._series: dict[str, list[CountedSeries]] = {}
        self._histograms: dict[str, _Metric] = {}
        self._ended: list[_Ended] = []
        self._in_flight: dict[str, _Metric] = {}
        self._sent: dict[tuple[str, Hashable], tuple[int | float, int]] = {}

    def swap(
        self, event_type: str, series: list[CountedSeries], ended: Sequence[CountedSeries], histograms: Sequence[str]
    ) -> None:
        """Take what an event type has in force now, and what ended with that: series, and histograms by name."""
        with self._lock:
            self._series[event_type] = series
            finished: list[CountedSeries | _Metric] = list(ended)
            if histograms:
                self._absorb()
                finished += [m for m in (self._histograms.pop(name, None) for name in histograms) if m is not None]
            if self.outputs:
                self._ended += [_Ended(what, set(self.outputs)) for what in finished]
            while self._ended and sum(each.size for each in self._ended) > MAX_ENDED:
                self._ended.pop(0)

    def collect(self, output: str = "") -> MetricsData:
        """Return everything, as an output is to export it; without one, as a look that changes nothing."""
        with self._lock:
            self._absorb()
            if self.delta and output:
                self._put_back(set())  # the last export failed: what was in it goes with this one
            now = time.time_ns()
            metrics = [*self._build_histograms(output, now), *self._build_counts(output, now), *self._build_own(now)]
            if self.delta and output:
                self._in_flight, self._histograms = self._histograms, {}
            if self._resource is None:
                self._resource = self._recorders.make_resource()
            scopes = [
                ScopeMetrics(InstrumentationScope(metric.name), [metric], "")
                for metric in metrics
                if not _is_own(metric)
            ]
            own = ScopeMetrics(InstrumentationScope("presage.sdk"), [m for m in metrics if _is_own(m)], "")
            return MetricsData([ResourceMetrics(self._resource, [*scopes, own], "")])

    def commit(self, output: str, sent: MetricsData) -> None:
        """Take note that an output has exported this: what ended is done with, and deltas begin anew."""
        with self._lock:
            for each in self._ended:
                each.pending.discard(output)
            done = [each.what for each in self._ended if not each.pending]
            self._ended = [each for each in self._ended if each.pending]
            if self.delta:
                self._forget_sent(sent, [each for each in done if isinstance(each, CountedSeries)])

    def _absorb(self) -> None:
        for metric in self._recorders.collect():
            known = self._histograms.setdefault(metric.name, _Metric(metric.name, metric.unit or ""))
            for point in metric.data.data_points:
                if isinstance(point, HistogramDataPoint):
                    key = _key(point.attributes or {})
                    known.points[key] = add_points(known.points.get(key), point)

    def _build_histograms(self, output: str, now: int) -> list[Metric]:
        found: dict[str, _Metric] = {}
        ended = [each.what for each in self._ended if not output or output in each.pending]
        for metric in [*(each for each in ended if isinstance(each, _Metric)), *self._histograms.values()]:
            into = found.setdefault(metric.name, _Metric(metric.name, metric.unit))
            for key, point in metric.points.items():
                if not self.delta and _is_superseded(point, metric):
                    continue
                into.points.setdefault(key, replace(point, time_unix_nano=now))
        return [
            Metric(each.name, "", each.unit, Histogram(list(each.points.values()), self._temporality))
            for each in found.values()
            if each.points
        ]

    def _build_counts(self, output: str, now: int) -> list[Metric]:
        ended = [each.what for each in self._ended if not output or output in each.pending]
        current = [series for found in self._series.values() for series in found]
        points: dict[str, dict[Hashable, NumberDataPoint]] = {}
        shape: dict[str, CountedSeries] = {}
        for series in [*(each for each in ended if isinstance(each, CountedSeries)), *current]:
            shape[series.name] = series
            into = points.setdefault(series.name, {})
            for attributes, value in series.read():
                if (key := _key(attributes)) not in into:
                    into[key] = self._number(series, key, attributes, value, now)
        built = []
        for name, found in points.items():
            of = list(found.values())
            data = Gauge(of) if shape[name].is_gauge else Sum(of, self._temporality, True)
            if of:
                built.append(Metric(name, "", shape[name].unit, data))
        return built

    def _number(
        self,
        series: CountedSeries,
        key: Hashable,
        attributes: dict[str, str | bool | int | float],
        value: float,
        now: int,
    ) -> NumberDataPoint:
        started = series.started_ns
        if self.delta and not series.is_gauge:
            before, started = self._sent.get((series.name, key), (0, started))
            value = value - before
        return NumberDataPoint(attributes, started, now, value)

    def _build_own(self, now: int) -> list[Metric]:
        points: dict[str, tuple[str, bool, list[NumberDataPoint]]] = {}
        for name, unit, is_gauge, labels, value in self._own():
            point = NumberDataPoint(labels, self._started_ns, now, value)
            points.setdefault(name, (unit, is_gauge, []))[2].append(point)
        cumulative = AggregationTemporality.CUMULATIVE
        return [
            Metric(name, "", unit, Gauge(found) if is_gauge else Sum(found, cumulative, True))
            for name, (unit, is_gauge, found) in points.items()
        ]

    @property
    def _temporality(self) -> AggregationTemporality:
        return AggregationTemporality.DELTA if self.delta else AggregationTemporality.CUMULATIVE

    def _forget_sent(self, sent: MetricsData, done: Sequence[CountedSeries]) -> None:
        """Take from what is kept what was exported; a delta that an output left out goes with its next one."""
        exported: set[tuple[str, Hashable]] = set()
        scopes = [scope for resource in sent.resource_metrics for scope in resource.scope_metrics]
        for metric in [metric for scope in scopes for metric in scope.metrics if not _is_own(metric)]:
            for point in metric.data.data_points:
                key = (metric.name, _key(point.attributes or {}))
                exported.add(key)
                if isinstance(point, NumberDataPoint) and isinstance(metric.data, Sum):
                    self._sent[key] = (self._sent.get(key, (0, 0))[0] + point.value, point.time_unix_nano)
        self._put_back(exported)
        for series in done:
            for attributes, _ in series.read():
                self._sent.pop((series.name, _key(attributes)), None)

    def _put_back(self, exported: set[tuple[str, Hashable]]) -> None:
        for name, metric in self._in_flight.items():
            into = self._histograms.setdefault(name, _Metric(name, metric.unit)).points
            for key, point in metric.points.items():
                if (name, key) not in exported:
                    newer = into.get(key)
                    into[key] = point if newer is None else add_points(point, newer)
        self._in_flight = {}


def _is_superseded(point: HistogramDataPoint, metric: _Metric) -> bool:
    """Whether the point says only that its set is a new one, and a sample says so better by now."""
    attributes = dict(point.attributes or {})
    return attributes.get(KEPT_ATTRIBUTE) == NEW and _key({**attributes, KEPT_ATTRIBUTE: SAMPLE}) in metric.points


def _is_own(metric: Metric) -> bool:
    return metric.name.startswith("presage_")


def _key(attributes: object) -> Hashable:
    return frozenset(attributes.items()) if isinstance(attributes, dict) else frozenset(dict(attributes).items())  # type: ignore[call-overload]
