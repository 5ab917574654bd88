"""The whole operator against a real API server, controllers and Prometheus."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator

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


@pytest.fixture(scope="module")
def exporter() -> Iterator[Exporter]:
    started = Exporter()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def prometheus(exporter: Exporter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    server = Prometheus(ensure_binary("prometheus"), tmp_path_factory.mktemp("prometheus"), exporter.port)
    with running(server):
        yield server


@pytest.fixture(scope="module")
def system(api: client.ApiClient, crds: None) -> Iterator[str]:
    """A namespace for the operator's own Lease."""
    name = f"system-{uuid.uuid4().hex[:8]}"
    core = client.CoreV1Api(api)
    core.create_namespace({"metadata": {"name": name}})
    yield name
    core.delete_namespace(name)


@pytest.fixture(scope="module")
def source(api: client.ApiClient, prometheus: Prometheus, crds: None) -> Iterator[str]:
    with create_source(api, prometheus.url) as name:
        yield name


@pytest.fixture(scope="module")
def scaled_objects(api: client.ApiClient) -> Iterator[None]:
    """The type ScaledObject, as far as the API server must know it; no KEDA runs here."""
    definitions = client.ApiextensionsV1Api(api)
    loose = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1alpha1", "served": True, "storage": True, "schema": {"openAPIV3Schema": loose}}
    names = {"plural": "scaledobjects", "singular": "scaledobject", "kind": "ScaledObject"}
    spec = {"group": "keda.sh", "scope": "Namespaced", "names": names, "versions": [version]}
    name = "scaledobjects.keda.sh"
    definitions.create_custom_resource_definition({"metadata": {"name": name}, "spec": spec})
    yield
    definitions.delete_custom_resource_definition(name)


@pytest.fixture(scope="module")
def operators(
    cluster: Cluster, system: str, scaled_objects: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Operator, Operator]]:
    """Two replicas; the first one leads."""
    folder, kubeconfig = tmp_path_factory.mktemp("operators"), cluster.kubeconfig
    first, second = (Operator(kubeconfig, system, folder, name) for name in ("first", "second"))
    with running(first):
        eventually(lambda: first.leads, bool, 15, "the first leads")
        with running(second):
            yield first, second


@pytest.fixture
def shop(api: client.ApiClient, namespace: str, source: str, operators: tuple[Operator, Operator]) -> Shop:
    return Shop(api, namespace, source)


def test_replicas_follow_the_load_and_status_says_why(shop: Shop, exporter: Exporter) -> None:
    exporter.rate = 100
    shop.create_target()
    shop.create_profile()
    eventually(shop.replicas, lambda n: n >= 11, 20, "replicas rise")
    eventually(lambda: shop.condition("Ready"), lambda c: c == ("True", "AsSpecified"), 15, "Ready")
    # The number is written before status says it.
    eventually(lambda: shop.profile()["status"]["scaling"]["desiredReplicas"], lambda n: n >= 11, 5, "status follows")
    status = shop.profile()["status"]
    assert status["observedGeneration"] == 1
    assert "reactive" in status["scaling"]["explain"]
    eventually(shop.reasons, lambda reasons: "Rescaled" in reasons, 10, "an event announces it")
    eventually(lambda: shop.condition("ForecastTrusted")[1], lambda r: r != "ShortHistory", 30, "one season is seen")
    exporter.rate = 20
    eventually(shop.replicas, lambda n: n <= 6, 60, "replicas fall in steps")


def test_status_and_metrics_say_why_the_forecast_is_as_it_is(
    shop: Shop, exporter: Exporter, operators: tuple[Operator, Operator]
) -> None:
    exporter.rate = 100
    shop.create_target()
    shop.create_profile()
    eventually(
        lambda: shop.condition("ForecastTrusted")[1], lambda r: r in ("BacktestPassed", "NaiveIsBetter"), 45, "fit"
    )
    # Status is refreshed rarely; a change of the spec writes it at once.
    shop.objects.patch_namespaced_custom_object(
        GROUP, VERSION, shop.namespace, "metricprofiles", "shop", {"spec": {"scaling": {"maxReplicas": 21}}}
    )
    status = eventually(lambda: shop.profile()["status"], lambda s: s["observedGeneration"] == 2, 15, "status follows")
    forecast = status["forecast"]
    assert forecast["seasonTests"] == [{"seasonSeconds": 10, "used": True, "reason": "Given"}]
    assert [bucket["horizonSeconds"] for bucket in forecast["lossByHorizon"]] == [3, 10]
    assert all({"loss", "naive"} <= bucket.keys() for bucket in forecast["lossByHorizon"])
    assert {level["asked"] for level in forecast["coverageByLevel"]} == {0.5, 0.9, 0.95}
    assert forecast["coverage"] in forecast["coverageByLevel"]
    assert forecast["leader"] in forecast["weights"]
    assert len(json.dumps(status)) < 8192
    leader = next(operator for operator in operators if operator.leads)
    (own,) = (line for line in leader.get("/metrics")[1].splitlines() if is_own(line, "history_rung", shop.namespace))
    assert f'rung="{forecast["historyRung"]}"' in own
    shop.objects.delete_namespaced_custom_object(GROUP, VERSION, shop.namespace, "metricprofiles", "shop")
    eventually(lambda: leader.get("/metrics")[1], lambda text: shop.namespace not in text, 15, "its series go with it")


def is_own(line: str, series: str, namespace: str) -> bool:
    return line.startswith(f"presage_forecast_{series}{{") and f'namespace="{namespace}"' in line


def test_no_replica_is_removed_while_the_source_is_down(shop: Shop, exporter: Exporter, prometheus: Prometheus) -> None:
    exporter.rate = 100
    shop.create_target(replicas=8)
    shop.create_profile()
    eventually(shop.replicas, lambda n: n >= 11, 30, "replicas rise")
    before = shop.replicas()
    prometheus.stop()
    try:
        exporter.rate = 0
        eventually(
            lambda: shop.condition("DataAvailable"), lambda c: c == ("False", "SourceUnavailable"), 30, "it is said"
        )
        time.sleep(8)
        assert shop.replicas() >= before
    finally:
        prometheus.start()
    eventually(lambda: shop.condition("DataAvailable"), lambda c: c == ("True", "Fresh"), 30, "it recovers by itself")


def test_a_target_with_an_autoscaler_is_left_alone(shop: Shop, exporter: Exporter) -> None:
    exporter.rate = 100
    shop.create_target()
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"}
    metric = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
    }
    spec = {"scaleTargetRef": reference, "minReplicas": 1, "maxReplicas": 3, "metrics": [metric]}
    shop.scaling.create_namespaced_horizontal_pod_autoscaler(
        shop.namespace, {"metadata": {"name": "own"}, "spec": spec}
    )
    time.sleep(1)
    shop.create_profile()
    eventually(lambda: shop.condition("ScalingActive"), lambda c: c == ("False", "TargetOwned"), 15, "it is named")
    assert shop.profile()["status"]["scaling"]["owner"] == "HorizontalPodAutoscaler/own"
    assert shop.replicas() == 2
    shop.scaling.delete_namespaced_horizontal_pod_autoscaler("own", shop.namespace)
    eventually(shop.replicas, lambda n: n >= 11, 15, "it is taken over once the autoscaler is gone")


def test_a_target_with_a_scaledobject_is_left_alone(shop: Shop, exporter: Exporter) -> None:
    exporter.rate = 100
    shop.create_target()
    scaled = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "own"}}
    scaled["spec"] = {"scaleTargetRef": {"name": "shop"}}  # type: ignore[assignment]  # plain JSON
    shop.objects.create_namespaced_custom_object("keda.sh", "v1alpha1", shop.namespace, "scaledobjects", scaled)
    time.sleep(1)
    shop.create_profile()
    eventually(lambda: shop.condition("ScalingActive"), lambda c: c == ("False", "TargetOwned"), 15, "it is named")
    assert shop.profile()["status"]["scaling"]["owner"] == "ScaledObject/own"
    assert shop.replicas() == 2


def test_a_target_that_comes_late_and_goes_again(shop: Shop, exporter: Exporter) -> None:
    exporter.rate = 50
    shop.create_profile()
    eventually(lambda: shop.condition("Ready"), lambda c: c == ("False", "TargetNotFound"), 15, "it is missed")
    shop.create_target()
    eventually(lambda: shop.condition("TargetFound"), lambda c: c == ("True", "Found"), 5, "it is found")
    shop.apps.delete_namespaced_deployment("shop", shop.namespace)
    eventually(lambda: shop.condition("TargetFound")[0], lambda s: s == "False", 5, "it is missed again")


def test_an_idle_object_is_not_written(shop: Shop, exporter: Exporter) -> None:
    exporter.rate = 15
    shop.create_target()
    shop.create_profile(mode="DryRun")
    eventually(lambda: shop.condition("Ready"), lambda c: c[0] == "True", 20, "Ready")
    versions: list[str] = []

    def look() -> list[str]:
        versions.append(shop.profile()["metadata"]["resourceVersion"])
        return versions[-50:]

    # Ten seconds are ten decisions here, all of them silent, once the history holds nothing but this load.
    eventually(look, lambda last: len(last) == 50 and len(set(last)) == 1, 60, "ten seconds without a write")


def test_the_standby_takes_over_after_a_crash(
    shop: Shop, exporter: Exporter, operators: tuple[Operator, Operator]
) -> None:
    first, second = operators
    leader, standby = (first, second) if first.leads else (second, first)
    exporter.rate = 100
    shop.create_target()
    shop.create_profile()
    eventually(shop.replicas, lambda n: n >= 11, 30, "replicas rise")
    before = shop.replicas()
    assert standby.get("/readyz")[0] == 200, "waiting for a Lease held elsewhere is being ready"
    assert not standby.leads
    leader.kill()
    exporter.rate = 150
    eventually(lambda: standby.leads, bool, 20, "the standby leads")
    eventually(shop.replicas, lambda n: n >= 16, 20, "it acts")
    assert shop.replicas() >= before
    leader.start()
    eventually(lambda: leader.get("/readyz")[0], lambda status: status == 200, 20, "the first one waits")
    assert not leader.leads


def test_metrics_show_the_object(shop: Shop, exporter: Exporter, operators: tuple[Operator, Operator]) -> None:
    exporter.rate = 50
    shop.create_target()
    shop.create_profile()
    series = f'presage_desired_replicas{{kind="MetricProfile",name="shop",namespace="{shop.namespace}"}}'
    leader = next(operator for operator in operators if operator.leads)
    eventually(lambda: series in leader.get("/metrics")[1], bool, 15, "the series appears")
    shop.objects.delete_namespaced_custom_object(GROUP, VERSION, shop.namespace, "metricprofiles", "shop")
    eventually(lambda: series not in leader.get("/metrics")[1], bool, 15, "and goes with the object")
