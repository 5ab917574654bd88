"""Event types from the values of a label, by a real Prometheus, on a real API server: found, told, and not needed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client

from e2e.cluster import Cluster
from presage.core.recording.found import LOOK_PERIOD_S
from tests.integration.operator.harness import Counters, Operator, Shop, eventually
from tests.integration.operator.surroundings import new_operator, new_source

WITHIN_S = LOOK_PERIOD_S + 20
HOSTILE = '"} or vector(1e9) #'
LONG = "/" + "x" * 300


def route(value: str) -> str:
    """Return the series that counts the requests of a route."""
    return f"requests_total{{route={json.dumps(value)}}}"


@pytest.fixture
def exporter() -> Iterator[Counters]:
    started = Counters()
    yield started
    started.stop()


@pytest.fixture
def operator(api: client.ApiClient, cluster: Cluster, crds: None, tmp_path: Path) -> Iterator[Operator]:
    with new_operator(api, cluster, tmp_path) as started:
        yield started


@pytest.fixture
def source(api: client.ApiClient, exporter: Counters, crds: None, tmp_path: Path) -> Iterator[str]:
    with new_source(api, tmp_path, exporter.port) as name:
        yield name


@pytest.fixture
def shop(api: client.ApiClient, namespace: str, source: str, operator: Operator, exporter: Counters) -> Shop:
    """40 requests a second at 10 a pod, on three routes and one that is too long to be an event type."""
    exporter.rates = {route("/order"): 20.0, route("/api/Quote"): 15.0, route(HOSTILE): 4.0, route(LONG): 1.0}
    made = Shop(api, namespace, source)
    made.create_target()
    counter = {"metric": "requests_total", "windowSeconds": 4}
    made.create_profile(found={"label": "route", "max": 4, "load": {"counter": counter}})
    return made


def found(shop: Shop) -> dict[str, str]:
    """Return value → name of what status shows."""
    entries: list[dict[str, Any]] = (shop.profile().get("status") or {}).get("eventTypesFound") or []
    return {entry["value"]: entry["name"] for entry in entries}


def notes(shop: Shop) -> list[str]:
    return [note for reason, note in shop.events() if reason == "EventTypeFound"]


def test_event_types_are_found_and_replicas_follow_the_sum_of_all(
    shop: Shop, exporter: Counters, operator: Operator
) -> None:
    named = {"/order": "order", "/api/Quote": "api-quote", HOSTILE: "or-vector-1e9"}
    eventually(lambda: found(shop), lambda names: names == named, WITHIN_S, "three are found")
    shop.wait_for("EventTypesFound", ("True", "Found"))
    eventually(shop.replicas, lambda n: 4 <= n <= 6, 45, "the sum over all routes is served")

    def all_told(told: list[str]) -> bool:
        return all(any(name in note for note in told) for name in named.values())

    eventually(lambda: notes(shop), all_told, 10, "all three are told")
    exporter.rates |= {route("/refund"): 2.0, route("/search"): 1.0}
    shop.wait_for("EventTypesFound", ("False", "TooManyEventTypes"), WITHIN_S)
    assert found(shop) == {**named, "/refund": "refund"}, "the one of more load has the last place"
    eventually(lambda: notes(shop), lambda told: any("refund" in note for note in told), 10, "it is told")

    exporter.rates[route("/search")] = 60.0  # no event type of its own
    eventually(shop.replicas, lambda n: n >= 10, 45, "what was left out is served all the same")
    had = found(shop)
    exporter.rates.clear()  # nothing at all is exported: that tells nothing of any route
    shop.wait_for("DataAvailable", ("False", "NoMatchingSeries"), 45)
    replicas = shop.replicas()
    time.sleep(LOOK_PERIOD_S + 5)
    assert (found(shop), shop.replicas()) == (had, replicas)
    assert not [line for line in operator.lines() if "exception" in line]
