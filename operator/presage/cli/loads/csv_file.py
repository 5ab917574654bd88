"""A load from a CSV file: header `timestamp,value`, times as epoch seconds or ISO 8601.

Every fault of a file is one line: file, row, what, what to do. Whatever the file holds, memory is bounded by its size,
and its size by `MAX_BYTES`.
"""

from __future__ import annotations

import csv
import io
import math
import sys
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from presage.cli.loads.errors import InputError
from presage.core.samples import FloatArray

MAX_BYTES = 128 * 1024 * 1024
STDIN = "-"
_TIME = "timestamp"
_NO_VALUE = frozenset({"", "nan", "null", "none", "na"})
_TOLD_EVERY = 100_000  # rows between two calls of `tell`
_LATEST_S = 1e11  # the year 5138: a larger time is none in seconds
_SHOWN = 40  # characters of a cell that a message quotes

Tell = Callable[[str], None]


@dataclass(slots=True)
class Rows:
    """What a file holds, in its order.

    Attributes:
        times: Epoch seconds.
        values: Their values; rows without one are left out.
        empty: Rows without a value.
        naive: Times without an offset from UTC.
    """

    times: array[float] = field(default_factory=lambda: array("d"))
    values: array[float] = field(default_factory=lambda: array("d"))
    empty: int = 0
    naive: int = 0

    def arrays(self) -> tuple[FloatArray, FloatArray]:
        """Return times and values."""
        return np.array(self.times, dtype=np.float64), np.array(self.values, dtype=np.float64)


def read_csv(path: str, column: str, tell: Tell) -> Rows:
    """Read a file.

    Args:
        path: The file, or `-` for the standard input.
        column: Name of the column with the values.
        tell: Told now and then how far it is.

    Raises:
        InputError: On any fault of the file; the message names file and row.
    """
    name = "standard input" if path == STDIN else path
    reader = csv.reader(io.StringIO(_read_text(path, name), newline=""), strict=True)
    rows = Rows()
    try:
        _read_rows(_Place(name, reader), reader, column, rows, tell)
    except csv.Error as error:
        raise InputError(f"{name}, row {reader.line_num}: no CSV ({error}): write `timestamp,value` rows") from None
    if not rows.times:
        raise InputError(f"{name}: no row with a value: write rows such as `1700000000,12.5` below the header")
    return rows


def _read_text(path: str, name: str) -> str:
    try:
        if path == STDIN:
            content = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(path).open("rb") as file:
                content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{name}: cannot be read: {reason}: give a CSV file with `timestamp,value`") from None
    if len(content) > MAX_BYTES:
        raise InputError(f"{name}: larger than {MAX_BYTES >> 20} MiB: cut it to the newest weeks, or thin the samples")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        raise InputError(f"{name}, row {row}: not text in UTF-8: is it a CSV file?") from None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the file the reader is."""

    name: str
    reader: object

    def fault(self, what: str) -> InputError:
        return InputError(f"{self.name}, row {getattr(self.reader, 'line_num', 0)}: {what}")


def _read_rows(place: _Place, lines: Iterator[list[str]], column: str, rows: Rows, tell: Tell) -> None:
    header = next(lines, None)
    if header is None:
        raise InputError(f"{place.name}: empty: its first row must be `timestamp,{column}`, its others the samples")
    at_time, at_value = _find_columns(place, header, column)
    width = max(at_time, at_value) + 1
    for number, cells in enumerate(lines, start=1):
        if not cells:
            continue
        if len(cells) < width:
            raise place.fault(f"{len(cells)} columns instead of {len(header)}: is the file cut off?")
        time = _read_time(place, cells[at_time].strip(), rows)
        value = _read_value(place, cells[at_value].strip(), column)
        if value is None:
            rows.empty += 1
        else:
            rows.times.append(time)
            rows.values.append(value)
        if number % _TOLD_EVERY == 0:
            tell(f"reading {place.name}: {number:,} rows")


def _find_columns(place: _Place, header: list[str], column: str) -> tuple[int, int]:
    names = [cell.strip().lower() for cell in header]
    for wanted in (_TIME, column.lower()):
        if names.count(wanted) != 1:
            seen = _quote(",".join(header))
            remedy = f"write `{_TIME},{column}` there, or name the column of the values by --value"
            raise place.fault(f"the header is {seen}, where one column `{wanted}` must be: {remedy}")
    return names.index(_TIME), names.index(column.lower())


def _read_time(place: _Place, text: str, rows: Rows) -> float:
    try:
        time = _to_float(text)
    except ValueError:
        return _read_iso_time(place, text, rows)
    if not math.isfinite(time):
        raise place.fault(f"the time {_quote(text)} is none: write epoch seconds or ISO 8601")
    if abs(time) >= _LATEST_S:
        raise place.fault(f"the time {_quote(text)} is not in seconds: are these milliseconds? Divide them by 1000")
    return time


def _read_iso_time(place: _Place, text: str, rows: Rows) -> float:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            rows.naive += 1
            moment = moment.replace(tzinfo=UTC)
        return moment.timestamp()
    except (ValueError, OverflowError):
        what = f"the time {_quote(text)} is neither epoch seconds nor ISO 8601"
        raise place.fault(f"{what}: write such as 1700000000 or 2023-11-14T22:13:20Z") from None


def _read_value(place: _Place, text: str, column: str) -> float | None:
    if text.lower() in _NO_VALUE:
        return None
    try:
        value = _to_float(text)
    except ValueError:
        value = math.inf
    if not math.isfinite(value):
        what = f"the {column} {_quote(text)} is not a number"
        raise place.fault(f"{what}: correct it, or leave the cell empty where it is missing")
    return value


def _to_float(text: str) -> float:
    """Return the number; Python's own digit groups, as in 1_000, are none in a file."""
    if "_" in text:
        raise ValueError(text)
    return float(text)


def _quote(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")
