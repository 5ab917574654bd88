"""`presage explain` and `presage forecast` on an object that a real operator scales by a real Prometheus."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
import yaml
from kubernetes import client

from e2e.cluster import Cluster, ensure_binary
from presage.resources.base import GROUP, VERSION
from tests.integration.operator.harness import (
    Exporter,
    Operator,
    Prometheus,
    Shop,
    create_source,
    eventually,
    running,
)
from tests.integration.tools import Kubectl, account_kubeconfig

RATE = 93.0
T = TypeVar("T")


@dataclass(frozen=True)
class Running:
    """A profile that was decided on, and where to look at it."""

    shop: Shop
    kubectl: Kubectl
    kubeconfig: Path
    operator: Operator
    prometheus: Prometheus
    source: str

    def presage(self, *arguments: str, kubeconfig: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run the command as a user does."""
        return subprocess.run(
            [sys.executable, "-m", "presage", *arguments],
            env={**os.environ, "KUBECONFIG": str(kubeconfig or self.kubeconfig)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def steadily(self, call: Callable[[], T]) -> tuple[T, dict[str, Any]]:
        """Return what a call gives, and the status that was there before it and after it."""
        for _ in range(10):
            before = self.shop.profile()["status"]
            given = call()
            if self.shop.profile()["status"] == before:
                return given, before
        raise AssertionError("status changes all the time")

    def explained(self, *arguments: str) -> dict[str, Any]:
        """Return what `presage explain` says, as JSON."""
        done = self.presage("explain", "mprof/shop", "-n", self.shop.namespace, "-o", "json", *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def ask(self, query: str, at: str) -> list[dict[str, Any]]:
        """Return what Prometheus answers to a query at a moment."""
        given = urllib.parse.urlencode({"query": query, "time": at})
        with urllib.request.urlopen(f"{self.prometheus.url}/api/v1/query?{given}", timeout=10) as answer:  # noqa: S310
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return found


@pytest.fixture(scope="module")
def decided(
    cluster: Cluster, api: client.ApiClient, kubectl: Kubectl, crds: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    folder, core = tmp_path_factory.mktemp("explain"), client.CoreV1Api(api)
    system, namespace = (f"{what}-{uuid.uuid4().hex[:8]}" for what in ("system", "shop"))
    for name in (system, namespace):
        core.create_namespace({"metadata": {"name": name}})
    exporter = Exporter()
    exporter.rate = RATE
    prometheus = Prometheus(ensure_binary("prometheus"), folder, exporter.port)
    operator = Operator(cluster.kubeconfig, system, folder, "operator")
    try:
        with running(prometheus, operator), create_source(api, prometheus.url, tenant=("job", "target")) as source:
            shop = Shop(api, namespace, source)
            shop.create_target()
            shop.create_profile()
            trusted = ("BacktestPassed", "NaiveIsBetter")
            eventually(lambda: shop.condition("ForecastTrusted")[1], lambda r: r in trusted, 60, "a forecast is judged")
            refresh(shop, 21)
            yield Running(shop, kubectl, cluster.kubeconfig, operator, prometheus, source)
    finally:
        exporter.stop()
        for name in (system, namespace):
            core.delete_namespace(name)


def refresh(shop: Shop, most: int) -> None:
    """Have status written anew: alone it is refreshed rarely, a change of the spec writes it at once."""
    change = {"spec": {"scaling": {"maxReplicas": most}}}
    shop.objects.patch_namespaced_custom_object(GROUP, VERSION, shop.namespace, "metricprofiles", "shop", change)
    generation = shop.profile()["metadata"]["generation"]
    eventually(lambda: shop.profile()["status"]["observedGeneration"], lambda g: g == generation, 15, "status follows")


def test_the_answer_comes_first(decided: Running) -> None:
    done, status = decided.steadily(lambda: decided.presage("explain", "mprof/shop", "-n", decided.shop.namespace))
    assert (done.returncode, done.stderr) == (0, "")
    lines, scaling = done.stdout.splitlines(), status["scaling"]
    assert lines[0] == scaling["explain"]
    assert f"→ Deployment shop: {scaling['desiredReplicas']} wanted" in lines[1]
    for title in ("load now", "from the forecast", "from the load now", "replicas", "forecast", "conditions"):
        assert title in lines
    assert "  ForecastTrusted" in done.stdout


def test_every_number_follows_from_what_prometheus_answers(decided: Running) -> None:
    document = decided.explained()
    decision, (query,) = document["decision"], document["queries"]
    (metric,) = decision["metrics"]
    assert 'job="target"' in query["tick"], "the label that the source forces on every query"
    answer = decided.ask(query["tick"], decision["time"])
    parts = {each["metric"]["presage"]: float(each["value"][1]) for each in answer}
    (event,) = metric["events"]
    assert event["load"] == pytest.approx(parts["load"], rel=0.02)
    assert event["load"] == pytest.approx(RATE, rel=0.1)
    assert event["targets"] == 1
    reactive = metric["reactive"]
    assert reactive["load"] == event["load"] * event["weight"]
    assert reactive["planned"] == pytest.approx(reactive["load"] + reactive["margin"]["load"])
    assert reactive["replicas"] == math.ceil(reactive["planned"] / metric["perPod"])
    needs = [part["replicas"] for part in (reactive, metric.get("forecast")) if part]
    assert metric["wanted"] == min(21, max(needs))
    assert decided.ask(query["history"], decision["time"]), "the history query has a value too"


def test_it_is_a_plugin_of_kubectl(decided: Running) -> None:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [str(decided.kubectl.binary), "presage", "explain", "mprof/shop", "-n", decided.shop.namespace],
        env={**os.environ, "KUBECONFIG": str(decided.kubeconfig), "PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "MetricProfile " in done.stdout


def test_kubectl_shows_it_too(decided: Running) -> None:
    get = ("get", "mprof", "shop", "-n", decided.shop.namespace)
    (short, wide), status = decided.steadily(lambda: (decided.kubectl(*get), decided.kubectl(*get, "-o", "wide")))
    head, row = short.splitlines()
    assert head.split() == ["NAME", "TARGET", "PODS", "DESIRED", "BECAUSE", "MODE", "TRUSTED", "READY", "REASON", "AGE"]
    assert max(len(head), len(row)) <= 120
    assert f" {status['scaling']['desiredReplicas']} " in row
    assert status["scaling"]["explain"] in wide
    described = decided.kubectl("describe", "mprof", "shop", "-n", decided.shop.namespace)
    for field in ("Explain:", "Binding Reason:", "Desired Replicas:", "Lead Time Seconds:", "Decision:", "Leader:"):
        assert field in described
    metrics = [line for line in decided.operator.get("/metrics")[1].splitlines() if decided.shop.namespace in line]
    for series in ("desired_replicas", "lead_time_seconds", "observed_load", "data_available", "forecast_weight"):
        assert [line for line in metrics if line.startswith(f"presage_{series}{{")], series
    conditions = {each["type"]: each["status"] for each in decided.shop.profile()["status"]["conditions"]}
    for kind, status in conditions.items():
        shown = [line for line in metrics if f'presage_object_condition{{condition="{kind}"' in line]
        assert kind == "Ready" or shown[0].endswith(" 1.0" if status == "True" else " 0.0"), kind


def test_who_may_not_read_the_source_still_learns_the_rest(decided: Running, tmp_path: Path) -> None:
    kubectl, namespace = decided.kubectl, decided.shop.namespace
    kubectl("create", "serviceaccount", "viewer", "-n", namespace)
    kubectl("create", "role", "viewer", "-n", namespace, "--verb=get", f"--resource=metricprofiles.{GROUP}")
    kubectl("create", "rolebinding", "viewer", "-n", namespace, "--role=viewer", f"--serviceaccount={namespace}:viewer")
    viewer = account_kubeconfig(kubectl, decided.kubeconfig, namespace, "viewer", tmp_path / "viewer")
    done = decided.presage("explain", "mprof/shop", "-n", namespace, kubeconfig=viewer)
    assert (done.returncode, done.stderr) == (0, "")
    assert "a label that it forces on every query is missing here" in done.stdout
    assert f"MetricSource {decided.source} cannot be read (the cluster refuses" in done.stdout


def test_the_forecast_of_a_live_object(decided: Running, tmp_path: Path) -> None:
    live = ("forecast", "mprof/shop", "-n", decided.shop.namespace)
    plot = str(tmp_path / "ahead.png")
    done, status = decided.steadily(lambda: decided.presage(*live, "--format", "json", "--plot", plot))
    assert (done.returncode, "presage forecast:" in done.stderr) == (0, False), done.stderr  # progress is told there
    document = json.loads(done.stdout)
    assert document["forecast"] == status["forecast"]
    assert [point["p90"] for point in document["points"]] == [point["p90"] for point in status["forecast"]["next"]]
    assert (tmp_path / "ahead.png").read_bytes().startswith(b"\x89PNG")
    done = decided.presage(*live, "--plot", str(tmp_path / "ahead.html"))
    assert (done.returncode, "presage forecast:" in done.stderr) == (0, False), done.stderr  # progress is told there
    assert "load expected" in done.stdout
    assert 'class="served"' in (tmp_path / "ahead.html").read_text()


def test_the_forecast_of_a_query_needs_no_cluster(decided: Running, tmp_path: Path) -> None:
    query = "sum(rate(orders_total[5s]))"
    given = ("--prometheus", decided.prometheus.url, "--query", query, "--step", "1s", "--from", "20s")
    done = decided.presage("forecast", *given, "--horizon", "10s", "--format", "json", kubeconfig=tmp_path / "absent")
    assert (done.returncode, "presage forecast:" in done.stderr) == (0, False), done.stderr  # progress is told there
    points = json.loads(done.stdout)["points"]
    assert len(points) == 10
    assert points[0]["p50"] == pytest.approx(RATE, rel=0.2)


def test_how_it_ends_when_there_is_nothing_to_show(decided: Running, tmp_path: Path) -> None:
    namespace = decided.shop.namespace
    for command in ("explain", "forecast"):
        done = decided.presage(command, "mprof/absent", "-n", namespace)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"there is no MetricProfile absent in namespace {namespace}" in done.stderr
        nowhere = yaml.safe_load(decided.kubeconfig.read_text())
        nowhere["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:9"
        (tmp_path / "nowhere").write_text(yaml.safe_dump(nowhere))
        done = decided.presage(command, "mprof/shop", "-n", namespace, kubeconfig=tmp_path / "nowhere")
        assert (done.returncode, len(done.stderr.splitlines())) == (3, 1)


def test_an_object_that_nothing_was_decided_about(decided: Running) -> None:
    shop = decided.shop
    shop.create_profile("off", mode="Off")
    eventually(lambda: shop.condition("ScalingActive", "off")[1], lambda r: r == "Off", 20, "it was looked at")
    done = decided.presage("explain", "mprof/off", "-n", shop.namespace)
    assert done.returncode == 1
    assert done.stdout.splitlines()[0] == "no decision yet"
    assert "mode Off, so nothing is decided" in done.stdout
    shop.objects.delete_namespaced_custom_object(GROUP, VERSION, shop.namespace, "metricprofiles", "off")
