"""What an operator at its start waits for: one line that says what is missing, and to work once it is there.

Apart from the other tests of the start, since operators run here that act on the whole cluster.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from kubernetes import client

from e2e.cluster import Cluster
from tests.integration.operator.doors import Account, Door, chart_rules, weak_door
from tests.integration.operator.harness import Operator, eventually
from tests.integration.operator.surroundings import new_account, new_namespace, ready, told_once, unready


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
    api: client.ApiClient, cluster: Cluster, crds: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Faulty]:
    """Start them all at once: most of the time they only wait."""
    found = Faulty({}, {}, {})
    with contextlib.ExitStack() as stack:

        def add(name: str, door: Door | None = None, authority: Path | None = None, **more: str) -> Account:
            folder = tmp_path_factory.mktemp("operator")
            namespace = stack.enter_context(new_namespace(api))
            account = found.accounts[name] = stack.enter_context(new_account(api, namespace))
            place = folder / "kubeconfig"
            found.places[name] = account.write_kubeconfig(
                cluster, place, door.url if door else cluster.server, authority
            )
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


@pytest.mark.parametrize("fault", CERTIFICATES)
def test_a_certificate_that_strict_python_refuses(faulty: Faulty, cluster: Cluster, fault: str) -> None:
    strict, relaxed = faulty.operators[fault], faulty.operators[f"relaxed {fault}"]
    unready(strict, "certificate is refused", fault.removesuffix(" id"), "PRESAGE_STRICT_CERTIFICATES=false")
    told_once(strict, "certificate is refused")
    faulty.accounts[fault].write_kubeconfig(cluster, faulty.places[fault], cluster.server)
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


def test_a_kubeconfig_that_is_not_there_yet(faulty: Faulty, cluster: Cluster) -> None:
    operator = faulty.operators["late"]
    unready(operator, "no access to a cluster")
    told_once(operator, "no access to a cluster")
    faulty.accounts["late"].write_kubeconfig(cluster, faulty.places["late"], cluster.server)
    ready(operator)
