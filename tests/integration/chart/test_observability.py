"""Dashboard and alerts of the chart, asked of a real Prometheus that scrapes a real operator."""

from __future__ import annotations

import json
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client
from prometheus_client.parser import text_string_to_metric_families

from e2e.cluster import Cluster, ensure_binary
from tests.integration.chart.rendering import CHART, render
from tests.integration.operator.harness import GROUP, VERSION, Exporter, Operator, Prometheus, Shop, eventually, running

DASHBOARD: dict[str, Any] = json.loads((CHART / "files/dashboard.json").read_text(encoding="utf-8"))
GROUPS = yaml.safe_load((CHART / "files/alerts.yaml").read_text(encoding="utf-8"))["groups"]
RULES = [rule for group in GROUPS for rule in group["rules"]]
QUERIES = {
    f"{panel['title']} {target['refId']}": (target["expr"], target["instant"])
    for panel in DASHBOARD["panels"]
    for target in panel.get("targets", ())
}
SEASON_S = 10


class Waves:
    """Plays a load of one short season on an exporter, so that a forecast of it can be trusted."""

    def __init__(self, exporter: Exporter) -> None:
        self._exporter, self._stopped = exporter, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def _run(self) -> None:
        while not self._stopped.wait(0.2):
            self._exporter.rate = 120 if time.time() % SEASON_S < SEASON_S / 2 else 30

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()


class Scene:
    """The operator, its Prometheus, and what it looks after."""

    def __init__(self, operator: Operator, prometheus: Prometheus) -> None:
        self.operator, self._url = operator, prometheus.url

    def ask(self, path: str, **parameters: str) -> Any:
        """Return the data of one call of Prometheus' API; a refusal fails with its words."""
        try:
            with urllib.request.urlopen(f"{self._url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}") as answer:  # noqa: S310
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode()}") from None

    def query(self, expression: str, *, instant: bool) -> list[Any]:
        """Return the series of a query, with the dashboard's variables filled in as Grafana does."""
        filled = expression.replace("$__rate_interval", "5s").replace("$namespace", ".*").replace("$name", ".*")
        if instant:
            return list(self.ask("query", query=filled)["result"])
        now = time.time()
        return list(self.ask("query_range", query=filled, start=str(now - 20), end=str(now), step="1")["result"])

    def silent(self) -> list[str]:
        """Return the dashboard's queries that have no number to show."""
        return [name for name, (expr, instant) in QUERIES.items() if not has_number(self.query(expr, instant=instant))]

    def metrics(self) -> set[str]:
        """Return the names of all series that the operator serves."""
        families = text_string_to_metric_families(self.operator.get("/metrics")[1])
        return {sample.name for family in families for sample in family.samples}


def have_run(groups: list[dict[str, Any]]) -> bool:
    return all(not group["lastEvaluation"].startswith("0001") for group in groups)


def has_number(result: list[Any]) -> bool:
    values = [value for series in result for _, value in series.get("values", [series.get("value")])]
    return any(value != "NaN" for value in values)


@pytest.fixture(scope="module")
def scene(
    cluster: Cluster, api: client.ApiClient, crds: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    """One profile with a trusted forecast, and one that is not ready."""
    folder, name, core = tmp_path_factory.mktemp("scene"), f"scene-{uuid.uuid4().hex[:8]}", client.CoreV1Api(api)
    objects, exporter = client.CustomObjectsApi(api), Exporter()
    operator = Operator(cluster.kubeconfig, name, folder, "operator")
    prometheus = Prometheus(ensure_binary("prometheus"), folder, exporter.port)
    write_config(folder, exporter.port, operator.port)
    core.create_namespace({"metadata": {"name": name}})
    spec = {"url": prometheus.url, "checkPeriodSeconds": 5}
    source = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "MetricSource", "metadata": {"name": name}, "spec": spec}
    objects.create_cluster_custom_object(GROUP, VERSION, "metricsources", source)
    shop = Shop(api, name, name)
    shop.create_target()
    with running(Waves(exporter), prometheus):
        time.sleep(2 * SEASON_S)  # history for the first forecast
        shop.create_profile(maxReplicas=50, stabilizationWindowSeconds=0)
        objects.create_namespaced_custom_object(GROUP, VERSION, name, "metricprofiles", lost_profile(shop))
        with running(operator):
            yield Scene(operator, prometheus)
    exporter.stop()
    objects.delete_cluster_custom_object(GROUP, VERSION, "metricsources", name)
    core.delete_namespace(name)


def lost_profile(shop: Shop) -> dict[str, Any]:
    """Return a profile whose target does not exist."""
    found = shop.profile()
    spec = {**found["spec"], "target": {"name": "lost"}}
    return {**{key: found[key] for key in ("apiVersion", "kind")}, "metadata": {"name": "lost"}, "spec": spec}


def write_config(folder: Path, exporter: int, operator: int) -> None:
    """Scrape presage as the chart's ServiceMonitor asks for, with the label that such a scrape adds, and its rules."""
    (monitor,) = render("serviceMonitor.enabled=true", show_only="templates/servicemonitor.yaml")
    (endpoint,) = monitor["spec"]["endpoints"]
    presage = {
        "job_name": "presage",
        "metrics_path": endpoint["path"],
        "honor_labels": endpoint["honorLabels"],
        "static_configs": [{"targets": [f"127.0.0.1:{operator}"], "labels": {"namespace": "presage-system"}}],
    }
    target = {"job_name": "target", "static_configs": [{"targets": [f"127.0.0.1:{exporter}"]}]}
    every = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    rules = [str(CHART / "files/alerts.yaml")]
    config = {"global": every, "rule_files": rules, "scrape_configs": [target, presage]}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))


def test_every_query_of_the_dashboard_has_data(scene: Scene) -> None:
    eventually(scene.silent, lambda names: names == [], 60, "every panel shows something")


def test_the_dashboard_shows_what_is_there(scene: Scene) -> None:
    def value(title: str) -> list[tuple[dict[str, str], str]]:
        expr, instant = QUERIES[title]
        return [(series["metric"], series["value"][1]) for series in scene.query(expr, instant=instant)]

    assert value("Objects not ready A") == [({}, "1")]
    assert value("Leaders A") == [({}, "1")]
    (labels, _), = value("Not ready A")  # fmt: skip
    assert (labels["kind"], labels["name"]) == ("MetricProfile", "lost")
    assert labels["namespace"].startswith("scene-"), "the object's namespace, not the one it is scraped in"
    assert {labels["kind"]: number for labels, number in value("Objects A")} == {
        "MetricProfile": "2",
        "MetricSource": "1",
    }


def test_variables_offer_the_profiles(scene: Scene) -> None:
    for variable in DASHBOARD["templating"]["list"][1:]:
        selector, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"]).groups()  # type: ignore[union-attr]
        found = scene.ask(f"label/{label}/values", **{"match[]": selector.replace("$namespace", ".*")})
        assert len(found) == (2 if label == "name" else 1), (variable["name"], found)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_rules_run_without_error(scene: Scene, rule: dict[str, Any]) -> None:
    scene.query(rule["expr"], instant=True)
    groups = eventually(lambda: scene.ask("rules")["groups"], have_run, 10, "the rules have run")
    (health,) = [each["health"] for group in groups for each in group["rules"] if each["name"] == rule["alert"]]
    assert health == "ok"


def test_every_metric_of_presage_is_shown(scene: Scene) -> None:
    shown = " ".join(expr for expr, _ in QUERIES.values())
    names = {family.name for family in text_string_to_metric_families(scene.operator.get("/metrics")[1])}
    ours = {name for name in names if name.startswith("presage_") and not name.endswith("_created")}
    assert {name for name in ours if name not in shown} == set()


def test_every_metric_named_is_served(scene: Scene) -> None:
    expressions = [expr for expr, _ in QUERIES.values()] + [rule["expr"] for rule in RULES]
    named = {name for text in expressions for name in re.findall(r"\b(?:presage|process)_\w+", text)}
    assert len(named) > 20
    assert named - scene.metrics() == set()
