"""What recording costs: a table of figures, and the arithmetic by which a budget is kept.

The figures are rough by nature, and meant to err on the dear side. Processor time was measured on two shared cores with
the OpenTelemetry SDK for Python: 13 to 17 microseconds for one recorded value with three attributes, 268 nanoseconds
on average behind a gate that records one event in 100, of which 150 are the recorded one's share. Bytes are those of
the protobuf encoding of OTLP without compression, counted by its wire format (opentelemetry-proto, metrics.proto).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from presage.core.recording.catalogue import DEPENDENCY_LATENCY
from presage.core.recording.types import MetricSettings, RecordingProfile

_SECOND_NS = 1e9


@dataclass(frozen=True, slots=True)
class Costs:
    """Figures that the cost of recording is reckoned with.

    Attributes:
        record_ns: Processor time of one value that is recorded.
        gate_ns: The same of each event that a metric looks at and leaves out or takes.
        point_bytes: One series of a counter in one export: 2 of framing, 27 of times and value, and some 81 of the
            attributes that the SDK adds.
        attribute_bytes: One attribute of one series: 8 of framing, a name of 6 characters and a value of 8.
        buckets_bytes: What a histogram's series has beside that: count, sum, least and most, 16 buckets, 15 bounds.
        exemplar_bytes: One exemplar in each of some 8 buckets in use: times, value, trace and span.
        values_of_an_attribute: Attribute sets grow by this factor with each attribute: 4 for 2, 16 for 4, 64 for 6.
        calls: Values recorded for one event, by metric, where it is not one.
        counters: Metrics that are no histograms. Others may be, so they count as histograms.
    """

    record_ns: float = 15_000.0
    gate_ns: float = 120.0
    point_bytes: float = 110.0
    attribute_bytes: float = 22.0
    buckets_bytes: float = 290.0
    exemplar_bytes: float = 8 * 60.0
    values_of_an_attribute: float = 2.0
    calls: Mapping[str, float] = field(default_factory=lambda: {DEPENDENCY_LATENCY: 3.0, "errors": 0.05})
    counters: frozenset[str] = frozenset({"requests", "errors"})


COSTS = Costs()


def find_record_share(costs: Costs, metric: str, settings: MetricSettings, events_per_second: float) -> float:
    """Return the cores that the recorded values of a metric keep busy; this is what falls with `every_events`."""
    values = events_per_second * costs.calls.get(metric, 1.0)
    return values / settings.every_events * costs.record_ns / _SECOND_NS


def find_gate_share(costs: Costs, profile: RecordingProfile, events_per_second: float) -> float:
    """Return the cores that a profile keeps busy with events it leaves out, whatever `every_events` are."""
    values = events_per_second * sum(costs.calls.get(metric, 1.0) for metric in profile.metrics)
    return values * costs.gate_ns / _SECOND_NS


def find_export_bytes(costs: Costs, profile: RecordingProfile, attribute_sets: int, instances: float) -> float:
    """Return the bytes that one export of all instances has.

    Series are cumulative: each is sent at every export, however seldom something is recorded into it.

    Args:
        costs: The figures.
        profile: What is recorded.
        attribute_sets: Most of them that one metric may have.
        instances: How many record by the profile.
    """
    total = 0.0
    for metric, settings in profile.metrics.items():
        count = len(settings.attributes)
        series = costs.point_bytes + costs.attribute_bytes * count
        if metric not in costs.counters:
            series += costs.buckets_bytes + (costs.exemplar_bytes if profile.exemplars else 0.0)
        total += series * min(float(attribute_sets), costs.values_of_an_attribute**count)
    return total * instances
