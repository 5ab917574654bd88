"""The CRDs of the Prometheus operator, from its own Go module, known by its hash."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

from e2e.waiting import eventually
from tests.integration.tools import Kubectl

_MODULE = "github.com/prometheus-operator/prometheus-operator@v0.85.0"
_SUM = "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s="


@contextlib.contextmanager
def installed_monitoring(kubectl: Kubectl, *kinds: str) -> Iterator[None]:
    """Have these kinds (plural) for as long as the block lasts."""
    done = subprocess.run(["go", "mod", "download", "-json", _MODULE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    module = json.loads(done.stdout)
    assert module["Sum"] == _SUM
    folder = Path(module["Dir"]) / "example" / "prometheus-operator-crd"
    files = [f"--filename={folder}/monitoring.coreos.com_{kind}.yaml" for kind in kinds]
    kubectl("apply", "--server-side", *files)
    try:
        for kind in kinds:
            eventually(lambda kind=kind: _is_served(kubectl, kind), bool, 30, f"{kind} are served")  # type: ignore[misc]
        yield
    finally:
        kubectl("delete", *files)


def _is_served(kubectl: Kubectl, kind: str) -> bool:
    conditions = kubectl.read(f"crd/{kind}.monitoring.coreos.com").get("status", {}).get("conditions") or ()
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)
