"""presage's own objects as kopf last showed them, as the port `Objects`."""

from __future__ import annotations

from collections.abc import Sequence

from presage.reconcile.kind import ObjectKey
from presage.reconcile.ports import Json


class ObjectStore:
    """Holds one body a key, of one event loop."""

    def __init__(self) -> None:
        self._bodies: dict[str, dict[str, dict[str, Json]]] = {}

    def put(self, key: ObjectKey, body: Json) -> None:
        """Remember the newest body."""
        self._bodies.setdefault(key.kind, {}).setdefault(key.namespace, {})[key.name] = body

    def drop(self, key: ObjectKey) -> None:
        """Forget a deleted object."""
        self._bodies.get(key.kind, {}).get(key.namespace, {}).pop(key.name, None)

    def get(self, kind: str, namespace: str, name: str) -> Json | None:
        """Return the body, or None if there is none."""
        return self._bodies.get(kind, {}).get(namespace, {}).get(name)

    def list(self, kind: str, namespace: str | None = None) -> Sequence[Json]:
        """Return the bodies of a kind, in one namespace or in all."""
        spaces = self._bodies.get(kind, {})
        chosen = spaces.values() if namespace is None else (spaces.get(namespace, {}),)
        return [body for space in chosen for body in space.values()]

    def all_keys(self) -> Sequence[ObjectKey]:
        """Return all keys."""
        return [
            ObjectKey(kind, namespace, name)
            for kind, spaces in self._bodies.items()
            for namespace, bodies in spaces.items()
            for name in bodies
        ]
