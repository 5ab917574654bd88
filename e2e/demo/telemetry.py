"""Reads from Prometheus what the function's instances recorded and by which generation, after the day."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from e2e.demo import manifests
from e2e.demo.accounting import FloatArray
from e2e.demo.prometheus import TELEMETRY_JOB, TELEMETRY_SECONDS, PrometheusServer
from e2e.demo.recording import Cost, InstanceStep, Presence
from presage.core.recording.marks import GENERATION_METRIC, PROFILE_SINCE_METRIC

_WINDOW_SECONDS = 5 * TELEMETRY_SECONDS
_PODS = f'job="{TELEMETRY_JOB}",namespace="{manifests.NAMESPACE}"'
_PART = "presage_sdk_seconds_total"


def _rate(metric: str, more: str = "") -> str:
    return f"sum(rate({metric}{{{_PODS}{more}}}[{_WINDOW_SECONDS}s]))"


_COSTS: Mapping[str, str] = {
    "pods": f"count(up{{{_PODS}}} == 1)",
    "body_bytes": f"sum(scrape_body_size_bytes{{{_PODS}}})",
    "events": _rate(f"presage_{manifests.EVENT_TYPE}_events_total"),
    "record_cores": _rate(_PART, ',part="record"'),
    "page_cores": _rate(_PART, ',part!="record"'),
}


def read_cost(prometheus: PrometheusServer, start: float, seconds: int) -> Cost:
    """Return what telemetry took, from ``start`` on; what was not seen is 0."""
    count = seconds // TELEMETRY_SECONDS
    found = {name: _read_row(prometheus, query, start, count) for name, query in _COSTS.items()}
    return Cost(float(TELEMETRY_SECONDS), **{name: tuple(row.tolist()) for name, row in found.items()})


def _read_row(prometheus: PrometheusServer, query: str, start: float, count: int) -> FloatArray:
    row = np.zeros(count)
    step = float(TELEMETRY_SECONDS)
    for series in prometheus.query_range(query, start, start + (count - 1) * step, step):
        for when, value in series["values"]:
            row[round((float(when) - start) / step)] = float(value)
    return row


def read_instances(
    prometheus: PrometheusServer, start: float, end: float
) -> tuple[tuple[InstanceStep, ...], dict[str, Presence]]:
    """Return when each instance began to record by which generation, and from when to when it was scraped."""
    generations = _read_by_pod(prometheus, GENERATION_METRIC, start, end)
    since = _read_by_pod(prometheus, PROFILE_SINCE_METRIC, start, end)
    steps, present = [], {}
    for pod, values in generations.items():
        present[pod] = Presence(min(values), max(values) + TELEMETRY_SECONDS)
        begins: dict[int, float] = {}
        for when, value in sorted(values.items()):
            begins.setdefault(int(value), since.get(pod, {}).get(when, when))
        steps += [InstanceStep(pod, at, generation) for generation, at in begins.items()]
    return tuple(steps), present


def _read_by_pod(prometheus: PrometheusServer, metric: str, start: float, end: float) -> dict[str, dict[float, float]]:
    result = prometheus.query_range(f"max by (pod) ({metric}{{{_PODS}}})", start, end, float(TELEMETRY_SECONDS))
    return {
        series["metric"]["pod"]: {float(when): float(value) for when, value in series["values"]} for series in result
    }
