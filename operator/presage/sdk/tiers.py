"""What is left out while a back end cannot keep up: the tier that is kept for the shortest time, first; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from opentelemetry.sdk.metrics.export import Metric, MetricsData

from presage.core.recording.marks import RETENTION_ATTRIBUTE

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
_PART = re.compile(r"(\d+)(ms|[smhdwy])")


def tier_seconds(tier: str) -> float:
    """Return how long a tier such as `15d` or `1h30m` keeps; infinity if the text says something else."""
    parts = _PART.findall(tier)
    if not parts or "".join(number + unit for number, unit in parts) != tier:
        return float("inf")
    return sum(int(number) * _UNITS[unit] for number, unit in parts)


def drop_shortest(data: MetricsData, tiers: int) -> tuple[MetricsData, dict[str, int]]:
    """Return the data without the points of so many shortest tiers, and how many points of each tier that were.

    The longest tier, and points without one, always stay.
    """
    found = {tier for resource in data.resource_metrics for s in resource.scope_metrics for tier in _tiers(s.metrics)}
    gone = set(sorted(found, key=tier_seconds)[: min(tiers, len(found) - 1)]) if found and tiers > 0 else set()
    dropped = dict.fromkeys(gone, 0)
    if not gone:
        return data, dropped
    resources = []
    for resource in data.resource_metrics:
        scopes = [replace(s, metrics=_without(s.metrics, gone, dropped)) for s in resource.scope_metrics]
        resources.append(replace(resource, scope_metrics=[scope for scope in scopes if scope.metrics]))
    return MetricsData(resources), dropped


def _tiers(metrics: Iterable[Metric]) -> Iterable[str]:
    for metric in metrics:
        for point in metric.data.data_points:
            if tier := _tier_of(point):
                yield tier


def _without(metrics: Iterable[Metric], gone: set[str], dropped: dict[str, int]) -> list[Metric]:
    left = []
    for metric in metrics:
        kept = []
        for point in metric.data.data_points:
            if (tier := _tier_of(point)) in gone:
                dropped[tier] += 1
            else:
                kept.append(point)
        if kept:
            left.append(replace(metric, data=replace(metric.data, data_points=kept)))  # type: ignore[arg-type]
    return left


def _tier_of(point: object) -> str:
    attributes = getattr(point, "attributes", None) or {}
    return str(attributes.get(RETENTION_ATTRIBUTE, ""))
