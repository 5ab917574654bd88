"""What pods serve and how long they take to start, learned by the operator from a real Prometheus and API server."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from kubernetes import client

from e2e.cluster import Cluster
from tests.integration.operator.harness import (
    GROUP,
    ROOT,
    VERSION,
    Exporter,
    Operator,
    Shop,
    eventually,
)
from tests.integration.operator.surroundings import new_operator, new_source

LOW, HIGH, WAVE_S = 50.0, 200.0, 40.0  # load per pod
REQUEST, TARGET = 0.5, 0.7  # cores, and the share of them that may be used
IDLE, COST = 0.05, 0.00125  # cores without load, and for each unit of it
CPU_TRUTH = (REQUEST * TARGET - IDLE) / COST  # 240: beyond what is seen, within 1.5 times of it
LATENCY_TRUTH, LIMIT_S = 160.0, 0.1
CPU = {"metric": "cpu_seconds_total", "windowSeconds": 4}
LATENCY = {"metric": "request_seconds", "windowSeconds": 4, "highestSeconds": str(LIMIT_S)}
LEARNED_AFTER_S = 75  # 60 slots of a second, and what a rate needs before


class Pods(Exporter):
    """Scrape target in place of pods: load, CPU and latency of each, all of which are known."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self._counts: dict[str, list[float]] = {}
        self._last = time.monotonic()

    def render(self) -> bytes:
        now = time.monotonic()
        passed, middle = now - self._last, (now + self._last) / 2
        self._last = now
        load = LOW + (HIGH - LOW) * (1 - math.cos(2 * math.pi * middle / WAVE_S)) / 2
        latency = LIMIT_S / 2 * (1 + (load / LATENCY_TRUTH) ** 4)
        grows = {"orders_total": load, "cpu_seconds_total": IDLE + COST * load}
        grows |= {"request_seconds_sum": load * latency, "request_seconds_count": load}
        lines = []
        for metric, rate in grows.items():
            lines.append(f"# TYPE {metric} counter")
            for name in self.names:
                count = self._counts.setdefault(f'{metric}{{pod="{name}"}}', [0.0])
                count[0] += rate * passed
                lines.append(f'{metric}{{pod="{name}"}} {count[0]}')
        return "\n".join([*lines, ""]).encode()


@pytest.fixture(scope="module")
def exporter() -> Iterator[Pods]:
    started = Pods()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def source(
    api: client.ApiClient, exporter: Pods, crds: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    with new_source(api, tmp_path_factory.mktemp("prometheus"), exporter.port) as name:
        yield name


@pytest.fixture(scope="module")
def operator(cluster: Cluster, api: client.ApiClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    with new_operator(api, cluster, tmp_path_factory.mktemp("operator"), "only") as started:
        yield started


def await_pods(core: client.CoreV1Api, namespace: str, count: int, **resources: dict[str, str]) -> list[Any]:
    """Return the pods of the shop, once so many are Ready and all have these resources; kwok plays their node."""

    def look() -> list[Any]:
        return list(core.list_namespaced_pod(namespace, label_selector="app=shop").items)

    def fits(pod: Any) -> bool:
        asked = pod.spec.containers[0].resources.to_dict()
        return is_ready(pod) and all(asked[kind] == wanted for kind, wanted in resources.items())

    return eventually(look, lambda pods: len(pods) == count and all(map(fits, pods)), 30, f"{count} pods are Ready")


def is_ready(pod: Any) -> bool:
    return any(each.type == "Ready" and each.status == "True" for each in pod.status.conditions or ())


def change(shop: Shop, spec: dict[str, Any]) -> dict[str, Any]:
    """Change the profile, and return its status once the operator has answered to that."""
    changed = shop.objects.patch_namespaced_custom_object(
        GROUP, VERSION, shop.namespace, "metricprofiles", "shop", {"spec": spec}
    )
    generation = changed["metadata"]["generation"]
    return dict(
        eventually(
            lambda: shop.profile().get("status") or {}, lambda s: s.get("observedGeneration") == generation, 20, "seen"
        )
    )


def proposed(shop: Shop) -> dict[str, Any]:
    return dict(((shop.profile().get("status") or {}).get("scaling") or {}).get("perPod", {}).get("proposed") or {})


def test_what_a_pod_serves_is_learned_and_shown_and_never_applied(
    api: client.ApiClient, cluster: Cluster, namespace: str, source: str, exporter: Pods, operator: Operator
) -> None:
    shop, core = Shop(api, namespace, source), client.CoreV1Api(api)
    shop.create_target()
    requests = {"cpu": f"{REQUEST * 1000:g}m"}
    template = {"spec": {"containers": [{"name": "c", "resources": {"requests": requests}}]}}
    shop.apps.patch_namespaced_deployment("shop", namespace, {"spec": {"template": template}})
    pods = await_pods(core, namespace, 2, requests=requests)
    exporter.names = [pod.metadata.name for pod in pods]
    time.sleep(LEARNED_AFTER_S)
    shop.create_profile(mode="DryRun", perPod="100", learnPerPod={"cpu": CPU})
    change(shop, {"forecast": {"historySeconds": 120}})
    found = eventually(lambda: proposed(shop), lambda p: "value" in p, 90, "a proposal from CPU")
    assert float(found["value"]) == pytest.approx(CPU_TRUTH, rel=0.1)
    assert (found["source"], found["reason"], found["atLeast"]) == ("Cpu", "Learned", False)
    assert found["samples"] >= 60
    assert found["errorPercent"] <= 10
    status = change(shop, {"scaling": {"learnPerPod": {"cpu": None, "latency": LATENCY}}})
    found = status["scaling"]["perPod"]["proposed"]
    assert float(found["value"]) == pytest.approx(LATENCY_TRUTH, rel=0.1)
    assert (found["source"], found["reason"]) == ("Latency", "Learned")
    assert status["scaling"]["perPod"]["value"] == "100", "decisions go by what is given"
    own = (
        f'presage_per_pod_proposed{{kind="MetricProfile",name="shop",namespace="{namespace}"}} {float(found["value"])}'
    )
    eventually(lambda: operator.get("/metrics")[1], lambda text: own in text, 10, "its series")
    assert f"{found['value']} ± " in explain(cluster, namespace)


def explain(cluster: Cluster, namespace: str) -> str:
    command = [sys.executable, "-m", "presage", "explain", "mprof/shop", "-n", namespace]
    environment = {**os.environ, "KUBECONFIG": str(cluster.kubeconfig)}
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_a_restart_remembers_the_lead_time_with_its_samples_and_another_target_does_not(
    api: client.ApiClient, namespace: str, source: str, operator: Operator
) -> None:
    shop, core = Shop(api, namespace, source), client.CoreV1Api(api)
    shop.create_target()
    shop.create_target("other")
    await_pods(core, namespace, 2)
    shop.create_profile(mode="DryRun", leadTimeSeconds=None)
    eventually(lambda: shop.profile().get("status", {}).get("readyReplicas"), lambda n: n == 2, 20, "it was looked at")
    shop.apps.patch_namespaced_deployment_scale("shop", namespace, {"spec": {"replicas": 4}})
    pods = await_pods(core, namespace, 4)
    measured = eventually(lambda: lead(shop.profile()), lambda it: it.get("samples") == 4, 20, "four starts")
    assert (measured["source"], measured["target"]) == ("Measured", "shop")
    took = sorted(measured["startsSeconds"])
    assert len(took) == 4
    assert took == sorted(map(start_of, pods))
    assert measured["value"] - 1 in took[-2:], "the longest of four but for an outlier, and the decision period"
    regain_readiness(core, pods[0])
    operator.kill()
    operator.start()
    eventually(lambda: operator.leads, bool, 30, "it leads again")
    after = change(shop, {"scaling": {"maxReplicas": 21}})["scaling"]["leadTimeSeconds"]
    assert after == {**measured, "source": "Remembered"}
    shop.apps.patch_namespaced_deployment_scale("shop", namespace, {"spec": {"replicas": 5}})
    more = eventually(lambda: lead(shop.profile()), lambda it: it.get("samples") == 5, 30, "one more start")
    assert more["source"] == "Measured"
    assert more["startsSeconds"][:4] == measured["startsSeconds"]
    other = change(shop, {"target": {"name": "other"}})["scaling"]["leadTimeSeconds"]
    assert other["target"] == "other"
    assert other["samples"] <= 2, "its own pods only"
    assert other["source"] == "Default"


def start_of(pod: Any) -> float:
    (ready,) = (each for each in pod.status.conditions if each.type == "Ready")
    return float((ready.last_transition_time - pod.metadata.creation_timestamp).total_seconds())


def lead(profile: dict[str, Any]) -> dict[str, Any]:
    return dict(((profile.get("status") or {}).get("scaling") or {}).get("leadTimeSeconds") or {})


def regain_readiness(core: client.CoreV1Api, pod: Any) -> None:
    """Let a pod have lost its readiness and regained it much later than it started."""
    at = (pod.metadata.creation_timestamp + timedelta(seconds=900)).strftime("%Y-%m-%dT%H:%M:%SZ")
    condition = {"type": "Ready", "status": "True", "lastTransitionTime": at}
    core.patch_namespaced_pod_status(pod.metadata.name, pod.metadata.namespace, {"status": {"conditions": [condition]}})
