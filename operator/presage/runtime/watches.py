"""One watch a type for all kinds together, as the port `Watched`; a change makes the objects it concerns due."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from presage.adapters.kube import KubeClient
from presage.adapters.kube_watch import WatchCache
from presage.core.resource_type import ResourceType
from presage.reconcile.kind import AnyKind, ObjectKey, WatchedType
from presage.reconcile.ports import Json, Objects

STUCK_S = 400.0  # a watch is renewed every 300 s; one silent for longer is stuck


class Watches:
    """Builds and holds the watches that the kinds ask for.

    Args:
        client: For reading.
        kinds: All kinds; two that watch one type must trim it alike, since the copy is shared.
        objects: presage's own objects, for mapping a change to keys.
        add: Takes each key that a change concerns.
    """

    def __init__(
        self, client: KubeClient, kinds: Iterable[AnyKind], objects: Objects, add: Callable[[ObjectKey], None]
    ) -> None:
        self._objects = objects
        self._add = add
        kinds = tuple(kinds)
        self._own = {kind.resource for kind in kinds}
        self._wanted: dict[ResourceType, list[WatchedType]] = {}
        for kind in kinds:
            for watched in kind.watched:
                self._wanted.setdefault(watched.resource, []).append(watched)
        self._caches = {
            resource: WatchCache(client, resource, wanted[0].trim, self._listen(resource))
            for resource, wanted in self._wanted.items()
            if resource not in self._own  # kopf already watches those
        }

    def _listen(self, resource: ResourceType) -> Callable[[str, Json], None]:
        return lambda change, obj: self.spread(resource, obj)

    def spread(self, resource: ResourceType, obj: Json) -> None:
        """Make every key due that a change of `obj` concerns."""
        for watched in self._wanted.get(resource, ()):
            for key in watched.find_keys(obj, self._objects):
                self._add(key)

    async def start(self) -> None:
        """Start all watches and wait until every copy is whole: before that, absence would be a lie."""
        for cache in self._caches.values():
            await cache.start()
        for cache in self._caches.values():
            await cache.synced.wait()

    async def stop(self) -> None:
        """End all watches."""
        for cache in self._caches.values():
            await cache.stop()

    def get(self, resource: ResourceType, namespace: str, name: str) -> Json | None:
        """Return the trimmed object, or None."""
        return self._caches[resource].get(namespace, name)

    def list(self, resource: ResourceType, namespace: str) -> Sequence[Json]:
        """Return the trimmed objects of a namespace."""
        return self._caches[resource].list(namespace)

    def find_trouble(self) -> str | None:
        """Return why a copy may be out of date, such as a missing right; None while all is well."""
        return next((cache.trouble for cache in self._caches.values() if cache.trouble), None)

    def find_stuck(self) -> str | None:
        """Return what is wrong with a watch that has shown no life for too long; None if all are well."""
        now = time.monotonic()
        for resource, cache in self._caches.items():
            if cache.synced.is_set() and now - cache.last_activity > STUCK_S:
                return f"the watch of {resource.plural} has been silent for {now - cache.last_activity:.0f} s"
        return None
