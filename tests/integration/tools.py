"""kubectl, waiting, and a connection that can be cut: what several integration tests need."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from presage.core.resource_type import ResourceType
from presage.resources.metricprofile import MetricProfile

CONFIG_MAPS = ResourceType("", "v1", "configmaps", "ConfigMap")
DEPLOYMENTS = ResourceType("apps", "v1", "deployments", "Deployment")
PROFILES = MetricProfile.meta.resource


@dataclass(frozen=True)
class Kubectl:
    """kubectl with one kubeconfig."""

    binary: Path
    kubeconfig: Path

    @property
    def command(self) -> list[str]:
        return [str(self.binary), f"--kubeconfig={self.kubeconfig}"]

    def __call__(self, *arguments: str, stdin: object = None) -> str:
        """Run kubectl; an object given as `stdin` is passed on as JSON. A failure fails the test with its words."""
        text = None if stdin is None else json.dumps(stdin)
        done = subprocess.run(
            [*self.command, *arguments], input=text, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def read(self, *arguments: str) -> dict[str, Any]:
        """Return `kubectl get …` as an object."""
        found: dict[str, Any] = json.loads(self("get", *arguments, "-o", "json"))
        return found


async def eventually(holds: Callable[[], object], *, within: float = 10.0, what: str = "") -> None:
    """Wait until `holds()` is true; the failure shows its last value."""
    until = time.monotonic() + within
    while not (last := holds()):
        assert time.monotonic() < until, f"not within {within} s: {what} (last: {last!r})"
        await asyncio.sleep(0.02)


class Link:
    """A TCP link to a server that passes bytes through, and can drop, freeze or refuse connections.

    Args:
        host: The server.
        port: Its port.
        near: Ends TLS here with this certificate; None passes it through.
        far: Begins TLS to the server anew, where it was ended here.
    """

    def __init__(
        self, host: str, port: int, *, near: ssl.SSLContext | None = None, far: ssl.SSLContext | None = None
    ) -> None:
        self._target = (host, port)
        self._near, self._far = near, far
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []
        self._frozen: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.port = 0
        self.refusing = False
        self.opened = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self._near)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        self.drop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def drop(self) -> None:
        """Cut every connection there is."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def freeze(self) -> None:
        """Let every connection there is stay open and silent, as a lost route does."""
        self._frozen.update(self._writers)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        if self.refusing:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection(*self._target, ssl=self._far)
        self._writers += [writer, far_writer]
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.ensure_future(self._pass_on(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass_on(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(2**16):
                if sink not in self._frozen:
                    sink.write(data)
                    await sink.drain()
            if sink not in self._frozen:
                sink.close()


def reroute(kubeconfig: Path, server: str, place: Path) -> Path:
    """Write a copy of a kubeconfig that leads to another address."""
    content = yaml.safe_load(kubeconfig.read_text())
    content["clusters"][0]["cluster"]["server"] = server
    place.write_text(yaml.safe_dump(content))
    return place


def account_kubeconfig(kubectl: Kubectl, kubeconfig: Path, namespace: str, account: str, place: Path) -> Path:
    """Write a kubeconfig of a service account."""
    content = yaml.safe_load(kubeconfig.read_text())
    token = kubectl("create", "token", account, "-n", namespace).strip()
    content["users"] = [{"name": account, "user": {"token": token}}]
    content["contexts"][0]["context"]["user"] = account
    place.write_text(yaml.safe_dump(content))
    return place


def deployment(name: str, replicas: int = 1) -> dict[str, Any]:
    """Return a Deployment whose pods are played."""
    labels = {"app": name}
    container = {"name": "main", "image": "none", "resources": {"requests": {"cpu": "1m"}}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def profile(name: str) -> dict[str, Any]:
    """Return a MetricProfile with the least that is needed."""
    return {
        "apiVersion": PROFILES.api_version,
        "kind": PROFILES.kind,
        "metadata": {"name": name},
        "spec": {
            "target": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"},
            "sourceRef": {"name": "main"},
            "eventTypes": [{"name": "order", "load": {"counter": {"metric": "http_requests_total"}}}],
            "scaling": {"maxReplicas": 5, "perPod": "50"},
        },
    }
