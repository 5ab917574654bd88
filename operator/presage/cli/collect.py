"""Read what a support bundle holds. Whatever cannot be read is left out, and listed with the reason."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from importlib.metadata import version
from typing import Any

from presage.adapters.kube_json import at
from presage.adapters.kube_path import EVENTS, api_path
from presage.adapters.kubeconfig_reader import ClusterReader, ReaderError
from presage.cli import api
from presage.cli.check import as_json, judge
from presage.cli.gather import Installation, Json
from presage.core.bundle import Omission, Part
from presage.core.installation.facts import Unread
from presage.core.resource_type import ResourceType
from presage.reconcile.kind import AnyKind
from presage.resources.base import GROUP

MAX_OBJECTS = 2_000
LOG_LINES = 5_000
_MAX_READ = 16 * 1024 * 1024
_TARGET_FIELDS = ("replicas", "readyReplicas", "unavailableReplicas", "observedGeneration", "conditions")


class Collector:
    """Collects the parts of one bundle.

    Attributes:
        parts: What was read, the most important first.
        omissions: What was not, and why.

    Args:
        reader: Of the cluster.
        installation: What the check gathered.
        tell: Told what is being read.
    """

    def __init__(self, reader: ClusterReader, installation: Installation, tell: Callable[[str], None]) -> None:
        self._reader, self._installation, self._tell = reader, installation, tell
        self.parts: list[Part] = []
        self.omissions: list[Omission] = []

    def collect(self, kinds: tuple[AnyKind, ...]) -> None:
        """Collect everything."""
        own = version("presage")
        installation = self._installation
        self.parts.append(Part("check.json", as_json(installation, judge(installation, own, kinds), own)))
        self.parts.append(Part("versions.json", {"presage": own, "python": sys.version, **self._server()}))
        for name in ("deployments", "pods", "leases", "poddisruptionbudgets"):
            self._add_read(f"operator/{name}.json", name)
        for kind in kinds:
            self._add_read(f"objects/{kind.resource.plural}.json", kind.resource.plural)
        self._collect_operator()
        self._collect_targets(kinds)
        self._collect_events()
        for name in ("validatingadmissionpolicies", "validatingadmissionpolicybindings"):
            self._add_read(f"cluster/{name}.json", name)
        self._add_read("cluster/crds.json", "crds", lambda crd: at(crd, "spec", "group") == GROUP)

    def _server(self) -> dict[str, Any]:
        versions = self._installation.raw.get("version")
        return {"server": versions[0] if isinstance(versions, list) else None}

    def _add_read(self, part: str, name: str, keep: Callable[[Json], bool] = lambda _: True) -> None:
        """Add objects that the check has read already."""
        found = self._installation.raw.get(name, Unread("there was nothing to look for"))
        if isinstance(found, Unread):
            self.omissions.append(Omission(part, found.why))
            return
        kept = [each for each in found if keep(each)]
        self.parts.append(Part(part, kept[:MAX_OBJECTS]))
        if len(kept) > MAX_OBJECTS:
            self.omissions.append(Omission(part, f"{len(kept) - MAX_OBJECTS} objects are left out: there are too many"))

    def _read(self, part: str, call: Callable[[], Any]) -> bool:
        """Add what a call returns; without an answer note why, and return false."""
        try:
            content = call()
        except ReaderError as error:
            self.omissions.append(Omission(part, str(error)))
            return False
        self.parts.append(Part(part, content))
        return True

    def _collect_operator(self) -> None:
        """Collect what the operator's pods say: state, metrics and logs."""
        pods = self._installation.raw.get("pods")
        for pod in pods if isinstance(pods, list) else ():
            name, folder = at(pod, "metadata", "name"), f"operator/{at(pod, 'metadata', 'name')}"
            self._tell(f"pod {name}")
            proxy = api_path(api.PODS, f"{name}:{_find_port(pod)}", at(pod, "metadata", "namespace"), "proxy")
            if self._read(f"{folder}/readyz.json", partial(self._fetch_readiness, f"{proxy}/readyz")):
                self._read(f"{folder}/metrics.txt", partial(self._fetch, f"{proxy}/metrics"))
            self._collect_logs(pod, folder)

    def _collect_logs(self, pod: Json, folder: str) -> None:
        path = api_path(api.PODS, at(pod, "metadata", "name"), at(pod, "metadata", "namespace"), "log")
        for status in at(pod, "status", "containerStatuses") or ():
            query = {"container": str(status["name"]), "tailLines": str(LOG_LINES)}
            answered = self._read(f"{folder}/{status['name']}.log", partial(self._fetch, path, query))
            if answered and status.get("restartCount"):
                before = query | {"previous": "true"}
                self._read(f"{folder}/{status['name']}.previous.log", partial(self._fetch, path, before))

    def _fetch(self, path: str, query: Mapping[str, str] | None = None, accepted: tuple[int, ...] = ()) -> str:
        answer = self._reader.fetch(path, query, max_bytes=_MAX_READ, accepted=accepted)
        return answer.content.decode(errors="replace")

    def _fetch_readiness(self, path: str) -> str:
        """An operator that is not ready says why with status 503, which the API server also gives for a lost pod."""
        said = self._fetch(path, accepted=(503,))
        if not said.startswith('{"ok"'):
            raise ReaderError(f"the pod cannot be reached through the API server: {said[:200].strip()}", 3)
        return said

    def _collect_targets(self, kinds: Iterable[AnyKind]) -> None:
        """Collect the state of the Deployments that objects aim at; nothing of their pods' definition."""
        self._tell("targets")
        wanted = {
            (str(at(each, "metadata", "namespace")), str(at(each, "spec", "target", "name")))
            for kind in kinds
            for each in self._objects(kind.resource)
            if at(each, "spec", "target", "name")
        }
        try:
            found = [
                _trim_target(each)
                for namespace in sorted({namespace for namespace, _ in wanted})
                for each in self._reader.each(api.DEPLOYMENTS, namespace)
                if (namespace, at(each, "metadata", "name")) in wanted
            ]
        except ReaderError as error:
            self.omissions.append(Omission("objects/targets.json", str(error)))
        else:
            self.parts.append(Part("objects/targets.json", found[:MAX_OBJECTS]))

    def _objects(self, resource: ResourceType) -> list[Json]:
        found = self._installation.raw.get(resource.plural)
        return found[:MAX_OBJECTS] if isinstance(found, list) else []

    def _collect_events(self) -> None:
        """Collect the events about presage's objects anywhere, and all of those in the operator's namespace."""
        self._tell("events")
        home = self._installation.namespace

        def ours(event: Json) -> bool:
            about = str(at(event, "regarding", "apiVersion") or "")
            return about.startswith(f"{GROUP}/") or at(event, "metadata", "namespace") == home

        self._read("events.json", lambda: [event for event in self._reader.each(EVENTS) if ours(event)][-MAX_OBJECTS:])


def _trim_target(deployment: Json) -> Json:
    meta, status = deployment.get("metadata") or {}, deployment.get("status") or {}
    return {
        "metadata": {key: meta.get(key) for key in ("name", "namespace", "generation", "creationTimestamp")},
        "spec": {"replicas": at(deployment, "spec", "replicas")},
        "status": {key: status[key] for key in _TARGET_FIELDS if key in status},
    }


def _find_port(pod: Json) -> int:
    """Return the port of probes and metrics."""
    containers = at(pod, "spec", "containers") or ()
    ports = (port for container in containers for port in container.get("ports") or ())
    return next((int(port["containerPort"]) for port in ports if port.get("name") == "http"), 8080)
