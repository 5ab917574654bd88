"""presage's own metrics, in a registry of its own.

Object names are labels only in the per-object series that dashboards need; those can be switched off and go when the
object goes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_LAG_PERIOD_S = 0.25

WATCHED: Mapping[str, str] = {
    "presage_events_dropped": "Events not written.",
    "presage_forecast_fits_waiting": "Full forecasts that were asked for and have not begun.",
    "presage_injection_in_force": "1 while new pods that ask for it are injected, 0 while not; NaN if it is not known.",
    "presage_leader": "1 while this process holds the Lease.",
    "presage_queue_age_seconds": "Longest wait of an object.",
    "presage_queue_depth": "Objects that wait to be handled.",
    "presage_seconds_since_sweep": "Age of the last sweep.",
}
"""Gauges that are read when they are scraped: name → help."""

EVERY_OBJECT: Mapping[str, str] = {
    "object_ready": "1 while what the spec asks for is in force.",
    "object_condition": "1 while a condition of the object is True.",
}
"""Per-object series that every kind has: name without prefix → help."""

EVERY_OBJECT_LABELS: Mapping[str, str] = {"object_condition": "condition"}
"""Which of them have a label of their own, and its name."""

PER_OBJECT_LABELS = ("kind", "namespace", "name")

_Object = tuple[str, str, str]


class Metrics:
    """All series of one process.

    Args:
        per_object: Whether the per-object series are exported.
        gauges: Help of the per-object series: name without prefix → help.
        gauge_labels: Which of them have a label of their own, and its name.
    """

    def __init__(
        self,
        *,
        per_object: bool = True,
        gauges: Mapping[str, str] | None = None,
        gauge_labels: Mapping[str, str] | None = None,
    ) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)  # memory, CPU, open files
        PlatformCollector(registry=self.registry)
        self._per_object = per_object
        self._help = {**(gauges or {}), **EVERY_OBJECT}
        self._own_labels = {**(gauge_labels or {}), **EVERY_OBJECT_LABELS}
        self._objects: dict[str, Gauge] = {}
        self._shown: dict[_Object, set[tuple[str, ...]]] = {}  # name of the series, and its own label's value if any
        self._watched: list[tuple[Gauge, Callable[[], float]]] = []
        self.loop_lag = Histogram(
            "presage_event_loop_lag_seconds",
            "How late the event loop woke a task that slept a fixed time.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._reconciles = self._durations(
            "presage_reconcile_duration_seconds",
            "Duration of reconciles by kind and outcome.",
            "kind",
            "outcome",
        )
        self._source_requests = self._durations(
            "presage_source_request_duration_seconds",
            "Duration of requests to metrics sources; outcome is ok or the fault's reason.",
            "source",
            "outcome",
        )
        self._kube_requests = Counter(
            "presage_kube_requests_total",
            "Requests to the Kubernetes API by verb, resource and outcome.",
            ["verb", "resource", "outcome"],
            registry=self.registry,
        )
        self._fits = self._durations(
            "presage_forecast_fit_duration_seconds",
            "Duration of full fits in worker processes; outcome is Done, Failed, Died (the process) or Late.",
            "outcome",
        )
        self._decisions = Counter(
            "presage_decisions_total",
            "Scaling decisions by the rule that decided.",
            ["kind", "binding"],
            registry=self.registry,
        )
        self._readiness: dict[_Object, bool] = {}
        self._objects_by_readiness = Gauge(
            "presage_objects",
            "Objects by kind and by whether what their spec asks for is in force.",
            ["kind", "ready"],
            registry=self.registry,
        )

    def _durations(self, name: str, documentation: str, *labels: str) -> Histogram:
        return Histogram(name, documentation, labels, buckets=_SECONDS, registry=self.registry)

    def watch_value(self, name: str, read: Callable[[], float]) -> None:
        """Export a gauge of `WATCHED` whose value is read, on the event loop, when it is scraped."""
        self._watched.append((Gauge(name, WATCHED[name], registry=self.registry), read))

    def observe_reconcile(self, kind: str, outcome: str, seconds: float) -> None:
        """Count one reconcile; its outcome is the name of an outcome, or `Defect` when it raised."""
        self._reconciles.labels(kind, outcome).observe(seconds)

    def count_decision(self, kind: str, binding: str) -> None:
        """Count one scaling decision by its binding reason, such as `Forecast` or `Maximum`."""
        self._decisions.labels(kind, binding).inc()

    def observe_fit(self, outcome: str, seconds: float) -> None:
        """Count one fit of the full tier."""
        self._fits.labels(outcome).observe(seconds)

    def observe_source_request(self, source: str, outcome: str, seconds: float) -> None:
        """Count one request to a metrics source; safe to call from threads."""
        self._source_requests.labels(source, outcome).observe(seconds)

    def observe_kube_request(self, verb: str, resource: str, outcome: str, _seconds: float) -> None:
        """Count one request to the Kubernetes API; safe to call from threads."""
        self._kube_requests.labels(verb, resource, outcome).inc()

    def set_object(
        self, kind: str, namespace: str, name: str, values: Mapping[str, float | Mapping[str, float]], *, ready: bool
    ) -> None:
        """Count an object as ready or not, and set its own series, `presage_<name of the value>`.

        The value of a series with a label of its own is a mapping: the label's value → value. What is left out is
        removed. The series `presage_object_ready` comes by itself.
        """
        labels = (kind, namespace, name)
        self._count_as(labels, ready)
        if not self._per_object:
            return
        shown: dict[tuple[str, ...], float] = {}
        for series, value in {**values, "object_ready": float(ready)}.items():
            shown |= {(series, at): v for at, v in value.items()} if isinstance(value, Mapping) else {(series,): value}
        for (series, *own), value in shown.items():
            self._gauge(series).labels(*labels, *own).set(value)
        self._hide(labels, shown.keys())

    def forget_object(self, kind: str, namespace: str, name: str) -> None:
        """Count a deleted object no more, and remove its series."""
        labels = (kind, namespace, name)
        self._count_as(labels, None)
        self._hide(labels, ())

    def _gauge(self, series: str) -> Gauge:
        if series not in self._objects:
            own = (self._own_labels[series],) if series in self._own_labels else ()
            self._objects[series] = Gauge(
                f"presage_{series}",
                self._help.get(series, series),
                (*PER_OBJECT_LABELS, *own),
                registry=self.registry,
            )
        return self._objects[series]

    def _hide(self, labels: _Object, but: Collection[tuple[str, ...]]) -> None:
        """Remove what is shown of an object, but for these."""
        for series, *own in self._shown.pop(labels, set()) - set(but):
            self._objects[series].remove(*labels, *own)
        if but:
            self._shown[labels] = set(but)

    def _count_as(self, labels: _Object, ready: bool | None) -> None:
        """Move an object to the count of those that are ready or not; None takes it out of both."""
        before = self._readiness.pop(labels, None)
        if ready is not None:
            self._readiness[labels] = ready
        for state, step in ((before, -1), (ready, 1)):
            if state is not None:
                self._objects_by_readiness.labels(labels[0], str(state).lower()).inc(step)

    async def render(self) -> bytes:
        """Return everything in the text format of Prometheus.

        The text is made in a thread: for 2,000 objects it takes about 0.1 s, too long for the event loop.
        """
        for gauge, read in self._watched:
            gauge.set(read())
        return await asyncio.to_thread(generate_latest, self.registry)

    async def sample_loop_lag(self) -> None:
        """Measure the event loop's lag, forever."""
        while True:
            before = time.monotonic()
            await asyncio.sleep(_LAG_PERIOD_S)
            self.loop_lag.observe(max(0.0, time.monotonic() - before - _LAG_PERIOD_S))
