"""A profile that changes while events go on."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

from opentelemetry.sdk.metrics.export import MetricExportResult, MetricsData

from presage.core.recording.document import render_document
from presage.core.recording.types import Escalation, EventRecording, MetricSettings, Recording, RecordingProfile
from presage.sdk import Telemetry
from tests.unit.sdk.conftest import Make, profile, write
from tests.unit.sdk.reading import points, points_of, total


def eventually(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    until = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.02)


class Exporter:
    """Keeps what it is given; may fail or be slow."""

    def __init__(self) -> None:
        self.exports: list[MetricsData] = []
        self.fails = False
        self.seconds = 0.0

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000) -> MetricExportResult:
        time.sleep(self.seconds)
        if self.fails:
            return MetricExportResult.FAILURE
        self.exports.append(metrics_data)
        return MetricExportResult.SUCCESS

    def shutdown(self, timeout_millis: float = 30_000) -> None:
        """Nothing is held."""


def serve(telemetry: Telemetry, number: int, **attributes: object) -> None:
    order = telemetry.event("order")
    for _ in range(number):
        with order.measure(route="/order", **attributes):
            pass


def values(data: Any, name: str, **labels: object) -> list[float]:
    return [getattr(p, "value", getattr(p, "count", None)) for p in points_of(data, name, **labels)]


def test_a_changed_file_is_in_force_within_two_looks(make: Make, tmp_path: Path) -> None:
    path = write(tmp_path / "d", profile(latency=100), 1)
    telemetry = make(str(path))
    basket = telemetry.event("order").histogram("basket")
    basket.record(1, route="/order")
    started = time.monotonic()
    write(path, profile(latency=1, basket=1), 2)
    eventually(lambda: telemetry.generation == 2)
    assert time.monotonic() - started < 2.5
    basket.record(1, route="/order")
    serve(telemetry, 5)
    assert total(telemetry, "presage.order.latency", presage_every=1) == 5
    assert total(telemetry, "presage.order.basket") == 1
    assert values(telemetry.collect(), "presage_profile_generation", metric_profile="shop") == [2]


def test_weights_never_mix_and_counts_go_on(make: Make, tmp_path: Path) -> None:
    path = write(tmp_path / "d", profile(requests=1, latency=10), 1)
    exporter = Exporter()
    telemetry = make(str(path), exporter=exporter, seed=5)
    serve(telemetry, 105)
    write(path, profile(requests=1, latency=4), 2)
    eventually(lambda: telemetry.generation == 2)
    serve(telemetry, 100)
    assert telemetry.flush()
    assert telemetry.flush()
    first, second = exporter.exports[-2:]
    # the block of 10 that was begun is dropped, and blocks of 4 begin at once
    assert values(first, "presage.order.latency", presage_every=10, presage_kept="sample") in ([10], [11])
    assert values(first, "presage.order.latency", presage_every=4, presage_kept="sample") == [25]
    assert values(first, "presage.order.events") == [205]
    # what ended is exported once more, and no longer
    assert values(second, "presage.order.latency", presage_every=10) == []
    assert values(second, "presage.order.latency", presage_every=4, presage_kept="sample") == [25]
    assert values(second, "presage.order.requests") == [205]


def test_other_attributes_lose_no_event(make: Make, tmp_path: Path) -> None:
    """The new sets have the same labels as the old ones, since nobody gives `region`: a reset, with nothing lost."""
    path, exporter = write(tmp_path / "d", profile(requests=1), 1), Exporter()
    telemetry = make(str(path), exporter=exporter)
    serve(telemetry, 30)
    wider = {"requests": MetricSettings(1, ("route", "outcome", "region"))}
    write(path, RecordingProfile("Wider", wider, 60), 2)
    eventually(lambda: telemetry.generation == 2)
    serve(telemetry, 12)
    telemetry.flush()
    telemetry.flush()
    assert [values(each, "presage.order.requests") for each in exporter.exports[-2:]] == [[30], [12]]


def test_nothing_grows_with_the_number_of_changes(make: Make, tmp_path: Path) -> None:
    path, exporter = write(tmp_path / "d", profile(latency=1), 1), Exporter()
    telemetry = make(str(path), exporter=exporter)
    for generation in range(2, 40):
        write(path, profile(latency=generation), generation)
        telemetry._look()
        assert telemetry.generation == generation
        serve(telemetry, 3 * generation)
    telemetry.flush()
    telemetry.flush()
    sizes = [
        sum(len(s.metrics[0].data.data_points) for s in d.resource_metrics[0].scope_metrics) for d in exporter.exports
    ]
    assert sizes[-1] < 10
    assert {p.attributes["presage_every"] for p in points(telemetry, "presage.order.latency")} == {39}


def test_an_escalation_begins_and_ends_without_another_document(make: Make, tmp_path: Path) -> None:
    up = Escalation(profile("Loud", latency=1), 1.0, time.time() + 2.5)
    what = Recording("default", "shop", {"order": EventRecording(profile("Quiet", latency=50), up)}, profile())
    path = tmp_path / "d"
    path.write_text(render_document(what, 1))
    telemetry = make(str(path))
    order = telemetry.event("order")
    assert order.state.profile is not None
    assert order.state.profile.name == "Loud"
    before = order.state
    telemetry._look()
    assert order.state is before, "nothing is built anew while nothing turns"
    eventually(lambda: order.state.profile is not None and order.state.profile.name == "Quiet")


def test_the_interval_is_the_shortest_of_the_profiles_in_use(make: Make, tmp_path: Path) -> None:
    one, other = profile("A", interval=30, latency=1), profile("B", interval=7, latency=1)
    events = {"order": EventRecording(one), "pay": EventRecording(other)}
    path = tmp_path / "d"
    path.write_text(render_document(Recording("default", "shop", events, profile(interval=50)), 1))
    telemetry = make(str(path))
    assert telemetry._interval_s() == 50
    telemetry.event("order")
    assert telemetry._interval_s() == 30
    telemetry.event("pay")
    assert telemetry._interval_s() == 7


def test_exports_come_at_the_interval(make: Make, tmp_path: Path) -> None:
    exporter = Exporter()
    telemetry = make(str(write(tmp_path / "d", profile(requests=1, interval=1))), exporter=exporter)
    serve(telemetry, 1)
    eventually(lambda: len(exporter.exports) >= 3)
    times = [points_of(each, "presage.order.requests")[0].time_unix_nano for each in exporter.exports]
    assert all(0.8e9 < after - before < 2e9 for before, after in pairwise(times))


def test_a_back_end_that_fails_costs_the_shortest_tier_first(make: Make, tmp_path: Path) -> None:
    metrics = {
        "requests": MetricSettings(1, ("route",), "15d"),
        "latency": MetricSettings(1, ("route",), "2h"),
    }
    path, exporter = tmp_path / "d", Exporter()
    write(path, RecordingProfile("Two", metrics, 60))
    telemetry = make(str(path), exporter=exporter)
    serve(telemetry, 10)
    exporter.fails = True
    assert not telemetry.flush()
    exporter.fails = False
    assert telemetry.flush()
    (spared,) = exporter.exports
    assert values(spared, "presage.order.latency") == []
    assert values(spared, "presage.order.requests") == [10]
    assert telemetry.flush()
    whole = exporter.exports[-1]
    assert values(whole, "presage.order.latency", presage_kept="sample") == [10]
    assert values(whole, "presage_sdk_dropped_points", tier="2h") == [1]


def test_deltas_are_what_was_added_and_a_failed_export_loses_none(
    make: Make, tmp_path: Path, monkeypatch: object
) -> None:
    import pytest

    assert isinstance(monkeypatch, pytest.MonkeyPatch)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta")
    exporter = Exporter()
    telemetry = make(str(write(tmp_path / "d", profile(requests=1, latency=1))), exporter=exporter)
    got = []
    for number, fails in ((10, False), (5, True), (3, False), (0, False), (2, False)):
        serve(telemetry, number)
        exporter.fails = fails
        telemetry.flush()
        if not fails:
            data = exporter.exports[-1]
            got.append(
                (
                    sum(values(data, "presage.order.requests")),
                    sum(values(data, "presage.order.latency", presage_kept="sample")),
                )
            )
    assert got == [(10, 10), (8, 8), (0, 0), (2, 2)]
