"""The operator's pods: which one leads, what it decided, and how to end one."""

from __future__ import annotations

import signal
import urllib.request
from dataclasses import dataclass
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from e2e.cluster import Cluster
from e2e.demo import manifests
from e2e.demo.errors import DemoError
from e2e.demo.kube import Kubectl

LEASE = "presage-operator"
_PLACE = f"-n={manifests.OPERATOR_NAMESPACE}"
_LEADS, _DECISIONS = "presage_leader", "presage_decisions_total"
_SELECTOR = "-l=app.kubernetes.io/name=presage"


@dataclass(frozen=True, slots=True)
class OperatorPod:
    """One pod of the operator as it is now; `container` is its container's id, empty while none runs."""

    name: str
    address: str
    container: str
    ready: bool
    restarts: int

    def read_metrics(self) -> str:
        """Return its /metrics; empty where it does not answer."""
        try:
            with urllib.request.urlopen(f"http://{self.address}:{manifests.PORT}/metrics", timeout=2) as answer:
                return str(answer.read().decode())
        except (OSError, ValueError):
            return ""


class Operators:
    """All pods of the operator."""

    def __init__(self, kubectl: Kubectl, cluster: Cluster) -> None:
        self._kubectl = kubectl
        self._cluster = cluster

    def pods(self) -> list[OperatorPod]:
        """Return those that are not told to go, by name."""
        items = self._kubectl.get("pods", _PLACE, _SELECTOR)["items"]
        return sorted((_read(pod) for pod in items if "deletionTimestamp" not in pod["metadata"]), key=lambda p: p.name)

    def find(self, name: str) -> OperatorPod:
        """Return the pod of that name.

        Raises:
            DemoError: there is none.
        """
        found = next((pod for pod in self.pods() if pod.name == name), None)
        if found is None:
            raise DemoError(f"the operator has no pod {name}")
        return found

    def leader(self) -> str:
        """Return the pod that the Lease names; empty if none."""
        lease = self._kubectl.get("lease", LEASE, _PLACE)
        return str(lease["spec"].get("holderIdentity") or "").rpartition("_")[0]

    def decisions(self) -> dict[str, float]:
        """Return how often each pod that leads has decided, by name."""
        totals = {pod.name: add_up(pod.read_metrics()) for pod in self.pods()}
        return {name: each.get(_DECISIONS, 0.0) for name, each in totals.items() if each.get(_LEADS) == 1}

    def deciding(self) -> str:
        """Return the pod that leads and has decided since it does; empty if there is none."""
        return next((name for name, count in self.decisions().items() if count > 0), "")

    def restarts(self) -> int:
        """Return how often containers of these pods were restarted."""
        return sum(pod.restarts for pod in self.pods())

    def crash(self, name: str) -> None:
        """End a pod's process as the kernel would: no word of farewell, and the kubelet starts it anew."""
        self._cluster.signal_container(self.find(name).container, signal.SIGKILL)

    def freeze(self, name: str) -> None:
        """Stop a pod's process where it stands."""
        self._cluster.signal_container(self.find(name).container, signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """Let a frozen process go on."""
        self._cluster.signal_container(self.find(name).container, signal.SIGCONT)

    def remove(self, name: str) -> None:
        """Take a pod away at once, as from a node that is lost."""
        self._kubectl.run("delete", "pod", name, _PLACE, "--grace-period=0", "--force", "--wait=false")


def add_up(metrics: str) -> dict[str, float]:
    """Return the sum of all series of each metric in a page of metrics."""
    totals: dict[str, float] = {}
    for family in text_string_to_metric_families(metrics):
        for sample in family.samples:
            totals[sample.name] = totals.get(sample.name, 0.0) + sample.value
    return totals


def _read(pod: dict[str, Any]) -> OperatorPod:
    status = pod.get("status", {})
    containers: list[dict[str, Any]] = status.get("containerStatuses") or [{}]
    container = containers[0]
    return OperatorPod(
        name=pod["metadata"]["name"],
        address=status.get("podIP", ""),
        container=container.get("containerID", "").removeprefix("containerd://") if _runs(container) else "",
        ready=bool(container.get("ready")),
        restarts=int(container.get("restartCount", 0)),
    )


def _runs(container: dict[str, Any]) -> bool:
    return "running" in container.get("state", {})
