"""Gathers what explains a failure into a folder: objects, events, logs of pods and of the cluster's own parts."""

from __future__ import annotations

import shutil
from pathlib import Path

from e2e.demo import manifests
from e2e.demo.errors import DemoError
from e2e.demo.stage import Stage

_LISTS = {
    "objects": ("get", "deployments,replicasets,pods,services,endpointslices,leases", "--all-namespaces", "-o", "wide"),
    "events": ("get", "events", "--all-namespaces", "--sort-by=.lastTimestamp"),
    "profiles": ("get", "metricprofiles,metricsources", "--all-namespaces", "-o", "yaml"),
    "nodes": ("describe", "nodes"),
}
_LOG_LINES = "--tail=2000"


def gather(stage: Stage, folder: Path) -> Path:
    """Write all that can be had into ``folder`` and return it; what cannot be had is noted there instead."""
    folder.mkdir(parents=True, exist_ok=True)
    pods = ("logs", "--prefix", "--all-containers", "--ignore-errors", _LOG_LINES)
    commands = {
        **_LISTS,
        "operator-logs": (*pods, f"-n={manifests.OPERATOR_NAMESPACE}", "-l=app.kubernetes.io/name=presage"),
        "function-logs": (*pods, f"-n={manifests.NAMESPACE}", f"-l=app={manifests.FUNCTION}"),
        "generator-logs": (*pods, f"-n={manifests.NAMESPACE}", f"-l=app={manifests.GENERATOR}"),
    }
    for name, command in commands.items():
        try:
            text = stage.kubectl.run(*command, timeout=20)
        except DemoError as error:
            text = f"{error}\n"
        (folder / f"{name}.txt").write_text(text)
    logs = stage.ground.logs
    if logs is not None and logs.is_dir():
        shutil.copytree(logs, folder / "cluster-logs", dirs_exist_ok=True)
    return folder
