"""Counters, gauges and histograms that code declares."""

from __future__ import annotations

from pathlib import Path

from presage.sdk import Telemetry
from tests.unit.sdk.conftest import Make, profile, write
from tests.unit.sdk.reading import points, total
from tests.unit.sdk.threads import run_together


def telemetry_of(make: Make, tmp_path: Path, sets: int = 200, **every: int) -> Telemetry:
    return make(str(write(tmp_path / "d", profile(**every), sets=sets)), seed=1)


def test_what_the_profile_names_is_recorded(make: Make, tmp_path: Path) -> None:
    telemetry = telemetry_of(make, tmp_path, items=1, depth=1, basket=10)
    order = telemetry.event("order")
    items, depth, basket = order.counter("items"), order.gauge("depth"), order.histogram("basket", "EUR", (1.0, 10.0))
    left_out = order.counter("left_out"), order.gauge("out"), order.histogram("also_out")
    for number in range(100):
        items.add(2, route="/order", currency="EUR")
        items.add(0.5, route="/order")
        depth.set(number, route="/order")
        basket.record(5, route="/order")
        left_out[0].add(1)
        left_out[1].set(1)
        left_out[2].record(1)
    assert total(telemetry, "presage.order.items", route="/order") == 250
    assert [p.value for p in points(telemetry, "presage.order.depth")] == [99]
    assert total(telemetry, "presage.order.basket", presage_kept="sample") == 10
    assert total(telemetry, "presage.order.basket.measurements") == 100
    assert list(points(telemetry, "presage.order.basket")[0].explicit_bounds) == [1.0, 10.0]
    assert [name for name in ("left_out", "out", "also_out") if points(telemetry, f"presage.order.{name}")] == []


def test_a_set_that_says_it_failed_is_always_kept(make: Make, tmp_path: Path) -> None:
    telemetry = telemetry_of(make, tmp_path, basket=1000)
    basket = telemetry.event("order").histogram("basket")
    for _ in range(20):
        basket.record(1, route="/order", outcome="error")
        basket.record(1, route="/order", outcome="ok")
    assert total(telemetry, "presage.order.basket", outcome="error") == 20
    assert total(telemetry, "presage.order.basket", outcome="ok") <= 2


def test_bad_values_are_counted_as_failures_and_spoil_nothing(make: Make, tmp_path: Path) -> None:
    telemetry = telemetry_of(make, tmp_path, items=1, depth=1, basket=1)
    order = telemetry.event("order")
    for bad in (float("nan"), float("inf"), "text", None, [1]):
        order.counter("items").add(bad)  # type: ignore[arg-type]
        order.gauge("depth").set(bad)  # type: ignore[arg-type]
        order.histogram("basket").record(bad)  # type: ignore[arg-type]
    order.counter("items").add(-1)
    order.counter("items").add(3)
    assert total(telemetry, "presage.order.items") == 3
    assert total(telemetry, "presage.order.basket") == 0
    assert total(telemetry, "presage_sdk_failures") == 16


def test_names_in_use_and_too_many_names_record_nothing(make: Make, tmp_path: Path) -> None:
    telemetry = telemetry_of(make, tmp_path, items=1, latency=1)
    order = telemetry.event("order")
    order.counter("items").add(1)
    assert order.counter("items") is order.counter("items")
    order.histogram("items").record(1)
    order.histogram("latency").record(1)
    for number in range(200):
        order.counter(f"more{number}").add(1)
    assert len(order.instruments) == 64
    assert total(telemetry, "presage.order.items") == 1
    assert points(telemetry, "presage.order.latency") == []
    names = {telemetry.event(f"type {number}").name for number in range(200)}
    assert len(names) == 64
    assert "other" in names


def test_labels_without_end_end_at_the_cap(make: Make, tmp_path: Path) -> None:
    telemetry = telemetry_of(make, tmp_path, sets=20, items=1, latency=1)
    order = telemetry.event("order")
    for number in range(1000):
        order.counter("items").add(1, route=f"/{number}")
        with order.measure(route=f"/{number}"):
            pass
    assert len(points(telemetry, "presage.order.items")) == 21
    assert total(telemetry, "presage.order.items") == 1000
    assert total(telemetry, "presage.order.events") == 1000
    assert total(telemetry, "presage.order.latency") == 1000
    over = {"otel.metric.overflow": True}
    assert total(telemetry, "presage.order.items", **over) == 980
    assert total(telemetry, "presage_sdk_overflow") == 2 * 980


def test_threads_lose_no_event_and_no_sample(make: Make) -> None:
    telemetry = make(seed=1)
    order = telemetry.event("order")

    def work() -> None:
        for _ in range(10_000):
            with order.measure(route="/order"):
                pass

    run_together(*[work] * 4)
    assert total(telemetry, "presage.order.events") == 40_000
    assert abs(total(telemetry, "presage.order.latency", presage_kept="sample") - 400) <= 2


def test_after_the_end_nothing_is_recorded_and_nothing_raises(make: Make) -> None:
    telemetry = make()
    order = telemetry.event("order")
    telemetry.shutdown()
    telemetry.shutdown()
    with order.measure(route="/order") as event, event.dependency("db"):
        event.payload(1)
    order.counter("late").add(1)
    assert telemetry.event("later").plan is None
    assert telemetry.collect() is None
    assert telemetry.render_prometheus() == b""
    assert telemetry.flush()
