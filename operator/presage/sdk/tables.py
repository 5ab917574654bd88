"""Exact counts per attribute set: the table that an event looks itself up in.

The hot path is two operations written out where it is used, `table.cells[table.key(attributes)]`; all that is rare is
in `admit`. Counts are plain integers raised by `cell.count += 1`: CPython switches threads only at calls and backward
jumps, so a load, an addition and a store without a call between them are one step under its global lock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Mapping
from operator import itemgetter

MAX_TEXT = 256
"""Longest attribute value, in characters; the rest is cut off."""

OVERFLOW: Mapping[str, AttributeValue] = {"otel.metric.overflow": True}
"""Attributes of the one set that counts all beyond the cap; the name is OpenTelemetry's."""

AttributeValue = str | bool | int | float
Attributes = dict[str, AttributeValue]
Key = Callable[[Mapping[str, object]], Hashable]


class Cell:
    """What is counted of one attribute set.

    Attributes:
        attributes: What is exported, without those of the SDK.
        count: Events, or measurements.
        errors: Events that failed.
        value: Sum of a counter, newest value of a gauge.
        failed: Whether the set itself says that its events failed (`outcome` is `error`).
    """

    __slots__ = ("attributes", "count", "errors", "failed", "value")

    def __init__(self, attributes: Attributes) -> None:
        self.attributes = attributes
        self.count = 0
        self.errors = 0
        self.value: int | float = 0
        self.failed = attributes.get("outcome") == "error"


class Table:
    """Attribute sets of one metric, or of metrics with the same attributes.

    Attributes:
        names: Attributes that make a set.
        key: Makes the key of a set; raises KeyError while all attributes are believed to be given.
        cells: By key, those already met since the table was made or renewed.
        most: Cap of sets.
        overflowing: Lookups beyond the cap.
    """

    __slots__ = ("_known", "_lock", "_overflow", "cells", "key", "most", "names", "overflowing")

    def __init__(self, names: tuple[str, ...], most: int) -> None:
        """Args: names: see above; most: cap of sets, beyond which one set counts all."""
        self.names = names
        self.key = _strict_key(names)
        self.cells: dict[Hashable, Cell] = {}
        self.overflowing = 0
        self._known: dict[Hashable, Cell] = {}
        self.most = most
        self._overflow: Cell | None = None
        self._lock = threading.Lock()

    def renew(self) -> None:
        """Let each set be met as a new one once more; its counts go on."""
        self.cells = {}

    def all_cells(self) -> list[Cell]:
        """Return every cell; safe while others count."""
        found = list(self._known.values())
        return found if self._overflow is None else [*found, self._overflow]

    def admit(self, attributes: Mapping[str, object]) -> tuple[Cell, bool]:
        """Return the cell for attributes that `cells` does not hold, and whether the set is a new one."""
        raw = _lenient_key(self.names)(attributes)
        if _is_hashable(raw) and (cell := self.cells.get(raw)) is not None:
            self.key = _lenient_key(self.names)  # an attribute is not always given: ask for it more softly from now on
            return cell, False
        values = [_clean(attributes.get(name)) for name in self.names]
        clean = tuple(values) if len(values) > 1 else (values[0] if values else ())
        with self._lock:
            return self._admit(clean, values)

    def _admit(self, key: Hashable, values: list[AttributeValue | None]) -> tuple[Cell, bool]:
        cell = self._known.get(key)
        if cell is None and len(self._known) < self.most:
            cell = Cell({n: v for n, v in zip(self.names, values, strict=True) if v is not None})
            self._known[key] = cell
        if cell is not None:
            new = key not in self.cells
            self.cells[key] = cell
            return cell, new
        self.overflowing += 1
        if self._overflow is None:
            self._overflow = Cell(dict(OVERFLOW))
            return self._overflow, True
        return self._overflow, False


def _strict_key(names: tuple[str, ...]) -> Key:
    return itemgetter(*names) if names else _no_key


def _lenient_key(names: tuple[str, ...]) -> Key:
    if not names:
        return _no_key
    if len(names) == 1:
        return lambda attributes, _name=names[0]: attributes.get(_name)  # type: ignore[misc]
    return lambda attributes: tuple(map(attributes.get, names))


def _no_key(_: Mapping[str, object]) -> Hashable:
    return ()


def _is_hashable(key: object) -> bool:
    try:
        hash(key)
    except TypeError:
        return False
    return True


def _clean(value: object) -> AttributeValue | None:
    """Return the value as it can be exported; a type that cannot becomes text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else str(value)
    return str(text[:MAX_TEXT])
