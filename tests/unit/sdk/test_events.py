"""What an event leaves behind, by the profile in force."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from tests.unit.sdk.conftest import Make, profile, write
from tests.unit.sdk.reading import points, total


def test_without_anything_injected_the_minimal_profile_is_recorded(make: Make) -> None:
    telemetry = make(seed=1)
    order = telemetry.event("order")
    for _ in range(1000):
        with order.measure(route="/order", tenant="left out") as event:
            event.payload(100)
    assert telemetry.generation == 0
    assert total(telemetry, "presage.order.events") == 1000
    assert total(telemetry, "presage.order.requests", presage_retention="15d", presage_every=1) == 1000
    assert total(telemetry, "presage.order.latency", presage_kept="sample", presage_every=100) == 10
    assert points(telemetry, "presage.order.payload") == []
    (point,) = points(telemetry, "presage.order.events")
    assert dict(point.attributes) == {
        "route": "/order",
        "outcome": "ok",
        "presage_retention": "15d",
        "presage_every": 1,
    }


def test_errors_and_new_sets_are_kept_beside_the_sample(make: Make) -> None:
    telemetry = make(seed=1)
    order = telemetry.event("order")
    for index in range(500):
        with order.measure(route="/order") as event:
            if index % 50 == 7:
                event.fail()
    with order.measure(route="/rare"):
        pass
    kept = {k: total(telemetry, "presage.order.latency", presage_kept=k) for k in ("sample", "error")}
    in_sample = total(telemetry, "presage.order.latency", presage_kept="sample", outcome="error")
    assert kept["sample"] == 5
    assert kept["error"] + in_sample == 10
    assert total(telemetry, "presage.order.errors", outcome="error") == 10
    # a set is seen from its first event on, and its newness no longer exported once a sample shows it
    assert total(telemetry, "presage.order.latency", presage_kept="new", route="/rare") == 1
    assert points(telemetry, "presage.order.latency", presage_kept="new", route="/order") == []


def test_the_users_exception_is_the_users(make: Make) -> None:
    telemetry = make()
    order = telemetry.event("order")
    with pytest.raises(KeyError, match="mine"), order.measure(route="/order"):
        raise KeyError("mine")
    assert total(telemetry, "presage.order.errors", outcome="error") == 1


def test_an_event_may_fail_or_be_cancelled_without_an_error(make: Make) -> None:
    telemetry = make()
    order = telemetry.event("order")
    with order.measure(route="/a") as event:
        event.fail()
    with pytest.raises(asyncio.CancelledError), order.measure(route="/b"):
        raise asyncio.CancelledError
    assert total(telemetry, "presage.order.errors", route="/a") == 1
    assert total(telemetry, "presage.order.events", route="/b", outcome="cancelled") == 1
    assert total(telemetry, "presage.order.errors", route="/b") == 0


async def test_the_same_for_asyncio_and_as_decorators(make: Make) -> None:
    telemetry = make()
    order = telemetry.event("order")

    @order.measure(route="/sync")
    def work(value: int) -> int:
        return value + 1

    @order.measure(route="/async")
    async def work_async(value: int) -> int:
        await asyncio.sleep(0)
        return value + 1

    assert work(1) == 2
    assert await asyncio.gather(*(work_async(n) for n in range(20))) == list(range(1, 21))
    async with order.measure(route="/with"):
        await asyncio.sleep(0)
    found = {p.attributes["route"]: p.value for p in points(telemetry, "presage.order.events")}
    assert found == {"/sync": 1, "/async": 20, "/with": 1}


def test_debug_keeps_what_an_event_carries(make: Make, tmp_path: Path) -> None:
    everything = profile(requests=1, latency=1, cpu=1, payload=1, queue_time=1, dependency_latency=1)
    telemetry = make(str(write(tmp_path / "d", everything, 7)))
    order = telemetry.event("order")
    for _ in range(10):
        with order.measure(route="/order") as event:
            event.queued(0.25)
            event.payload(2048)
            for name in ("db", "cache"):
                with event.dependency(name):
                    pass
    assert telemetry.generation == 7
    assert total(telemetry, "presage.order.cpu") == 10
    assert [p.sum for p in points(telemetry, "presage.order.queue_time")] == [2.5]
    assert [p.sum for p in points(telemetry, "presage.order.payload")] == [20480]
    assert total(telemetry, "presage.order.dependency_latency", presage_kept="sample") == 20


def test_what_is_sampled_on_some_events_has_an_exact_count_of_its_own(make: Make, tmp_path: Path) -> None:
    telemetry = make(str(write(tmp_path / "d", profile(payload=10))), seed=3)
    order = telemetry.event("order")
    for index in range(200):
        with order.measure(route="/order") as event:
            if index % 2:
                event.payload(1000)
    assert total(telemetry, "presage.order.events") == 200
    assert total(telemetry, "presage.order.payload.measurements") == 100
    assert total(telemetry, "presage.order.payload", presage_kept="sample") == 10


def test_a_number_that_is_none_harms_nobody(make: Make, tmp_path: Path) -> None:
    telemetry = make(str(write(tmp_path / "d", profile(payload=1, latency=1))))
    order = telemetry.event("order")
    for bad in (float("nan"), float("inf"), -1, "text", None, 1):
        with order.measure(route="/order") as event:
            event.payload(bad)  # type: ignore[arg-type]
    with order.measure(route=["not", "hashable"]):
        pass
    assert total(telemetry, "presage.order.events") == 7
    assert [p.sum for p in points(telemetry, "presage.order.payload")] == [1]
    assert total(telemetry, "presage_sdk_failures") >= 4


def test_what_it_costs_is_exported(make: Make) -> None:
    """Events that are only counted cost, too: between 0.2 and 50 microseconds each, on any machine."""
    telemetry = make()
    order = telemetry.event("order")
    for _ in range(5000):
        with order.measure(route="/order"):
            pass
    (record,) = points(telemetry, "presage_sdk_seconds", part="record")
    assert 5000 * 0.2e-6 < record.value < 5000 * 50e-6


def test_cpu_is_that_of_the_process_by_its_events(make: Make, tmp_path: Path) -> None:
    telemetry = make(str(write(tmp_path / "d", profile(cpu=10))))
    started = time.process_time()
    order, pay = telemetry.event("order"), telemetry.event("pay")
    for _ in range(100):
        for event_type in (order, pay):
            with event_type.measure(route="/"):
                sum(range(2000))
    used = time.process_time() - started
    found = [p for name in ("order", "pay") for p in points(telemetry, f"presage.{name}.cpu")]
    assert [p.count for p in found] == [10, 10]
    estimate = sum(p.sum / p.count * 100 for p in found)
    assert 0.5 * used < estimate < 1.5 * used
