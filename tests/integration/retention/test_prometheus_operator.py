"""Objects of Prometheus Operator against its own CRDs on a real API server: rendered ones, and those presage makes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client

from e2e.cluster import Cluster
from e2e.waiting import eventually
from presage.resources.base import GROUP, VERSION
from tests.integration.monitoring import installed_monitoring
from tests.integration.operator.doors import Account, chart_rules
from tests.integration.operator.harness import Operator, running
from tests.integration.operator.surroundings import new_account, new_namespace
from tests.integration.retention.servers import render
from tests.integration.tools import Kubectl
from tests.unit.resources import cases

LEVELS = [{"profile": "Minimal"}, {"profile": "Debug", "above": "50"}]


@pytest.fixture(scope="module")
def monitoring(kubectl: Kubectl) -> Iterator[None]:
    with installed_monitoring(kubectl, "podmonitors", "prometheuses"):
        yield


class World:
    """An operator with the chart's rights, a MetricSource and a MetricProfile that asks that its tiers be enforced."""

    def __init__(self, api: client.ApiClient, namespace: str) -> None:
        self.objects, self.namespace, self.source = client.CustomObjectsApi(api), namespace, f"source-{namespace}"
        tiers = [{"name": name, "url": f"http://prometheus-{name}:9090"} for name in ("2h", "15d")]
        spec = {"url": tiers[1]["url"], "retention": {"backend": "PrometheusOperator", "tiers": tiers}}
        body = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "MetricSource", "metadata": {"name": self.source}}
        self.objects.create_cluster_custom_object(GROUP, VERSION, "metricsources", {**body, "spec": spec})
        changes = {**cases.load(cases.COUNTER, levels=LEVELS), "retention": {"port": "telemetry"}}
        profile = cases.profile({**changes, "sourceRef.name": self.source}, namespace=namespace)
        self.objects.create_namespaced_custom_object(GROUP, VERSION, namespace, "metricprofiles", profile)

    def monitors(self) -> dict[str, dict[str, Any]]:
        """Return the PodMonitors by the tier they are for."""
        found = self.objects.list_namespaced_custom_object("monitoring.coreos.com", "v1", self.namespace, "podmonitors")
        return {each["metadata"]["labels"]["presage.dev/retention"]: each for each in found["items"]}

    def condition(self) -> dict[str, str]:
        body = self.objects.get_namespaced_custom_object(GROUP, VERSION, self.namespace, "metricprofiles", "checkout")
        conditions = (body.get("status") or {}).get("conditions") or ()
        return next((dict(c) for c in conditions if c["type"] == "RetentionEnforced"), {})

    def patch(self, retention: dict[str, Any] | None) -> None:
        self.objects.patch_namespaced_custom_object(
            GROUP, VERSION, self.namespace, "metricprofiles", "checkout", {"spec": {"retention": retention}}
        )

    def delete(self) -> None:
        self.objects.delete_cluster_custom_object(GROUP, VERSION, "metricsources", self.source)


@contextlib.contextmanager
def new_world(api: client.ApiClient, namespace: str) -> Iterator[World]:
    world = World(api, namespace)
    try:
        yield world
    finally:
        world.delete()


@contextlib.contextmanager
def restricted(api: client.ApiClient, cluster: Cluster, folder: Path) -> Iterator[Operator]:
    """Give an operator that leads and has the chart's rights and no others."""
    server = yaml.safe_load(cluster.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    with new_namespace(api) as system, new_account(api, system) as account:
        _allow(account)
        started = Operator(account.write_kubeconfig(cluster, folder / "kubeconfig", server), system, folder, "operator")
        with running(started):
            eventually(lambda: started.leads, bool, 30, "it leads")
            yield started


def _allow(account: Account) -> None:
    account.allow(chart_rules())
    account.allow_lease()


# First, before the module's CRDs are there.
def test_without_prometheus_operator_it_is_told(
    api: client.ApiClient, cluster: Cluster, crds: None, namespace: str, tmp_path: Path
) -> None:
    with restricted(api, cluster, tmp_path), new_world(api, namespace) as world:
        found = eventually(world.condition, lambda each: each.get("reason") == "Unavailable", 30, "it is told")
        assert "Is Prometheus Operator, with its kind PodMonitor, installed?" in found["message"]


def test_presage_makes_a_monitor_for_each_tier(
    api: client.ApiClient, cluster: Cluster, crds: None, monitoring: None, namespace: str, tmp_path: Path
) -> None:
    with restricted(api, cluster, tmp_path), new_world(api, namespace) as world:
        found = eventually(world.monitors, lambda each: set(each) == {"2h", "15d"}, 30, "there are two")
        for tier, monitor in found.items():
            assert monitor["spec"]["selector"] == {"matchLabels": {"presage.dev/profile": "checkout"}}
            (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
            assert endpoint["port"] == "telemetry"
            assert endpoint["metricRelabelings"][0]["regex"] == tier
            assert monitor["metadata"]["ownerReferences"][0]["kind"] == "MetricProfile"
        assert world.condition()["status"] != "True", "nothing is proven by objects"
        before = {each["metadata"]["name"] for each in found.values()}
        world.patch({"port": "other"})
        after = eventually(
            world.monitors,
            lambda each: {m["spec"]["podMetricsEndpoints"][0]["port"] for m in each.values()} == {"other"},
            30,
            "they follow",
        )
        assert len(after) == 2
        assert not before & {each["metadata"]["name"] for each in after.values()}
        world.patch(None)
        eventually(world.monitors, lambda each: not each, 30, "they go")
        eventually(lambda: world.condition().get("reason"), lambda reason: reason == "Inactive", 20, "it says so")


def test_rendered_objects_are_taken(kubectl: Kubectl, monitoring: None, namespace: str, tmp_path: Path) -> None:
    options = ("--tiers", "2h,15d", "--default-tier", "15d", "--functions", "--operator-namespace", namespace)
    folder = render(tmp_path, "--backend", "PrometheusOperator", *options)
    objects = [yaml.safe_load(file.read_text()) for file in sorted(folder.iterdir())]
    assert sorted(each["kind"] for each in objects) == ["PodMonitor"] * 4 + ["Prometheus"] * 2
    wanted = {"apiVersion": "v1", "kind": "List", "items": objects}
    said = kubectl("create", "--dry-run=server", "--validate=strict", "-n", namespace, "-f", "-", stdin=wanted)
    assert said.count("(server dry run)") == len(objects)
