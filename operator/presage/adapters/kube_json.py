"""Reading raw JSON objects of the Kubernetes API without trusting their shape.

Every reader takes an object and a path of keys, and gives None or an empty value where a key is missing or holds
something else than asked for. So no caller casts, and an object of an unknown version never raises a KeyError.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

JsonObject: TypeAlias = Mapping[str, object]
"""A JSON object as decoded by the standard library; read only by convention."""


def at(source: object, *path: str) -> Any:
    """The value at a path of keys, or None where the path leaves the object; for those who trust its type."""
    value: Any = source
    for key in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def text_at(source: object, *path: str) -> str | None:
    """The text at a path; None if there is none or it is of another type."""
    value = at(source, *path)
    return value if isinstance(value, str) else None


def int_at(source: object, *path: str) -> int | None:
    """The whole number at a path; None if there is none or it is of another type (true and false are no numbers)."""
    value = at(source, *path)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def object_at(source: object, *path: str) -> JsonObject:
    """The object at a path; an empty one if there is none or it is of another type."""
    value = at(source, *path)
    return value if isinstance(value, Mapping) else {}


def list_at(source: object, *path: str) -> list[object]:
    """The list at a path; an empty one if there is none or it is of another type."""
    value = at(source, *path)
    return value if isinstance(value, list) else []


def objects_at(source: object, *path: str) -> list[JsonObject]:
    """The objects in the list at a path; entries of any other type are left out."""
    return [entry for entry in list_at(source, *path) if isinstance(entry, Mapping)]
