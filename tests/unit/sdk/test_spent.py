"""What keeping measurements costs is the CPU that it took, whatever else the machine was busy with."""

from __future__ import annotations

import time

import pytest

from presage.core.recording.types import MetricSettings
from presage.sdk.metrics import Record, SampledMetric
from presage.sdk.sampler import BlockSampler
from presage.sdk.tables import Attributes, Table

KEPT = 64


def keep(record: Record) -> float:
    """The seconds that a metric says it spent on so many measurements, all of them kept."""
    metric = SampledMetric(MetricSettings(1, ("route",)), Table(("route",), 10), BlockSampler(1, 7), record)
    for _ in range(KEPT):
        metric.measure(0.1, {"route": "/order"})
    return metric.spent


def work(_: float, __: Attributes) -> None:
    until = time.thread_time() + 0.001
    while time.thread_time() < until:
        pass


def test_work_counts() -> None:
    assert keep(work) == pytest.approx(KEPT * 0.001, rel=0.3)


def test_waiting_does_not() -> None:
    assert keep(lambda _, __: time.sleep(0.002)) < KEPT * 0.001
