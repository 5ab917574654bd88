"""Where the policy's plug-in is off, presage's webhook takes over: in a real API server without it."""

from __future__ import annotations

import os
import signal
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes import client, config

from e2e.cluster import Cluster, ensure_binary
from e2e.crds import install_crds
from e2e.waiting import eventually
from presage.core.recording.proof import is_injected
from tests.integration.chart.injecting import Injector, count_injected, create, new_namespace, pod, released
from tests.integration.operator.harness import running
from tests.integration.tools import Kubectl

CONFIGURATION = ("mutatingwebhookconfiguration", "presage-injection")


@pytest.fixture(scope="module")
def plain() -> Iterator[Cluster]:
    """A control cluster whose API server serves the policies, but does not obey them."""
    given, worker = os.environ.get("PRESAGE_CLUSTER_NAME", ""), os.environ.get("PYTEST_XDIST_WORKER", "one")
    name = f"{given}-{worker}-plain" if given else f"plain-{worker}"
    cluster = Cluster("control", name, ["--disable-admission-plugins=MutatingAdmissionPolicy"])
    cluster.up()
    try:
        yield cluster
    finally:
        cluster.down()


@pytest.fixture(scope="module")
def api(plain: Cluster) -> Iterator[client.ApiClient]:
    with config.new_client_from_config(str(plain.kubeconfig)) as connected:
        install_crds(connected)
        yield connected


@pytest.fixture(scope="module")
def kubectl(plain: Cluster) -> Kubectl:
    return Kubectl(ensure_binary("kubectl"), plain.kubeconfig)


@pytest.fixture
def system(api: client.ApiClient) -> Iterator[str]:
    with new_namespace(api) as name:
        yield name


def in_force(operator: Injector, value: str = "1.0") -> None:
    eventually(lambda: operator.in_force, lambda found: found == value, 60, f"in force is {value}")


def test_it_takes_over_and_pods_start_without_it(
    api: client.ApiClient, plain: Cluster, kubectl: Kubectl, system: str, namespace: str, tmp_path: Path
) -> None:
    with released(plain, system) as release:
        assert kubectl.read("mutatingadmissionpolicy", "presage-injection"), "the API is served all the same"
        first = Injector(plain, kubectl, system, tmp_path, "first")
        with running(first):
            in_force(first)
            assert first.mechanisms == ["Webhook"]
            up = count_injected(api, namespace, "up", 100)
            assert up == 100

            release("uninstall", "presage")  # with it goes the account, as which the process is known no more
        assert not is_injected(create(api, namespace, pod("chart-gone"))[0], "shop")
        release()
        second = Injector(plain, kubectl, system, tmp_path, "second")
        with running(second):
            in_force(second)
            assert is_injected(create(api, namespace, pod("chart-back"))[0], "shop")

            second.kill()
            pods = [create(api, namespace, pod(f"killed-{i}")) for i in range(100)]
            injected, slowest = sum(is_injected(made, "shop") for made, _ in pods), max(took for _, took in pods)
            print(
                f"\nby the webhook: operator up {up}/100 pods have the reference; operator killed 100/100 start,"
                f" {injected} have it, the slowest was admitted after {slowest:.2f} s"
            )
            assert injected == 0
            second.start()
            in_force(second)
            assert is_injected(create(api, namespace, pod("operator-back"))[0], "shop")


def test_a_webhook_that_hangs_costs_two_seconds_and_no_pod(
    api: client.ApiClient, plain: Cluster, kubectl: Kubectl, system: str, namespace: str, tmp_path: Path
) -> None:
    with released(plain, system):
        operator = Injector(plain, kubectl, system, tmp_path)
        with running(operator):
            in_force(operator)
            os.kill(operator.pid, signal.SIGSTOP)
            try:
                made, took = create(api, namespace, pod("hung"))
            finally:
                os.kill(operator.pid, signal.SIGCONT)
            assert not is_injected(made, "shop")
            assert took < 5


def test_the_standby_answers_too_and_only_the_leader_writes(
    api: client.ApiClient, plain: Cluster, kubectl: Kubectl, system: str, namespace: str, tmp_path: Path
) -> None:
    with released(plain, system):
        one, two = (Injector(plain, kubectl, system, tmp_path, name) for name in ("one", "two"))
        with running(one):
            in_force(one)
            with running(two):
                eventually(two.shown_certificate, bool, 20, "the standby listens")
                assert not two.leads
                assert two.shown_certificate() == one.shown_certificate()
                assert two.in_force == ""
                assert not two.mechanisms


def test_hostile_reviews_never_end_it(
    api: client.ApiClient, plain: Cluster, kubectl: Kubectl, system: str, namespace: str, tmp_path: Path
) -> None:
    with released(plain, system):
        operator = Injector(plain, kubectl, system, tmp_path)
        with running(operator):
            in_force(operator)
            bodies = [b"", b"{", b"\xff" * 2**20, b"[" * 2**20, b'{"a":' * 200_000, b"[]", b"x" * 9 * 2**20]
            assert {_post(operator, body) for body in bodies} <= {400, 413}
            threads = [threading.Thread(target=_post, args=(operator, b"[" * 2**20)) for _ in range(20)]
            for thread in threads:
                thread.start()
            assert is_injected(create(api, namespace, pod("meanwhile"))[0], "shop")
            for thread in threads:
                thread.join()
            assert operator.runs
            assert not [line for line in operator.lines() if "exception" in line]


def _post(operator: Injector, body: bytes) -> int:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    url = f"https://127.0.0.1:{operator.webhook_port}/inject"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=10, context=context) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 413  # it was cut off while it still sent


def test_the_certificate_changes_and_every_pod_is_injected_meanwhile(
    api: client.ApiClient, plain: Cluster, kubectl: Kubectl, system: str, namespace: str, tmp_path: Path
) -> None:
    """A certificate of 108 s: the next one is made after 72 s and shown from 90 s on."""
    with released(plain, system):
        operator = Injector(plain, kubectl, system, tmp_path, PRESAGE_INJECTION_CERTIFICATE_HOURS="0.03")
        with running(operator):
            in_force(operator)
            first, changed = operator.shown_certificate(), False
            pods, injected, trusted = 0, 0, set()
            until = time.monotonic() + 150
            while time.monotonic() < until and not (changed and pods % 10 == 0):
                injected += is_injected(create(api, namespace, pod(f"pod-{pods}"))[0], "shop")
                pods += 1
                changed = operator.shown_certificate() not in ("", first)
                hooks = kubectl.read(*CONFIGURATION)["webhooks"]
                trusted.add(hooks[0]["clientConfig"]["caBundle"])
                time.sleep(0.5)
            assert changed, "the certificate was changed"
            assert len(trusted) == 2, "the next authority was trusted beside the first one"
            print(f"\npods with the reference while the certificate changed: {injected}/{pods}")
            assert injected == pods


def test_what_others_wrote_into_the_secret_is_replaced(
    api: client.ApiClient, plain: Cluster, kubectl: Kubectl, system: str, namespace: str, tmp_path: Path
) -> None:
    with released(plain, system):
        garbage = {"data": {"tls.crt": "Z2FyYmFnZQ==", "tls.key": "Z2FyYmFnZQ==", "ca.crt": "Z2FyYmFnZQ=="}}
        client.CoreV1Api(api).patch_namespaced_secret("presage-injection", system, garbage)
        operator = Injector(plain, kubectl, system, tmp_path)
        with running(operator):
            in_force(operator)
            assert is_injected(create(api, namespace, pod("shop"))[0], "shop")
