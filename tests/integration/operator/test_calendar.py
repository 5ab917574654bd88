"""The calendar in a running operator: replicas are there before a window begins, and stay while there is no data."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client

from e2e.cluster import Cluster, ensure_binary
from tests.integration.operator.harness import (
    GROUP,
    VERSION,
    Exporter,
    Operator,
    Prometheus,
    Shop,
    create_source,
    eventually,
    running,
)
from tests.integration.operator.surroundings import new_namespace


@pytest.fixture
def exporter() -> Iterator[Exporter]:
    started = Exporter()
    started.rate = 10
    yield started
    started.stop()


@pytest.fixture
def prometheus(exporter: Exporter, tmp_path: Path) -> Iterator[Prometheus]:
    server = Prometheus(ensure_binary("prometheus"), tmp_path, exporter.port)
    with running(server):
        yield server


@pytest.fixture
def shop(
    api: client.ApiClient, cluster: Cluster, crds: None, namespace: str, prometheus: Prometheus, tmp_path: Path
) -> Iterator[Shop]:
    with create_source(api, prometheus.url) as source, new_namespace(api) as system:
        operator = Operator(cluster.kubeconfig, system, tmp_path, "operator")
        with running(operator):
            eventually(lambda: operator.leads, bool, 15, "it leads")
            made = Shop(api, namespace, source)
            made.create_target()
            made.create_profile()
            eventually(lambda: made.condition("DataAvailable"), lambda c: c[0] == "True", 30, "data is there")
            yield made


def rfc3339(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def set_window(shop: Shop, start: float, end: float, replicas: int) -> None:
    window = {"name": "sale", "from": rfc3339(start), "to": rfc3339(end), "effect": {"minimum": replicas}}
    body = {"spec": {"calendar": {"windows": [window]}}}
    shop.objects.patch_namespaced_custom_object(GROUP, VERSION, shop.namespace, "metricprofiles", "shop", body)


def scaling(shop: Shop) -> dict[str, Any]:
    found: dict[str, Any] = shop.profile()["status"]["scaling"]
    return found


def test_replicas_are_raised_before_the_window_and_stay_without_data(shop: Shop, prometheus: Prometheus) -> None:
    start = int(time.time()) + 9
    end = start + 12
    set_window(shop, start, end, 7)
    eventually(lambda: scaling(shop).get("calendar", {}).get("next", {}).get("name"), lambda n: n == "sale", 6, "next")
    assert shop.replicas() < 7, "a lead time of 3 s has not come yet"
    eventually(shop.replicas, lambda n: n == 7, 15, "the Deployment is raised")
    assert time.time() < start, "before the window begins"
    eventually(lambda: scaling(shop)["bindingReason"], lambda why: why == "Calendar", 5, "status says why")
    assert "calendar 7 (sale)" in scaling(shop)["explain"]
    eventually(lambda: scaling(shop)["calendar"].get("inForce"), bool, 15, "it is in force")
    entry = {"name": "sale", "from": rfc3339(start), "to": rfc3339(end), "effect": "Minimum 7"}
    assert scaling(shop)["calendar"]["inForce"] == [entry]
    prometheus.stop()
    shop.wait_for("DataAvailable", ("False", "SourceUnavailable"), 20)
    eventually(shop.reasons, lambda reasons: {"CalendarBegan", "CalendarEnded"} <= reasons, 30, "both are told")
    time.sleep(3)
    assert time.time() > end
    assert shop.replicas() == 7, "the end of a window lowers nothing without data"


def test_without_data_a_minimum_raises_all_the_same(shop: Shop, prometheus: Prometheus) -> None:
    prometheus.stop()
    shop.wait_for("DataAvailable", ("False", "SourceUnavailable"), 20)
    set_window(shop, time.time() - 60, time.time() + 600, 9)
    eventually(shop.replicas, lambda n: n == 9, 15, "the Deployment is raised")
    eventually(lambda: scaling(shop)["bindingReason"], lambda why: why == "Calendar", 5, "status says why")
