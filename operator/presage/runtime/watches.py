"""One watch a type for all kinds together, as the port `Watched`; a change makes the objects it concerns due.

Kinds that watch one type share its watch and may still trim it differently: the copy holds what each of them keeps.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from presage.adapters.kube import KubeClient
from presage.adapters.kube_watch import WatchCache
from presage.core.resource_type import ResourceType
from presage.reconcile.kind import AnyKind, ObjectKey, WatchedType
from presage.reconcile.ports import Json, Objects, Watched

Wanted: TypeAlias = Mapping[str, WatchedType]
"""What each kind, by its name, keeps of one type."""

STUCK_S = 400.0  # a watch is renewed every 300 s; one silent for longer is stuck


class Watches:
    """Builds and holds the watches that the kinds ask for.

    Args:
        client: For reading.
        kinds: All kinds; each sees only what it asked for, through `view`.
        objects: presage's own objects, for mapping a change to keys.
        add: Takes each key that a change concerns.
    """

    def __init__(
        self, client: KubeClient, kinds: Iterable[AnyKind], objects: Objects, add: Callable[[ObjectKey], None]
    ) -> None:
        self._objects = objects
        self._add = add
        kinds = tuple(kinds)
        own = {kind.resource for kind in kinds}  # kopf already watches those
        self._wanted: dict[ResourceType, dict[str, WatchedType]] = {}
        for kind in kinds:
            for watched in kind.watched:
                self._wanted.setdefault(watched.resource, {})[kind.name] = watched
        self._caches = {
            resource: WatchCache(
                client,
                resource,
                _trim_for(wanted),
                self._listen(resource),
                label_selector=_selector_of(resource, wanted),
                index=_index_for(wanted),
            )
            for resource, wanted in self._wanted.items()
            if resource not in own
        }

    def view(self, kind: AnyKind) -> Watched:
        """Return the watches as one kind sees them."""
        return _View(kind.name, self._caches)

    def _listen(self, resource: ResourceType) -> Callable[[str, Json], None]:
        def listen(change: str, entry: Json) -> None:
            for kind, watched in self._wanted[resource].items():
                self._make_due(watched, entry[kind])

        return listen

    def spread(self, resource: ResourceType, obj: Json) -> None:
        """Make every key due that a change of `obj`, one of presage's own objects, concerns."""
        for watched in self._wanted.get(resource, {}).values():
            self._make_due(watched, watched.trim(obj))

    def _make_due(self, watched: WatchedType, trimmed: Json) -> None:
        for key in watched.find_keys(trimmed, self._objects):
            self._add(key)

    async def start(self) -> None:
        """Start all watches and wait until every copy is whole: before that, absence would be a lie."""
        for cache in self._caches.values():
            await cache.start()
        for cache in self._caches.values():
            await cache.synced.wait()

    def retry_now(self) -> None:
        """Let no watch wait for its next try: what stood in the way is gone."""
        for cache in self._caches.values():
            cache.retry_now()

    async def stop(self) -> None:
        """End all watches, together: each may take some seconds to end its thread."""
        await asyncio.gather(*(cache.stop() for cache in self._caches.values()))

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


class _View:
    """The copies, as one kind trims them: answers the port `Watched`."""

    def __init__(self, kind: str, caches: Mapping[ResourceType, WatchCache]) -> None:
        self._kind = kind
        self._caches = caches

    def get(self, resource: ResourceType, namespace: str, name: str) -> Json | None:
        """Return the trimmed object, or None."""
        entry = self._caches[resource].get(namespace, name)
        return None if entry is None else entry[self._kind]

    def list(self, resource: ResourceType, namespace: str) -> Sequence[Json]:
        """Return the trimmed objects of a namespace."""
        return [entry[self._kind] for entry in self._caches[resource].list(namespace)]

    def find(self, resource: ResourceType, value: str) -> Sequence[Json]:
        """Return the trimmed objects that the kind's index puts under `value`."""
        return [entry[self._kind] for entry in self._caches[resource].indexed(f"{self._kind}/{value}")]


def _selector_of(resource: ResourceType, wanted: Wanted) -> str | None:
    found = {watched.label_selector for watched in wanted.values()}
    if len(found) > 1:
        raise ValueError(f"kinds that watch {resource.plural} share one watch and need one label selector")
    return found.pop()


def _trim_for(wanted: Wanted) -> Callable[[Json], Json]:
    """Return a trim that keeps what each kind keeps, under the kind's name."""
    return lambda obj: {kind: watched.trim(obj) for kind, watched in wanted.items()}


def _index_for(wanted: Wanted) -> Callable[[Json], Iterable[str]]:
    def index(entry: Json) -> Iterable[str]:
        for kind, watched in wanted.items():
            for value in watched.index(entry[kind]) if watched.index else ():
                yield f"{kind}/{value}"

    return index
