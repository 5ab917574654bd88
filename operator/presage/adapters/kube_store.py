"""Trimmed objects in memory, found by name, by namespace or by an index. For use from one thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

Key: TypeAlias = tuple[str, str]
"""Namespace (empty for cluster-scoped objects) and name."""


Objects: TypeAlias = list[Mapping[str, Any]]


class ObjectStore:
    """Objects by namespace and name, with one optional index.

    Every object stands in the index under each value that the index function gives for it, and under no other.
    """

    def __init__(self, index: Callable[[Mapping[str, Any]], Iterable[str]] | None = None) -> None:
        self._find_values = index
        self._by_namespace: dict[str, dict[str, Mapping[str, Any]]] = {}
        self._by_value: dict[str, set[Key]] = {}
        self._values: dict[Key, tuple[str, ...]] = {}

    def __len__(self) -> int:
        """How many objects are held."""
        return sum(len(objects) for objects in self._by_namespace.values())

    def get(self, namespace: str, name: str) -> Mapping[str, Any] | None:
        """One object, or None."""
        return self._by_namespace.get(namespace, {}).get(name)

    def list(self, namespace: str | None = None) -> Objects:
        """The objects of one namespace, or all."""
        if namespace is not None:
            return [*self._by_namespace.get(namespace, {}).values()]
        return [entry for objects in self._by_namespace.values() for entry in objects.values()]

    def indexed(self, value: str) -> Objects:
        """The objects that stand in the index under `value`, ordered by namespace and name."""
        return [self._by_namespace[namespace][name] for namespace, name in sorted(self._by_value.get(value, ()))]

    def set(self, key: Key, entry: Mapping[str, Any] | None) -> None:
        """Put an object, or remove it if `entry` is None."""
        namespace, name = key
        for value in self._values.pop(key, ()):
            keys = self._by_value[value]
            keys.discard(key)
            if not keys:
                del self._by_value[value]
        if entry is None:
            objects = self._by_namespace.get(namespace, {})
            objects.pop(name, None)
            if not objects:
                self._by_namespace.pop(namespace, None)
            return
        self._by_namespace.setdefault(namespace, {})[name] = entry
        if self._find_values is not None:
            values = tuple(dict.fromkeys(self._find_values(entry)))
            self._values[key] = values
            for value in values:
                self._by_value.setdefault(value, set()).add(key)
