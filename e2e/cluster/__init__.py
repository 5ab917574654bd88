"""A real Kubernetes on this machine, built from pinned Go modules: `python3 -m e2e.cluster --help`.

Standard library only: it runs before any virtual environment exists.

Shape `full` is one node with containers, Services and names; `control` is a control plane whose pods are played.
Both may run at the same time.
"""

from __future__ import annotations

from e2e.cluster.builds import ensure_binary
from e2e.cluster.cluster import Cluster
from e2e.cluster.debian import ensure_debian
from e2e.cluster.errors import ClusterError

__all__ = ["Cluster", "ClusterError", "ensure_binary", "ensure_debian"]
