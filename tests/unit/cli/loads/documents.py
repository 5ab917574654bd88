"""JSON documents against the description of their fields."""

from __future__ import annotations

import re
from typing import Any

TYPES: dict[str, Any] = {
    "integer": int,
    "number": (int, float),
    "string": str,
    "boolean": bool,
    "object": dict,
    "null": type(None),
}


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def pattern(path: str) -> str:
    """Return the regular expression of the paths that a row of the reference stands for."""
    return re.sub(r"(?<=cov)LEVEL|[A-Z]{4,}", lambda m: r"[\d.]+" if m[0] == "LEVEL" else r"\w+", re.escape(path))


def leaves(node: Any, path: str = "") -> list[tuple[str, Any]]:
    if isinstance(node, dict):
        inner = [leaf for name, value in node.items() for leaf in leaves(value, f"{path}.{name}".lstrip("."))]
        return [(path, node), *inner]
    if isinstance(node, list):
        return [leaf for value in node for leaf in leaves(value, f"{path}[]")]
    return [(path, node)]
