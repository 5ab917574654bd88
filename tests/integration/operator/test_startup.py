"""Faults at start and in mid-run: one line that says what to do, no exit, and back to work once they are mended."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from kubernetes import client

from e2e.cluster import Cluster, ensure_binary
from e2e.crds import CRDS, install_crds
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


@contextlib.contextmanager
def new_namespace(api: client.ApiClient) -> Iterator[str]:
    """Give a namespace for an operator's own Lease."""
    name = f"system-{uuid.uuid4().hex[:8]}"
    core = client.CoreV1Api(api)
    core.create_namespace({"metadata": {"name": name}})
    try:
        yield name
    finally:
        core.delete_namespace(name)


@contextlib.contextmanager
def new_account(api: client.ApiClient, system: str) -> Iterator[Account]:
    made = Account(api, system)
    try:
        yield made
    finally:
        made.delete()


@pytest.fixture
def system(api: client.ApiClient, crds: None) -> Iterator[str]:
    with new_namespace(api) as name:
        yield name


@pytest.fixture
def account(api: client.ApiClient, system: str) -> Iterator[Account]:
    with new_account(api, system) as made:
        yield made


@pytest.fixture(scope="module")
def server(cluster: Cluster) -> str:
    return str(yaml.safe_load(cluster.kubeconfig.read_text())["clusters"][0]["cluster"]["server"])


@dataclass
class Faulty:
    """Operators that meet a fault at start, side by side, each with a namespace, an account and a kubeconfig."""

    operators: dict[str, Operator]
    accounts: dict[str, Account]
    places: dict[str, Path]


CERTIFICATES = ("key usage", "authority key id")
OTHER_LEASE = {"holderIdentity": "other", "leaseDurationSeconds": 3600}


@pytest.fixture(scope="module")
def faulty(
    api: client.ApiClient, cluster: Cluster, crds: None, server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Faulty]:
    """Start them all at once: most of the time they only wait."""
    found = Faulty({}, {}, {})
    with contextlib.ExitStack() as stack:

        def add(name: str, door: Door | None = None, authority: Path | None = None, **more: str) -> Account:
            folder = tmp_path_factory.mktemp("operator")
            namespace = stack.enter_context(new_namespace(api))
            account = found.accounts[name] = stack.enter_context(new_account(api, namespace))
            place = folder / "kubeconfig"
            found.places[name] = account.write_kubeconfig(cluster, place, door.url if door else server, authority)
            account.allow(chart_rules())
            found.operators[name] = Operator(place, namespace, folder, name.replace(" ", "-"), **more)
            return account

        for fault in CERTIFICATES:
            door, authority = stack.enter_context(weak_door(cluster, tmp_path_factory.mktemp("door"), fault))
            add(fault, door, authority).allow_lease()
            add(f"relaxed {fault}", door, authority, PRESAGE_STRICT_CERTIFICATES="false").allow_lease()
        add("refused")
        held = add("held elsewhere", PRESAGE_LEASE_NAME="held")
        held.allow_lease()
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        lease = {"metadata": {"name": "held"}, "spec": {**OTHER_LEASE, "renewTime": now}}
        client.CoordinationV1Api(api).create_namespaced_lease(held.namespace, lease)
        add("late").allow_lease()
        found.places["late"].unlink()
        with ThreadPoolExecutor(len(found.operators)) as pool:
            for operator in found.operators.values():
                stack.callback(operator.stop)
            list(pool.map(lambda operator: operator.start(within_s=60), found.operators.values()))
        yield found


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
    eventually(operator.told, lambda told: len(told) >= len(parts), 15, "it is told")
    lines = [line for line in operator.lines() if line["event"] in ("trouble", "trouble.over")]
    since = datetime.now(UTC) - datetime.fromisoformat(lines[-1]["timestamp"])
    time.sleep(max(0.0, 4 - since.total_seconds()))  # one more try at least, that is not told
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


@pytest.mark.parametrize("fault", CERTIFICATES)
def test_a_certificate_that_strict_python_refuses(faulty: Faulty, cluster: Cluster, server: str, fault: str) -> None:
    strict, relaxed = faulty.operators[fault], faulty.operators[f"relaxed {fault}"]
    unready(strict, "certificate is refused", fault.removesuffix(" id"), "PRESAGE_STRICT_CERTIFICATES=false")
    told_once(strict, "certificate is refused")
    faulty.accounts[fault].write_kubeconfig(cluster, faulty.places[fault], server)
    ready(strict)
    ready(relaxed)
    assert relaxed.leads, "verified as kubectl does, it works"
    assert relaxed.told() == [], "kopf's connection is relaxed, too"


def test_the_lease_refused(faulty: Faulty) -> None:
    operator, account = faulty.operators["refused"], faulty.accounts["refused"]
    unready(operator, "refuses the Lease", f"{account.namespace}/presage-operator", "Role and RoleBinding")
    told_once(operator, "refuses the Lease")
    account.allow_lease()
    ready(operator)
    eventually(lambda: operator.leads, bool, 10, "it leads")
    told_once(operator, "refuses the Lease", "over")


def test_a_lease_held_elsewhere_is_no_trouble(faulty: Faulty) -> None:
    operator = faulty.operators["held elsewhere"]
    ready(operator)
    assert not operator.leads
    assert operator.told() == []


def test_a_kubeconfig_that_is_not_there_yet(faulty: Faulty, cluster: Cluster, server: str) -> None:
    operator = faulty.operators["late"]
    unready(operator, "no access to a cluster")
    told_once(operator, "no access to a cluster")
    faulty.accounts["late"].write_kubeconfig(cluster, faulty.places["late"], server)
    ready(operator)


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
        shop.apps.patch_namespaced_deployment_scale("shop", namespace, {"spec": {"replicas": 2}})
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


def delete_crds(api: client.ApiClient) -> None:
    definitions = client.ApiextensionsV1Api(api)
    names = [yaml.safe_load(path.read_text())["metadata"]["name"] for path in sorted(CRDS.glob("*.yaml"))]
    for name in names:
        definitions.delete_custom_resource_definition(name)

    def list_crds() -> set[str]:
        return {found.metadata.name for found in definitions.list_custom_resource_definition().items}

    eventually(list_crds, lambda found: not found & set(names), 30, "the CRDs are gone")
