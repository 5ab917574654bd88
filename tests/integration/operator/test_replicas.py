"""What becomes of the replicas besides following the load: zero, hands and pauses, on a real control plane."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kubernetes import client

from e2e.cluster import Cluster
from tests.integration.operator.harness import (
    Exporter,
    Operator,
    Shop,
    eventually,
)
from tests.integration.operator.surroundings import new_operator, new_source
from tests.integration.tools import Kubectl

WINDOW_S = 3  # stabilization window of the profiles here


class QueueExporter(Exporter):
    """Shows queues, as a broker does, and what each pod of a namespace has in flight, as the pods themselves would."""

    def __init__(self, api: client.ApiClient) -> None:
        self.queues: dict[str, float] = {}
        self.reporting: set[str] = set()
        self._core = client.CoreV1Api(api)
        super().__init__()

    def render(self) -> bytes:
        lines = ["# TYPE queue_length gauge"]
        lines += [f'queue_length{{ns="{namespace}"}} {length}' for namespace, length in self.queues.items()]
        lines.append("# TYPE in_flight gauge")
        for namespace in self.reporting:
            pods = self._core.list_namespaced_pod(namespace).items
            lines += [f'in_flight{{ns="{namespace}",pod="{pod.metadata.name}"}} 0' for pod in pods]
        return ("\n".join(lines) + "\n").encode()


@pytest.fixture(scope="module")
def exporter(api: client.ApiClient) -> Iterator[QueueExporter]:
    started = QueueExporter(api)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def source(
    api: client.ApiClient, crds: None, exporter: QueueExporter, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    with new_source(api, tmp_path_factory.mktemp("prometheus"), exporter.port) as name:
        yield name


@pytest.fixture(scope="module")
def operator(
    cluster: Cluster, api: client.ApiClient, crds: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Operator]:
    with new_operator(api, cluster, tmp_path_factory.mktemp("operator"), "only") as started:
        yield started


@pytest.fixture
def shop(api: client.ApiClient, namespace: str, source: str, operator: Operator) -> Shop:
    return Shop(api, namespace, source)


@pytest.fixture
def wait_long(shop: Shop, exporter: QueueExporter) -> Callable[[float], None]:
    """Set the length of the shop's queue."""

    def set_length(length: float) -> None:
        exporter.queues[shop.namespace] = length

    return set_length


def queue(shop: Shop) -> dict[str, Any]:
    return {"gauge": {"metric": "queue_length", "matchers": [{"label": "ns", "value": shop.namespace}]}}


def scaling(shop: Shop) -> dict[str, Any]:
    return dict((shop.profile().get("status") or {}).get("scaling") or {})


def message(shop: Shop, kind: str) -> str:
    return str(next(c["message"] for c in shop.profile()["status"]["conditions"] if c["type"] == kind))


def wait_for_a_season(shop: Shop) -> None:
    judged = ("BacktestPassed", "NaiveIsBetter")
    eventually(lambda: shop.condition("ForecastTrusted")[1], lambda r: r in judged, 40, "a season is known")


def restart(operator: Operator) -> None:
    operator.kill()
    operator.start()
    eventually(lambda: operator.leads, bool, 30, "it leads again")


def steady(holds: Callable[[], bool], seconds: float) -> bool:
    """Return whether something holds all the time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not holds():
            return False
        time.sleep(0.1)
    return True


def test_to_zero_and_back_whatever_restarts(shop: Shop, operator: Operator, wait_long: Callable[[float], None]) -> None:
    wait_long(0)
    shop.create_target()
    shop.create_profile(load=queue(shop), minReplicas=0, allowZero=True)
    eventually(shop.replicas, lambda n: n == 0, 60, "an idle target goes to 0")
    eventually(lambda: scaling(shop).get("desiredReplicas"), lambda n: n == 0, 5, "status says 0")
    assert scaling(shop)["zeroedTarget"] == "shop"
    assert shop.condition("ScalingActive") == ("True", "Active")
    restart(operator)
    assert steady(lambda: shop.replicas() == 0 and shop.condition("ScalingActive")[0] == "True", 5)
    restart(operator)
    wait_long(45)
    started = time.monotonic()
    eventually(shop.replicas, lambda n: n >= 5, 8, "load wakes it to all that is needed")
    print(f"awake after {time.monotonic() - started:.1f} s")
    eventually(lambda: "zeroedTarget" in scaling(shop), lambda there: not there, 5, "it is no longer meant to be at 0")
    wait_long(0)
    eventually(shop.replicas, lambda n: n == 0, 60, "and back")


def test_a_zero_of_somebody_else_stays(shop: Shop, operator: Operator, wait_long: Callable[[float], None]) -> None:
    wait_long(25)
    shop.create_target(replicas=3)
    shop.create_profile(load=queue(shop), minReplicas=0, allowZero=True)
    shop.wait_for("ScalingActive", ("True", "Active"))
    shop.apps.patch_namespaced_deployment_scale("shop", shop.namespace, {"spec": {"replicas": 0}})
    shop.wait_for("ScalingActive", ("False", "ScaledToZero"))
    restart(operator)
    assert steady(lambda: shop.replicas() == 0, 5)
    shop.apps.patch_namespaced_deployment_scale("shop", shop.namespace, {"spec": {"replicas": 1}})
    eventually(shop.replicas, lambda n: n >= 3, 10, "it is handed back")


def test_a_metric_of_its_own_pods_refuses_zero(shop: Shop, exporter: QueueExporter) -> None:
    exporter.reporting.add(shop.namespace)
    shop.create_target()
    load = {"gauge": {"metric": "in_flight", "matchers": [{"label": "ns", "value": shop.namespace}]}}
    try:
        shop.create_profile(load=load, minReplicas=0, allowZero=True)
        eventually(shop.replicas, lambda n: n == 1, 60, "it goes down to one")
        eventually(lambda: scaling(shop).get("reportingShare"), lambda share: share == 1, 20, "its own pods report")
        assert steady(lambda: shop.replicas() == 1, 4 * WINDOW_S)
        eventually(
            lambda: message(shop, "ScalingActive"), lambda text: "own pods measure the load" in text, 10, "it says why"
        )
        assert shop.condition("ScalingActive") == ("True", "Active")
    finally:
        exporter.reporting.discard(shop.namespace)


def test_a_queue_that_nobody_reads_any_more_wakes_it(
    shop: Shop, exporter: QueueExporter, wait_long: Callable[[float], None]
) -> None:
    wait_long(0)
    shop.create_target()
    shop.create_profile(load=queue(shop), minReplicas=0, allowZero=True)
    eventually(shop.replicas, lambda n: n == 0, 60, "an idle target goes to 0")
    del exporter.queues[shop.namespace]
    eventually(shop.replicas, lambda n: n == 1, 30, "absence is no zero load")
    wait_long(0)
    shop.wait_for("DataAvailable", ("True", "Fresh"))
    assert steady(lambda: shop.replicas() == 1, 4 * WINDOW_S), "its series went away at 0 before"
    assert "went away" in message(shop, "ScalingActive")


def test_a_number_set_by_hand(
    shop: Shop, operator: Operator, kubectl: Kubectl, wait_long: Callable[[float], None]
) -> None:
    wait_long(35)
    shop.create_target(replicas=4)
    shop.create_profile(load=queue(shop))
    wait_for_a_season(shop)
    eventually(lambda: scaling(shop).get("desiredReplicas"), lambda n: n in (4, 5), 20, "four or five are right")
    kubectl("scale", "deployment", "shop", "--replicas=12", "-n", shop.namespace)
    eventually(lambda: scaling(shop).get("manual", {}), lambda m: m.get("need") in (4, 5), 10, "it is told")
    assert steady(lambda: shop.replicas() == 12, 3 * WINDOW_S)
    restart(operator)
    assert steady(lambda: shop.replicas() == 12, 3 * WINDOW_S)
    assert scaling(shop)["bindingReason"] == "Manual"
    wait_long(55)
    eventually(shop.replicas, lambda n: 6 <= n < 12, 40, "the need changed: it is followed again")
    assert "manual" not in scaling(shop)
    kubectl("scale", "deployment", "shop", "--replicas=2", "-n", shop.namespace)
    eventually(shop.replicas, lambda n: n >= 6, 5, "below the need it is corrected at once")
    told = [note for reason, note in shop.events() if reason == "ScaledByHand"]
    assert any(" to 12 replicas; the load asks for " in note and "kept until" in note for note in told), told


def test_pause_and_resume(shop: Shop, kubectl: Kubectl, wait_long: Callable[[float], None]) -> None:
    wait_long(15)
    shop.create_target(replicas=8)
    shop.create_profile(load=queue(shop))
    kubectl("annotate", "mprof", "shop", "presage.dev/paused=true", "-n", shop.namespace)
    shop.wait_for("Paused", ("True", "Paused"))
    shop.wait_for("ScalingActive", ("False", "Paused"))
    before = shop.replicas()
    wait_for_a_season(shop)
    eventually(lambda: scaling(shop).get("desiredReplicas"), lambda n: n < before, 40, "what would be is shown")
    assert shop.replicas() == before
    kubectl("annotate", "mprof", "shop", "presage.dev/paused-", "-n", shop.namespace)
    resumed = time.monotonic()
    eventually(shop.replicas, lambda n: n < before, 20, "it scales again")
    assert time.monotonic() - resumed >= WINDOW_S - 0.5, "a whole window was seen first"
    assert shop.condition("Paused") == ("False", "NotPaused")


def test_another_binding_reason_is_told(shop: Shop, wait_long: Callable[[float], None]) -> None:
    wait_long(35)
    shop.create_target(replicas=7)
    shop.create_profile(load=queue(shop), maxReplicas=8, headroomPercent=100)
    wait_for_a_season(shop)
    assert "BindingChanged" not in shop.reasons(), "none at start"
    wait_long(500)
    eventually(shop.events, lambda events: any(r == "BindingChanged" for r, _ in events), 15, "it is told")
    (note,) = [note for reason, note in shop.events() if reason == "BindingChanged"]
    assert note.startswith("Maximum decides now, instead of Reactive: 8 replicas ")
    assert "limits 1..8" in note
