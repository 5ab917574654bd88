"""Where changes of presage's own objects come in: the store is brought up to date, the right keys become due."""

from __future__ import annotations

from collections.abc import Callable

from presage.core.resource_type import ResourceType
from presage.reconcile.kind import AnyKind, ObjectKey
from presage.reconcile.ports import Json
from presage.runtime.store import ObjectStore


class Intake:
    """Called for every event kopf sees of our kinds.

    Attributes:
        touched: Keys of the events taken since somebody last cleared it: a listing begun before them is older.

    Args:
        store: Holds the newest bodies.
        add: Makes a key due.
        spread: Makes due what else a change of an object of this type concerns.
    """

    def __init__(
        self, store: ObjectStore, add: Callable[[ObjectKey], None], spread: Callable[[ResourceType, Json], None]
    ) -> None:
        self._store = store
        self._add = add
        self._spread = spread
        self.touched: set[ObjectKey] = set()

    def observe(self, definition: AnyKind, change: str | None, body: Json) -> ObjectKey:
        """Take one event; return the object's key.

        Args:
            definition: The object's kind.
            change: `ADDED`, `MODIFIED`, `DELETED`, or None for the first listing.
            body: The object.
        """
        key = key_of(definition, body)
        self.touched.add(key)
        before = self._store.get(key.kind, key.namespace, key.name)
        if change == "DELETED":
            self._store.drop(key)
        else:
            self._store.put(key, body)
        if change == "DELETED" or before is None or _asks_anew(before, body):
            self._add(key)
            self._spread(definition.resource, body)
        return key


def key_of(definition: AnyKind, body: Json) -> ObjectKey:
    """Return the key of an object of a kind."""
    meta = body["metadata"]
    return ObjectKey(definition.name, meta.get("namespace") or "", meta["name"])


def _asks_anew(before: Json, after: Json) -> bool:
    """Return whether anything but status changed: our own status writes must not wake us."""
    old, new = before["metadata"], after["metadata"]
    parts = ("uid", "generation", "annotations", "labels", "deletionTimestamp")
    return any(old.get(part) != new.get(part) for part in parts)
