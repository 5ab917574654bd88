"""presage as the chart installs it, on the control cluster; the operator runs beside it, as one of its pods.

The pods of the Deployment are played. The process that acts is a real one and goes by the name and address of one of
them, so that the API server's proxy leads to it.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from e2e.bench.processes import free_port
from e2e.cluster import Cluster, ensure_binary
from tests.integration.operator.harness import Exporter, Operator, Prometheus, eventually, running
from tests.integration.tools import Kubectl

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Installed:
    """An installation and how to look at it."""

    namespace: str
    kubectl: Kubectl
    kubeconfig: Path
    operator: Operator
    prometheus: Prometheus
    source: str
    manifests: str

    def presage(self, *arguments: str, kubeconfig: Path | None = None) -> Done:
        """Run the command as a user does."""
        done = subprocess.run(
            [sys.executable, "-m", "presage", *arguments],
            env={**os.environ, "KUBECONFIG": str(kubeconfig or self.kubeconfig)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def check(self, **options: Any) -> tuple[int, list[dict[str, str]]]:
        """Return the exit code and the findings of `presage check`."""
        done = self.presage("check", "-n", self.namespace, "-o", "json", **options)
        assert done.err == ""
        answer = json.loads(done.out)
        assert answer["schemaVersion"] == 1
        return done.code, answer["findings"]

    def failures(self) -> list[dict[str, str]]:
        """Return the failed findings; the exit code must agree."""
        code, findings = self.check()
        failed = [finding for finding in findings if finding["level"] == "failed"]
        assert code == (1 if failed else 0)
        return failed

    def restore(self) -> None:
        """Put the chart's objects back."""
        self.kubectl("apply", "-n", self.namespace, "-f", self.manifests)

    def pods(self) -> list[str]:
        """Return the names of the operator's Ready pods."""
        return ready(self.kubectl, self.namespace)


@pytest.fixture(scope="module")
def installed(
    cluster: Cluster, kubectl: Kubectl, crds: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installed]:
    """The chart's objects, a real operator and a real Prometheus."""
    folder, namespace = tmp_path_factory.mktemp("installed"), f"system-{uuid.uuid4().hex[:8]}"
    manifests = folder / "chart.yaml"
    port = free_port()
    manifests.write_text(render_chart(namespace, port))
    kubectl("create", "namespace", namespace)
    kubectl("apply", "-n", namespace, "-f", str(manifests))
    exporter = Exporter()
    prometheus = Prometheus(ensure_binary("prometheus"), folder, exporter.port)
    try:
        pods = eventually(lambda: ready(kubectl, namespace), lambda names: len(names) == 2, 30, "two pods are Ready")
        give_address(kubectl, namespace, pods[0])
        operator = Operator(cluster.kubeconfig, namespace, folder, pods[0], PRESAGE_HTTP_PORT=str(port))
        operator.port = port
        with running(prometheus, operator):
            source = f"source-{uuid.uuid4().hex[:8]}"
            kubectl("apply", "-f", "-", stdin=metric_source(source, prometheus.url))
            made = Installed(namespace, kubectl, cluster.kubeconfig, operator, prometheus, source, str(manifests))
            eventually(lambda: [f["message"] for f in made.failures()], lambda failed: not failed, 30, "it is sound")
            yield made
            kubectl("delete", "metricsource", source, "--ignore-not-found")
    finally:
        exporter.stop()
        kubectl("delete", "-n", namespace, "-f", str(manifests), "--ignore-not-found", "--wait=false")
        kubectl("delete", "namespace", namespace, "--wait=false")


def render_chart(namespace: str, port: int) -> str:
    """Return the chart's objects, as Helm makes them."""
    settings = ["--namespace", namespace, "--set", f"operator.httpPort={port}"]
    helm = [str(ensure_binary("helm")), "template", "presage", str(ROOT / "charts/presage"), *settings]
    helm += ["--api-versions", "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy"]  # as the cluster would say
    return subprocess.run(helm, capture_output=True, text=True, check=True).stdout


def give_address(kubectl: Kubectl, namespace: str, pod: str) -> None:
    """Give a played pod an address of this machine; the API server's proxy refuses loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing
        address = probe.getsockname()[0]
    status = {"status": {"podIP": address, "podIPs": [{"ip": address}]}}
    kubectl("patch", "pod", pod, "-n", namespace, "--subresource=status", "--type=merge", "-p", json.dumps(status))


def ready(kubectl: Kubectl, namespace: str) -> list[str]:
    """Return the names of the Ready pods in a namespace."""
    return [
        pod["metadata"]["name"]
        for pod in kubectl.read("pods", "-n", namespace)["items"]
        if "deletionTimestamp" not in pod["metadata"]
        and any(c["type"] == "Ready" and c["status"] == "True" for c in pod.get("status", {}).get("conditions", ()))
    ]


def metric_source(name: str, url: str) -> dict[str, Any]:
    """Return a MetricSource that is looked at often."""
    return {
        "apiVersion": "presage.dev/v1alpha1",
        "kind": "MetricSource",
        "metadata": {"name": name},
        "spec": {"url": url, "checkPeriodSeconds": 2, "limits": {"timeoutSeconds": 2}},
    }
