"""Faults at start and in mid-run: one line that says what to do, no exit, and back to work once they are mended."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
import yaml
from kubernetes import client

from e2e.cluster import Cluster, ensure_binary
from e2e.crds import CRDS, install_crds
from tests.integration.operator.doors import Account, Door, chart_rules
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
from tests.integration.operator.surroundings import new_account, new_namespace, ready, told_once, unready


@pytest.fixture
def system(api: client.ApiClient, crds: None) -> Iterator[str]:
    with new_namespace(api) as name:
        yield name


@pytest.fixture
def account(api: client.ApiClient, system: str) -> Iterator[Account]:
    with new_account(api, system) as made:
        yield made


def test_crds_absent_and_removed(
    api: client.ApiClient, cluster: Cluster, system: str, namespace: str, tmp_path: Path
) -> None:
    operator = Operator(cluster.kubeconfig, system, tmp_path, "crds")
    delete_crds(api)
    try:
        with running(operator):
            unready(operator, "CRD not installed", "metricsources.presage.dev", "kubectl apply -f crds/")
            told_once(operator, "CRD not installed")
            install_crds(api)
            ready(operator)
            with create_source(api, "http://127.0.0.1:9") as source:
                Shop(api, namespace, source).create_profile()
                Shop(api, namespace, source).wait_for("Ready", ("False", "TargetNotFound"))
                delete_crds(api)
                unready(operator, "CRD not installed")
            install_crds(api)
            ready(operator)
            with create_source(api, "http://127.0.0.1:9") as source:
                Shop(api, namespace, source).create_profile()
                Shop(api, namespace, source).wait_for("Ready", ("False", "TargetNotFound"))
            told_once(operator, "CRD not installed", "over", "CRD not installed", "over")
            assert operator.stop() == 0
    finally:
        install_crds(api)


def test_no_api_server_then_no_rights_then_a_right_missing_then_all_taken_away(
    api: client.ApiClient, cluster: Cluster, system: str, namespace: str, account: Account, tmp_path: Path
) -> None:
    door = Door(cluster.server)
    account.allow_lease()
    with running(door):
        operator = Operator(
            account.write_kubeconfig(cluster, tmp_path / "kubeconfig", door.url), system, tmp_path, "rights"
        )
        door.close()
        with running(operator), create_source(api, "http://127.0.0.1:9") as source:
            unready(operator, "cannot be reached: the connection was cut off")
            told_once(operator, "cannot be reached")
            door.open()
            unready(operator, "presage has no right to", "list, watch metricsources.presage.dev", "patch pods")
            account.allow(chart_rules("pods", "deployments"))
            missing = (
                "list, watch deployments.apps; list, watch, patch pods. Remedy: apply the chart's ClusterRole, Role"
            )
            unready(operator, missing)
            account.allow(chart_rules())
            ready(operator)
            Shop(api, namespace, source).create_profile()
            Shop(api, namespace, source).wait_for("Ready", ("False", "TargetNotFound"))
            account.allow([])
            door.cut()
            unready(operator, "presage has no right to", within=35)
            account.allow(chart_rules())
            ready(operator)
            expected = ["reached", "no right to: get, list, watch metricsources", "list, watch deployments", "over"]
            told_once(operator, *expected, "no right to", "over")
            assert operator.leads, "the Lease was kept through it all"


def test_prometheus_down_at_start_is_a_condition_and_no_unreadiness(
    api: client.ApiClient, cluster: Cluster, system: str, namespace: str, tmp_path: Path
) -> None:
    exporter = Exporter()
    exporter.rate = 100
    prometheus = Prometheus(ensure_binary("prometheus"), tmp_path, exporter.port)
    first, second = (Operator(cluster.kubeconfig, system, tmp_path, name) for name in ("first", "second"))
    with contextlib.ExitStack() as stack:
        stack.callback(exporter.stop)
        stack.callback(prometheus.stop)
        source = stack.enter_context(create_source(api, prometheus.url))
        shop = Shop(api, namespace, source)
        shop.create_target()
        shop.create_profile()
        with running(first):
            ready(first)
            shop.wait_for("DataAvailable", ("False", "SourceUnavailable"))
            found = shop.objects.get_cluster_custom_object(GROUP, VERSION, "metricsources", source)
            reachable = next(c for c in found["status"]["conditions"] if c["type"] == "Reachable")
            assert (reachable["status"], reachable["reason"]) == ("False", "Unreachable")
            assert "check spec.url" in reachable["message"]
            assert first.get("/readyz")[0] == 200
            assert first.told() == []
            prometheus.start()
            eventually(shop.replicas, lambda n: n >= 11, 30, "it works once Prometheus is there")
        shop.apps.patch_namespaced_deployment_scale("shop", namespace, {"spec": {"replicas": 2}})
        with running(second):
            eventually(lambda: first_decision_s(second), lambda s: s is not None, 20, "the next one acts")
            took = first_decision_s(second)
            assert took is not None
            assert took <= 15, "from the Lease to the first decision"


def first_decision_s(operator: Operator) -> float | None:
    """Return the seconds from the Lease to the first plan, by the log; None before it."""
    times = {line["event"]: datetime.fromisoformat(line["timestamp"]) for line in reversed(operator.lines())}
    if "plan.applied" not in times:
        return None
    return (times["plan.applied"] - times["lease.acquired"]).total_seconds()


def run_to_the_end(**environment: str) -> tuple[int, list[str]]:
    """Run the operator in an environment it cannot work in; return exit code and lines."""
    done = subprocess.run(
        [sys.executable, "-m", "presage", "operator"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    return done.returncode, done.stderr.splitlines()


def test_a_port_that_is_taken_and_a_setting_out_of_bounds_end_with_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))  # noqa: S104  # where the operator listens
        taken.listen()
        port = taken.getsockname()[1]
        code, lines = run_to_the_end(PRESAGE_HTTP_PORT=str(port))
    assert code == 2
    assert len(lines) == 1
    assert f"PRESAGE_HTTP_PORT={port}: Address already in use" in lines[0]
    code, lines = run_to_the_end(PRESAGE_WORKERS="0")
    assert code == 2
    assert len(lines) == 1
    assert "PRESAGE_WORKERS" in lines[0]
    code, lines = run_to_the_end(PRESAGE_PROFILES='[{"name": "Own", "metrics": [{"name": "events"}]}]')
    assert code == 2
    assert len(lines) == 1
    assert "PRESAGE_PROFILES[0].metrics[0].name: a metric cannot be named events" in lines[0]


def delete_crds(api: client.ApiClient) -> None:
    definitions = client.ApiextensionsV1Api(api)
    names = [yaml.safe_load(path.read_text())["metadata"]["name"] for path in sorted(CRDS.glob("*.yaml"))]
    for name in names:
        definitions.delete_custom_resource_definition(name)

    def list_crds() -> set[str]:
        return {found.metadata.name for found in definitions.list_custom_resource_definition().items}

    eventually(list_crds, lambda found: not found & set(names), 30, "the CRDs are gone")
