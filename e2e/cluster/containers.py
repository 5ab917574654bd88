"""containerd's own command-line program, aimed at our containerd."""

from __future__ import annotations

import subprocess
from pathlib import Path

from e2e.cluster.errors import ClusterError
from e2e.cluster.node import SOCKET

_NAMESPACE = "k8s.io"


def run_ctr(program: Path, *words: str) -> str:
    """Run one command and return what it printed.

    Raises:
        ClusterError: it failed.
    """
    argv = [str(program), "--address", str(SOCKET), "--namespace", _NAMESPACE, *words]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ClusterError("containerd", f"ctr {' '.join(words[:2])} failed: {done.stderr.strip()[:400]}")
    return done.stdout
