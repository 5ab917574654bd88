"""A finding: what was looked at, whether it is well, and what to do if not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "failed", "unknown"]

READ_RIGHTS = "ask for the right to read this, or let an administrator run the check"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `presage check`.

    Attributes:
        check: What was looked at, such as `lease`.
        level: `ok`; `warning` = works, but look at it; `failed`; `unknown` = could not be judged, which is not well.
        message: What was found.
        remedy: What to do; empty when all is well.
    """

    check: str
    level: Level
    message: str
    remedy: str = ""


def ok(check: str, message: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(check, "ok", message)


def warning(check: str, message: str, remedy: str) -> Finding:
    """Return a finding that something works but should be looked at."""
    return Finding(check, "warning", message, remedy)


def failed(check: str, message: str, remedy: str) -> Finding:
    """Return a finding that something does not work."""
    return Finding(check, "failed", message, remedy)


def unknown(check: str, message: str, remedy: str) -> Finding:
    """Return a finding that something could not be judged."""
    return Finding(check, "unknown", message, remedy)


def listed(names: Iterable[str], most: int = 3) -> str:
    """Return some of the names and how many are left out: `a, b, c and 4 more`."""
    names = tuple(names)
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
