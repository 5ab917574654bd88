"""kwok: nodes without machines, whose pods are played by the rules in stages.yaml, not run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from e2e.cluster.api import Api, http_status
from e2e.cluster.parts import Layout, Part

NODES = ("node-a", "node-b")
READY_AFTER = "e2e.presage.dev/ready-after"
"""Pod annotation: how long a played pod takes until it is Ready, as a Go duration such as `5s`."""
PORTS = ("kwok",)
BINARIES = ("kwok",)
_STAGES = Path(__file__).with_name("stages.yaml")
_NODE_IP = "10.98.255.1"


def kwok(layout: Layout) -> Part:
    """Return kwok, in charge of every node; pods get addresses of their node's range, which lead nowhere."""
    argv = (
        str(layout.binaries["kwok"]),
        f"--kubeconfig={layout.state / 'kubeconfig'}",
        f"--config={_STAGES}",
        "--manage-all-nodes=true",
        "--node-lease-duration-seconds=40",  # else the nodes count as gone after 40 s, and their pods as not ready
        f"--node-ip={_NODE_IP}",
        f"--server-address=127.0.0.1:{layout.ports['kwok']}",
    )
    health = layout.local("kwok", "/healthz")
    return Part("kwok", argv, lambda: http_status(health) == 200, 30)


def node(name: str) -> dict[str, Any]:
    """Return a node for kwok to look after."""
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "type": "kwok"}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}


def nodes_ready(api: Api) -> bool:
    """Make the nodes that are missing; tell whether all are ready."""
    for name in NODES:
        if api.call("GET", f"/api/v1/nodes/{name}")[0] == 404:
            api.call("POST", "/api/v1/nodes", node(name))
    return all(api.node_ready(name) for name in NODES)
