"""Two event types and their bytes, from a real Prometheus, on a real API server: the larger need binds and is named."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client

from e2e.cluster import Cluster
from tests.integration.operator.harness import (
    Counters,
    Operator,
    Shop,
    eventually,
)
from tests.integration.operator.surroundings import new_operator, new_source


def counter(metric: str) -> dict[str, Any]:
    return {"counter": {"metric": metric, "windowSeconds": 4}}


QUOTE = {"name": "quote", "weight": "3", "load": counter("quotes_total") | {"bytes": counter("quote_bytes_total")}}


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
    """10 orders and 10 quotes a second, of which a quote weighs three, at 10 a pod; 100 bytes a second at 100 a pod."""
    exporter.rates = {"orders_total": 10.0, "quotes_total": 10.0, "quote_bytes_total": 100.0}
    made = Shop(api, namespace, source)
    made.create_target()
    made.create_profile(further=[QUOTE], perPodBytes="100")
    return made


def scaling_of(shop: Shop) -> dict[str, Any]:
    found: dict[str, Any] = (shop.profile().get("status") or {}).get("scaling") or {}
    return found


def message_of(shop: Shop, kind: str) -> str:
    conditions = (shop.profile().get("status") or {}).get("conditions", [])
    return next((str(c["message"]) for c in conditions if c["type"] == kind), "")


def notes(shop: Shop) -> list[str]:
    events = shop.objects.list_namespaced_custom_object("events.k8s.io", "v1", shop.namespace, "events")["items"]
    return [str(event.get("note")) for event in events if event["reason"] == "Rescaled"]


def settle(shop: Shop, least: int, most: int, metric: str) -> None:
    """Wait until so many replicas are asked for, and status names the metric."""
    eventually(shop.replicas, lambda n: least <= n <= most, 45, f"{least} to {most} replicas")
    eventually(lambda: scaling_of(shop).get("bindingMetric"), lambda name: name == metric, 15, f"{metric} binds")


def test_the_larger_need_binds_and_a_metric_that_is_gone_removes_no_replica(
    shop: Shop, exporter: Counters, operator: Operator
) -> None:
    settle(shop, 5, 6, "load")
    eventually(lambda: notes(shop), lambda said: any(", load)." in note for note in said), 10, "an event names it")
    eventually(lambda: shop.condition("ForecastTrusted")[1], lambda r: r != "ShortHistory", 45, "one season is seen")

    exporter.rates["quote_bytes_total"] = 1000.0
    settle(shop, 11, 13, "bytes")
    assert ", bytes): bytes: " in scaling_of(shop)["explain"]
    own = [line for line in operator.get("/metrics")[1].splitlines() if f'namespace="{shop.namespace}"' in line]
    wanted = {line.partition('metric="')[2].partition('"')[0] for line in own if "presage_wanted_replicas{" in line}
    assert wanted == {"load", "bytes"}
    assert any(line.startswith("presage_observed_bytes{") for line in own)

    had = shop.replicas()
    del exporter.rates["quote_bytes_total"]
    exporter.rates |= {"orders_total": 1.0, "quotes_total": 1.0}
    shop.wait_for("DataAvailable", ("False", "NoMatchingSeries"))
    assert message_of(shop, "DataAvailable").startswith("Metric bytes: No series matches the load of event type quote")
    until = time.monotonic() + 15  # five stabilization windows
    while time.monotonic() < until:
        assert shop.replicas() >= had
        time.sleep(0.5)

    exporter.rates["quote_bytes_total"] = 100.0
    settle(shop, 1, 3, scaling_of(shop)["bindingMetric"])
    assert shop.condition("DataAvailable") == ("True", "Fresh")
