"""HTML pages that need no network: one head and look for all, a template of each command, figures as JSON in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from typing import Any


def fill_page(package: str | None, parts: Mapping[str, str]) -> str:
    """Return the page of a package: the common head, then its `page.html`, with the marks filled in.

    Args:
        package: Where `page.html` lies.
        parts: Mark, such as `__TITLE__`, -> text that is safe in HTML.
    """
    template = _read(__package__, "head.html") + _read(package, "page.html")
    pieces = template.split("__")  # once, so that a mark within a part stays what it is
    return "".join(parts.get(f"__{piece}__", piece) for piece in pieces)


def embed(data: Any) -> str:
    """Return data as JSON that may stand in a script element."""
    return json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _read(package: str | None, name: str) -> str:
    return resources.files(package or "").joinpath(name).read_text(encoding="utf-8")
