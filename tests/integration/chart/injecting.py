"""A release whose operator runs beside the cluster as a process, with the rights of the chart's account alone."""

from __future__ import annotations

import contextlib
import re
import ssl
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from kubernetes import client

from e2e.bench.processes import free_port
from e2e.cluster import Cluster, ensure_binary
from presage.core.recording.proof import is_injected
from tests.integration.chart.rendering import CHART
from tests.integration.chart.test_release import PLAIN
from tests.integration.operator.harness import Operator
from tests.integration.tools import Kubectl, account_kubeconfig

PROFILE = "presage.dev/profile"


class Injector(Operator):
    """`presage operator` with the chart's account, whose webhook the API server calls by URL."""

    def __init__(
        self, cluster: Cluster, kubectl: Kubectl, system: str, folder: Path, name: str = "one", **more: str
    ) -> None:
        place = account_kubeconfig(kubectl, cluster.kubeconfig, system, "presage", folder / f"{name}.kubeconfig")
        self.webhook_port = free_port()
        settings = {
            "PRESAGE_INJECTION_CHECK_SECONDS": "1",
            "PRESAGE_INJECTION_WEBHOOK": "Auto",
            "PRESAGE_INJECTION_WEBHOOK_PORT": str(self.webhook_port),
            "PRESAGE_INJECTION_WEBHOOK_URL": f"https://127.0.0.1:{self.webhook_port}",
        }
        super().__init__(place, system, folder, name, **{**settings, **more})

    @property
    def in_force(self) -> str:
        """The metric; empty where it is not exported."""
        found = re.search(r"^presage_injection_in_force (\S+)$", self.get("/metrics")[1], re.MULTILINE)
        return found[1] if found else ""

    @property
    def mechanisms(self) -> list[str]:
        """Each mechanism that was found, in turn."""
        return [line["mechanism"] for line in self.lines() if line["event"] == "injection.proven"]

    def shown_certificate(self) -> str:
        """The certificate that the webhook shows; empty if it does not answer."""
        try:
            return ssl.get_server_certificate(("127.0.0.1", self.webhook_port), timeout=2)
        except OSError:
            return ""


def pod(name: str, profile: str = "shop", **labels: str) -> dict[str, Any]:
    container = {"name": "main", "image": "registry.invalid/shop:1"}
    return {"metadata": {"name": name, "labels": {PROFILE: profile, **labels}}, "spec": {"containers": [container]}}


def create(api: client.ApiClient, namespace: str, body: dict[str, Any], *, dry: bool = False) -> tuple[Any, float]:
    """Create a pod; return it as it is stored, and how many seconds that took."""
    more = {"dry_run": "All"} if dry else {}
    began = time.monotonic()
    made = client.CoreV1Api(api).create_namespaced_pod(namespace, body, **more)
    took = time.monotonic() - began
    return api.sanitize_for_serialization(made), took


def count_injected(api: client.ApiClient, namespace: str, prefix: str, pods: int) -> int:
    """Create pods and return how many of them have the reference."""
    return sum(is_injected(create(api, namespace, pod(f"{prefix}-{i}"))[0], "shop") for i in range(pods))


@contextlib.contextmanager
def new_namespace(api: client.ApiClient, **labels: str) -> Iterator[str]:
    """Give a namespace."""
    core, name = client.CoreV1Api(api), f"space-{uuid.uuid4().hex[:8]}"
    core.create_namespace({"metadata": {"name": name, "labels": labels}})
    try:
        yield name
    finally:
        core.delete_namespace(name)


@contextlib.contextmanager
def released(cluster: Cluster, system: str) -> Iterator[Callable[..., None]]:
    """Install the chart; give a function for more words to helm, none installs again. The release goes at the end."""
    base = [str(ensure_binary("helm")), f"--kubeconfig={cluster.kubeconfig}", f"--namespace={system}"]
    values = f"--set={PLAIN},fullnameOverride=presage,replicas=1"
    install = ("upgrade", "--install", "presage", str(CHART), values, "--skip-crds", "--wait=hookOnly")

    def helm(*words: str) -> None:
        done = subprocess.run([*base, *(words or install)], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr

    helm()
    try:
        yield helm
    finally:
        helm("uninstall", "presage", "--ignore-not-found")
