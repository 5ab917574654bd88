"""Functions with the real SDK, each a process that stands for one pretended pod, and what a kubelet does for them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from kubernetes import client

from e2e.bench.processes import free_port
from presage.core.recording.document import KEY
from presage.core.recording.marks import FILE_VARIABLE, GENERATION_ANNOTATION, MOUNT_PATH, POD_VARIABLE, VOLUME
from tests.integration.operator.harness import ROOT, end

_FUNCTION = """
import time
from presage.sdk import Telemetry
order = Telemetry().event("order")
while True:
    with order.measure(route="/order"):
        time.sleep(0.05)
"""
_LOOK_S = 0.1


def refer_to(profile: str) -> dict[str, Any]:
    """Return a pod template's spec with the reference that admission gives, written by hand."""
    volume = {"name": VOLUME, "configMap": {"name": f"presage-{profile}", "optional": True}}
    container = {
        "name": "c",
        "image": "none",
        "env": [{"name": FILE_VARIABLE, "value": f"{MOUNT_PATH}/{KEY}"}],
        "volumeMounts": [{"name": VOLUME, "mountPath": MOUNT_PATH}],
    }
    return {"containers": [container], "volumes": [volume]}


class Function:
    """One process with the SDK; its document is a file in a directory that is swapped by link, as a kubelet does."""

    def __init__(self, pod: str, folder: Path) -> None:
        self.pod, self.port = pod, free_port()
        self._mount = folder / pod
        self._mount.mkdir()
        environment = {
            **os.environ,
            FILE_VARIABLE: str(self._mount / KEY),
            POD_VARIABLE: pod,
            "OTEL_METRICS_EXPORTER": "prometheus",
            "OTEL_EXPORTER_PROMETHEUS_HOST": "127.0.0.1",
            "OTEL_EXPORTER_PROMETHEUS_PORT": str(self.port),
        }
        with (folder / f"{pod}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", _FUNCTION], env=environment, cwd=ROOT, stdout=log, stderr=log
            )

    def bring(self, text: str) -> None:
        """Put another document into the mounted directory."""
        version = self._mount / f"..{time.monotonic_ns()}"
        version.mkdir()
        (version / KEY).write_text(text)
        link = self._mount / "..data_tmp"
        link.symlink_to(version.name)
        link.replace(self._mount / "..data")
        if not (self._mount / KEY).is_symlink():
            (self._mount / KEY).symlink_to(f"..data/{KEY}")

    def stop(self) -> None:
        end(self.process)


class Functions:
    """A function for every pod of a namespace, and a kubelet that brings the ConfigMap when a pod is new or touched.

    Attributes:
        running: By name of the pod.
        brought: Monotonic second at which each generation was brought first.
    """

    def __init__(self, api: client.ApiClient, namespace: str, profile: str, folder: Path) -> None:
        self._core, self._namespace, self._folder = client.CoreV1Api(api), namespace, folder
        self._name = f"presage-{profile}"
        self.targets = folder.parent / f"functions-{namespace}.json"
        self.targets.write_text("[]")
        self.running: dict[str, Function] = {}
        self._marks: dict[str, str | None] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()
        for each in self.running.values():
            each.stop()

    def _run(self) -> None:
        while not self._ended.wait(_LOOK_S):
            pods = self._core.list_namespaced_pod(self._namespace).items
            alive = {p.metadata.name: p for p in pods if p.metadata.deletion_timestamp is None and p.spec.volumes}
            for name in self.running.keys() - alive.keys():
                self.running.pop(name).stop()
                self._marks.pop(name, None)
            for name, pod in alive.items():
                self._care_for(name, (pod.metadata.annotations or {}).get(GENERATION_ANNOTATION))
            entries = [
                {"targets": [f"127.0.0.1:{each.port}"], "labels": {"pod": name}} for name, each in self.running.items()
            ]
            if (text := json.dumps(entries)) != self.targets.read_text():
                self.targets.write_text(text)

    def _care_for(self, name: str, mark: str | None) -> None:
        new = name not in self.running
        if not new and mark == self._marks[name]:
            return
        try:
            found = self._core.read_namespaced_config_map(self._name, self._namespace).data or {}
        except client.ApiException:
            found = {}
        if new:
            self.running[name] = Function(name, self._folder)
        if KEY in found:
            self.running[name].bring(found[KEY])
        self._marks[name] = mark
