"""Reads points out of OpenTelemetry's data."""

from __future__ import annotations

from typing import Any

from presage.sdk import Telemetry


def points(telemetry: Telemetry, name: str, **labels: object) -> list[Any]:
    """The points of a metric whose attributes include these."""
    data = telemetry.collect()
    assert data is not None
    return points_of(data, name, **labels)


def points_of(data: Any, name: str, **labels: object) -> list[Any]:
    """The same, of data that was exported."""
    metrics = [m for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics if m.name == name]
    found = [point for metric in metrics for point in metric.data.data_points]
    return [point for point in found if labels.items() <= dict(point.attributes).items()]


def total(telemetry: Telemetry, name: str, **labels: object) -> float:
    """The sum of a counter's points, or the count of a histogram's."""
    return sum(getattr(p, "value", getattr(p, "count", 0)) for p in points(telemetry, name, **labels))
