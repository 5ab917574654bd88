"""The few requests of the Kubernetes API that write children and finalizers, over objects in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from presage.adapters.kube import Conflict, KubeError, NotFound
from presage.core.resource_type import ResourceType

Place = tuple[str, str | None, str]


class KubeMemory:
    """Holds objects by plural, namespace and name; `faults` maps a verb to what it meets."""

    def __init__(self, faults: Mapping[str, KubeError] | None = None) -> None:
        self.objects: dict[Place, dict[str, Any]] = {}
        self.faults = dict(faults or {})
        self.sent: list[tuple[str, str]] = []
        self.managers: list[str] = []
        self.writes_in_between = 0  # by somebody else, each right before a write of finalizers

    def put(self, resource: ResourceType, name: str, namespace: str | None = None, **metadata: Any) -> dict[str, Any]:
        body = {"metadata": {"name": name, "uid": f"uid-{name}", "resourceVersion": "1", **metadata}}
        if namespace:
            body["metadata"]["namespace"] = namespace
        self.objects[resource.plural, namespace, name] = body
        return body

    async def get(self, resource: ResourceType, name: str, namespace: str | None = None) -> dict[str, Any]:
        return deepcopy(self._at("get", (resource.plural, namespace, name)))

    async def list(
        self, resource: ResourceType, namespace: str | None, label_selector: str
    ) -> tuple[list[dict[str, Any]], str]:
        self._meet("list", resource.plural)
        key, _, value = label_selector.partition("=")
        found = [
            deepcopy(body)
            for (plural, at, _), body in self.objects.items()
            if plural == resource.plural and at == namespace and body["metadata"].get("labels", {}).get(key) == value
        ]
        return found, "1"

    async def apply(
        self, resource: ResourceType, name: str, body: Any, *, namespace: str | None, field_manager: str
    ) -> None:
        self._meet("apply", name)
        self.managers.append(field_manager)
        self.put(resource, name, namespace, **body["metadata"])

    async def delete(self, resource: ResourceType, name: str, namespace: str | None, uid: str) -> None:
        place = (resource.plural, namespace, name)
        if self._at("delete", place)["metadata"]["uid"] != uid:
            raise Conflict("another object", status=409)
        del self.objects[place]

    async def set_finalizers(
        self, resource: ResourceType, name: str, namespace: str | None, finalizers: Sequence[str], resource_version: str
    ) -> None:
        found = self._at("patch", (resource.plural, namespace, name))
        if self.writes_in_between:
            self.writes_in_between -= 1
            found["metadata"]["resourceVersion"] += "1"
        if found["metadata"]["resourceVersion"] != resource_version:
            raise Conflict("changed", status=409)
        found["metadata"]["finalizers"] = list(finalizers)

    def _at(self, verb: str, place: Place) -> dict[str, Any]:
        self._meet(verb, place[2])
        if place not in self.objects:
            raise NotFound("gone", status=404)
        return self.objects[place]

    def _meet(self, verb: str, name: str) -> None:
        self.sent.append((verb, name))
        if verb in self.faults:
            raise self.faults[verb]
