"""The histograms of OpenTelemetry's SDK that kept measurements go into.

One provider with exemplars and one without, since that is a provider's choice; each is made when it is first needed.
Attribute sets are bounded by our own tables, and OpenTelemetry forgets them at each collection (delta temporality).
"""

from __future__ import annotations

from collections.abc import Callable

from opentelemetry.sdk.metrics import (
    AlwaysOffExemplarFilter,
    AlwaysOnExemplarFilter,
    Histogram,
    MeterProvider,
)
from opentelemetry.sdk.metrics.export import AggregationTemporality, Metric, MetricReader, MetricsData
from opentelemetry.sdk.resources import Resource

from presage.sdk.metrics import Record
from presage.sdk.plans import Declared

MAX_SETS = 1_000_000
"""OpenTelemetry's own cap: out of the way of ours, which is in the document."""


class _Reader(MetricReader):
    """Hands over what it is asked to collect."""

    def __init__(self) -> None:
        super().__init__({Histogram: AggregationTemporality.DELTA}, cardinality_limits={Histogram: MAX_SETS})
        self.found: list[Metric] = []

    def _receive_metrics(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: object) -> None:
        scopes = [scope for resource in metrics_data.resource_metrics for scope in resource.scope_metrics]
        self.found = [metric for scope in scopes for metric in scope.metrics]

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: object) -> None:
        """Do nothing: there is nothing to let go of."""


class Recorders:
    """Makes histograms, and collects what went into them."""

    def __init__(self, make_resource: Callable[[], Resource]) -> None:
        """Args: make_resource: called once, at the first export."""
        self.make_resource = make_resource
        self._providers: dict[bool, tuple[MeterProvider, _Reader]] = {}
        self._made: dict[tuple[str, bool], Record] = {}

    def make(self, name: str, declared: Declared, exemplars: bool) -> Record:
        """Return what takes measurements of a metric; a meter of its own bears the metric's name."""
        record = self._made.get((name, exemplars))
        if record is None:
            meter = self._provider(exemplars).get_meter(name)
            bounds = list(declared.bounds)
            histogram = meter.create_histogram(name, declared.unit, explicit_bucket_boundaries_advisory=bounds)
            record = self._made[name, exemplars] = histogram.record
        return record

    def collect(self) -> list[Metric]:
        """Return what was measured since the last call."""
        found: list[Metric] = []
        for _, reader in list(self._providers.values()):
            reader.found = []
            reader.collect()
            found += reader.found
            reader.found = []
        return found

    def _provider(self, exemplars: bool) -> MeterProvider:
        if exemplars not in self._providers:
            reader = _Reader()
            chosen = AlwaysOnExemplarFilter() if exemplars else AlwaysOffExemplarFilter()
            provider = MeterProvider([reader], Resource.get_empty(), chosen, shutdown_on_exit=False)
            self._providers[exemplars] = (provider, reader)
        return self._providers[exemplars][0]
