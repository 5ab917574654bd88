"""What the machine and the operator's pods used while the day was played."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from e2e.demo import manifests
from e2e.demo.kube import Kubectl
from e2e.demo.podlog import count_restarts
from e2e.demo.record import OperatorUse


def read_busy_ticks() -> tuple[float, float]:
    """Return (busy, all) processor ticks of the machine since boot."""
    fields = [float(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return sum(fields) - fields[3] - fields[4], sum(fields)


class UseLog:
    """Samples of processor and memory; ``sample`` is called every few seconds."""

    def __init__(self, kubectl: Kubectl) -> None:
        self._kubectl = kubectl
        self._first = read_busy_ticks()
        self._memory = 0
        self._cpu: dict[str, list[tuple[float, float]]] = {}

    def sample(self, when: float) -> None:
        """Read once the summary of each kubelet on whose node an operator runs."""
        for node in sorted(self._find_nodes()):
            self._read_node(when, node)

    def _find_nodes(self) -> set[str]:
        pods = self._kubectl.get("pods", f"-n={manifests.OPERATOR_NAMESPACE}")["items"]
        return {node for pod in pods if (node := pod["spec"].get("nodeName"))}

    def _read_node(self, when: float, node: str) -> None:
        summary = self._kubectl.raw(f"/api/v1/nodes/{node}/proxy/stats/summary")
        for pod in summary.get("pods", []):
            if pod["podRef"]["namespace"] == manifests.OPERATOR_NAMESPACE:
                self._memory = max(self._memory, int(pod.get("memory", {}).get("workingSetBytes", 0)))
                used = float(pod.get("cpu", {}).get("usageCoreNanoSeconds", 0)) / 1e9
                self._cpu.setdefault(pod["podRef"]["uid"], []).append((when, used))

    def busy_share(self) -> float:
        """Return the share of all cores busy since this log began."""
        busy, total = read_busy_ticks()
        return (busy - self._first[0]) / max(1.0, total - self._first[1])

    def operator_use(self) -> OperatorUse:
        """Return what the operator's pods used so far."""
        cores = 0.0
        for samples in self._cpu.values():
            (began, first), (ended, last) = samples[0], samples[-1]
            cores += (last - first) / (ended - began) if ended > began else 0.0
        return OperatorUse(self._memory, round(cores, 3), count_operator_restarts(self._kubectl))


def count_operator_restarts(kubectl: Kubectl) -> int:
    """Return how often containers of the operator's pods were restarted."""
    return sum(map(count_restarts, kubectl.get("pods", f"-n={manifests.OPERATOR_NAMESPACE}")["items"]))


def find_security_warnings(kubectl: Kubectl) -> list[str]:
    """Return events that say that pod security refused or objected to something, and the warnings kubectl showed."""
    found = [line for line in kubectl.warnings if "PodSecurity" in line or "Warning:" in line]
    for namespace in (manifests.NAMESPACE, manifests.OPERATOR_NAMESPACE):
        for event in kubectl.get("events", f"-n={namespace}")["items"]:
            if "PodSecurity" in str(event.get("message")) or event.get("reason") == "FailedCreate":
                found.append(f"{namespace}: {event.get('reason')}: {event.get('message')}")
    return found


def describe_profile(profile: dict[str, Any]) -> str:
    """Return why presage wants the replicas it wants, as its status says."""
    scaling = profile.get("status", {}).get("scaling", {})
    if explain := scaling.get("explain"):
        return str(explain)
    conditions = profile.get("status", {}).get("conditions", [])
    unmet = [f"{each['type']}: {each.get('reason')}" for each in conditions if each["status"] != "True"]
    return "; ".join(unmet) or "no status yet"


def describe_recording(profile: dict[str, Any]) -> str:
    """Return by which profile orders are recorded, and by how many pods, as the status says."""
    found = profile.get("status", {}).get("profiles", [])
    own = next((each for each in found if each.get("eventType") == manifests.EVENT_TYPE), None)
    if own is None:
        return "nothing chosen yet"
    return f"{own.get('wanted')} ({own.get('podsApplied', '?')}/{own.get('podsTotal', '?')} pods)"
