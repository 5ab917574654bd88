"""A release of the chart in a real API server: it changes from any set of values to any other, and goes whole."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.cluster import Cluster, ensure_binary
from tests.integration.chart.rendering import CHART
from tests.integration.tools import Kubectl, eventually

VALUES = CHART.parents[1] / "tests" / "chart" / "values"
LEFT = "deployments,services,secrets,serviceaccounts,roles,rolebindings,networkpolicies,poddisruptionbudgets,configmaps"
CLUSTER_WIDE = (
    "clusterroles,clusterrolebindings,validatingadmissionpolicies,validatingadmissionpolicybindings,"
    "mutatingadmissionpolicies,mutatingadmissionpolicybindings,mutatingwebhookconfigurations"
)
# Kinds of the Prometheus operator are not there; test_schemas.py looks at them.
PLAIN = "serviceMonitor.enabled=false,prometheusRule.enabled=false,grafanaDashboard.namespace="

Helm = Callable[..., str]


@pytest.fixture
def helm(cluster: Cluster, kubectl: Kubectl, crds: None, namespace: str) -> Iterator[Helm]:
    binary = ensure_binary("helm")

    def run(*words: str) -> str:
        argv = [str(binary), f"--kubeconfig={cluster.kubeconfig}", f"--namespace={namespace}", *words]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    yield run
    run("uninstall", "presage", "--ignore-not-found")


def upgrade(helm: Helm, name: str) -> str:
    """Install or upgrade with a set of values; the name of what others see stays."""
    file: Path = VALUES / f"{name}.yaml"
    values = [f"--values={file}"] if file.exists() else []
    fixed = ["--set", f"{PLAIN},fullnameOverride=presage"]
    return helm("upgrade", "--install", "presage", str(CHART), *values, *fixed, "--skip-crds", "--wait=hookOnly")


def labelled(kubectl: Kubectl, namespace: str) -> list[Any]:
    selector = "--selector=app.kubernetes.io/part-of=presage"
    return kubectl.read(LEFT, "-n", namespace, selector)["items"] + kubectl.read(CLUSTER_WIDE, selector)["items"]


def test_a_release_changes_rolls_back_and_goes(helm: Helm, kubectl: Kubectl, namespace: str) -> None:
    upgrade(helm, "default")
    before = {(each["kind"], each["metadata"]["name"]) for each in labelled(kubectl, namespace)}
    assert ("PodDisruptionBudget", "presage") in before
    for name in ("hardened", "minimal", "full", "single", "default"):
        upgrade(helm, name)
    assert {(each["kind"], each["metadata"]["name"]) for each in labelled(kubectl, namespace)} == before
    helm("rollback", "presage", "3", "--wait=hookOnly")
    assert [each["kind"] for each in labelled(kubectl, namespace)] == ["Deployment"]
    helm("uninstall", "presage")
    assert labelled(kubectl, namespace) == []
    assert "metricprofiles.presage.dev" in kubectl("get", "crds", "-o", "name")


async def test_drains_may_take_one_replica_of_two(helm: Helm, kubectl: Kubectl, namespace: str) -> None:
    upgrade(helm, "default")

    def budget() -> dict[str, int]:
        return kubectl.read("poddisruptionbudget", "presage", "-n", namespace).get("status", {})

    wanted = {"expectedPods": 2, "currentHealthy": 2, "desiredHealthy": 1, "disruptionsAllowed": 1}
    await eventually(lambda: wanted.items() <= budget().items(), within=30, what="two pods, one may go")


def test_a_second_release_is_refused(helm: Helm, kubectl: Kubectl, namespace: str) -> None:
    """Two releases would hold two Leases, and both would act."""
    upgrade(helm, "default")
    with pytest.raises(AssertionError, match="cannot be imported into the current release"):
        helm("install", "another", str(CHART), "--skip-crds")
