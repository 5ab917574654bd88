"""Faults at start and in mid-run: one line that says what to do, no exit, and back to work once they are mended."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from kubernetes import client

from e2e.cluster import Cluster, ensure_binary
from tests.integration.conftest import CRDS, install_crds
from tests.integration.operator.doors import Account, Door, chart_rules, weak_door
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
from tests.integration.tools import reroute


@pytest.fixture
def system(api: client.ApiClient, crds: None) -> Iterator[str]:
    """A namespace for the operator's own Lease."""
    name = f"system-{uuid.uuid4().hex[:8]}"
    core = client.CoreV1Api(api)
    core.create_namespace({"metadata": {"name": name}})
    yield name
    core.delete_namespace(name)


@pytest.fixture
def account(api: client.ApiClient, system: str) -> Iterator[Account]:
    made = Account(api, system)
    yield made
    made.delete()


@pytest.fixture
def server(cluster: Cluster) -> str:
    return str(yaml.safe_load(cluster.kubeconfig.read_text())["clusters"][0]["cluster"]["server"])


def unready(operator: Operator, *parts: str, within: float = 20) -> None:
    """Wait until /readyz is false and says all of this, the log too, and see that the process is well."""
    eventually(
        lambda: operator.get("/readyz"),
        lambda answer: answer[0] == 503 and all(part in answer[1] for part in parts),
        within,
        f"unready because of {parts}",
    )
    eventually(
        operator.told, lambda told: bool(told) and all(part in (told[-1] or "") for part in parts), 15, "it is told"
    )
    assert operator.get("/healthz")[0] == 200
    assert operator.runs


def ready(operator: Operator, within: float = 20) -> None:
    eventually(lambda: operator.get("/readyz"), lambda answer: answer[0] == 200, within, "ready")
    assert operator.runs


def told_once(operator: Operator, *parts: str) -> None:
    """See that the log has exactly these troubles (each ended by None or followed by the next), and no traceback."""
    time.sleep(4)  # one more try at least, that is not told
    told = operator.told()
    assert len(told) == len(parts), told
    for line, part in zip(told, parts, strict=True):
        assert part in (line or "over"), told
    assert not [line for line in operator.lines() if "exception" in line]


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
    api: client.ApiClient, cluster: Cluster, system: str, namespace: str, account: Account, server: str, tmp_path: Path
) -> None:
    door = Door(server)
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
            unready(operator, "presage has no right to", "list, watch metricsources.presage.dev", "list, watch pods")
            account.allow(chart_rules("pods", "deployments"))
            unready(
                operator, "list, watch deployments.apps; list, watch pods. Remedy: apply the chart's ClusterRole, Role"
            )
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


@pytest.mark.parametrize("fault", ["key usage", "authority key id"])
def test_a_certificate_that_strict_python_refuses(
    cluster: Cluster, system: str, account: Account, server: str, tmp_path: Path, fault: str
) -> None:
    account.allow_lease()
    account.allow(chart_rules())
    with weak_door(cluster, tmp_path, fault) as (door, authority):
        place = account.write_kubeconfig(cluster, tmp_path / "strict", door.url, authority)
        strict = Operator(place, system, tmp_path, "strict")
        other = account.write_kubeconfig(cluster, tmp_path / "relaxed", door.url, authority)
        relaxed = Operator(other, system, tmp_path, "relaxed", PRESAGE_STRICT_CERTIFICATES="false")
        with running(strict, relaxed):
            unready(strict, "certificate is refused", fault.removesuffix(" id"), "PRESAGE_STRICT_CERTIFICATES=false")
            ready(relaxed)
            eventually(lambda: relaxed.leads, bool, 10, "verified as kubectl does, it works")
            told_once(strict, "certificate is refused")
            account.write_kubeconfig(cluster, place, server)
            ready(strict)
            assert relaxed.told() == [], "kopf's connection is relaxed, too"


def test_the_lease_refused_and_held_elsewhere(
    api: client.ApiClient, cluster: Cluster, system: str, account: Account, server: str, tmp_path: Path
) -> None:
    account.allow(chart_rules())
    refused = Operator(account.write_kubeconfig(cluster, tmp_path / "a", server), system, tmp_path, "refused")
    client.CoordinationV1Api(api).create_namespaced_lease(
        system,
        {
            "metadata": {"name": "held"},
            "spec": {
                "holderIdentity": "other",
                "leaseDurationSeconds": 3600,
                "renewTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            },
        },
    )
    waiting = Operator(cluster.kubeconfig, system, tmp_path, "waiting", PRESAGE_LEASE_NAME="held")
    with running(refused, waiting):
        unready(refused, "refuses the Lease", f"{system}/presage-operator", "Role and RoleBinding")
        ready(waiting)
        told_once(refused, "refuses the Lease")
        assert not waiting.leads
        assert waiting.told() == []
        account.allow_lease()
        ready(refused)
        told_once(refused, "refuses the Lease", "over")
        assert refused.leads


def test_prometheus_down_at_start_is_a_condition_and_no_unreadiness(
    api: client.ApiClient, cluster: Cluster, system: str, namespace: str, tmp_path: Path
) -> None:
    exporter = Exporter()
    exporter.rate = 100
    prometheus = Prometheus(ensure_binary("prometheus"), tmp_path, exporter.port)
    first, second = (Operator(cluster.kubeconfig, system, tmp_path, name) for name in ("first", "second"))
    with create_source(api, prometheus.url) as source:
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
        exporter.rate = 300
        with running(second):
            eventually(lambda: first_decision_s(second), lambda s: s is not None, 20, "the next one acts")
            took = first_decision_s(second)
            assert took is not None
            assert took <= 15, "from the Lease to the first decision"
        prometheus.stop()
    exporter.stop()


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


def test_a_kubeconfig_that_is_not_there_yet(cluster: Cluster, system: str, server: str, tmp_path: Path) -> None:
    place = tmp_path / "kubeconfig"
    operator = Operator(place, system, tmp_path, "late")
    with running(operator):
        unready(operator, "no access to a cluster")
        told_once(operator, "no access to a cluster")
        reroute(cluster.kubeconfig, server, place)
        ready(operator)


def delete_crds(api: client.ApiClient) -> None:
    definitions = client.ApiextensionsV1Api(api)
    names = [yaml.safe_load(path.read_text())["metadata"]["name"] for path in sorted(CRDS.glob("*.yaml"))]
    for name in names:
        definitions.delete_custom_resource_definition(name)

    def list_crds() -> set[str]:
        return {found.metadata.name for found in definitions.list_custom_resource_definition().items}

    eventually(list_crds, lambda found: not found & set(names), 30, "the CRDs are gone")
