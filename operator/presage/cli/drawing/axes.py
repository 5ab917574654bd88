"""What any picture of a load needs, whoever draws it: colours, axes, round ticks, fewer points. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from presage.core.samples import FloatArray

INK, SOFT, LOAD, AHEAD, RIVAL, MISS = "#1d2129", "#5c6470", "#c6ccd6", "#007a5a", "#a65300", "#d1003f"
PRESAGE = "#0060a8"
_LITTLE_MORE = 1.3  # so much more is shown rather than cut
_HOURS = (1, 2, 3, 4, 6, 12)
_DAYS = (1, 2, 4, 7, 14, 28, 56, 91, 182, 364)
_SUFFIXES = (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e4))
_MINUTES = (1, 2, 5, 10, 15, 20, 30)
_SECONDS = (1, 2, 5, 10, 15, 20, 30)


@dataclass(frozen=True, slots=True)
class Limits:
    """Lowest and highest load that an axis shows; `cut` is the highest there is, if it lies beyond."""

    bottom: float
    top: float
    cut: float | None


def plan_limits(low: float, high: float, highest: float) -> Limits:
    """Return an axis from `low` to `high`, with some room; what lies little above is shown too."""
    bottom = min(low, 0.0)
    top = max(high, highest) if highest <= _LITTLE_MORE * high else high
    room = (top - bottom) * 0.06 or 1.0
    return Limits(bottom - (room if low < 0 else 0.0), top + room, highest if highest > top + room else None)


def thin(at: FloatArray, values: FloatArray, columns: int) -> tuple[FloatArray, FloatArray]:
    """Return at most some 2 × `columns` points that look the same: lowest and highest value of each column.

    Args:
        at: (n,) times.
        values: (n,) NaN where missing; a column without a value stays a gap.
        columns: Columns of the picture.
    """
    if len(values) <= 2 * columns:
        return at, values
    width = math.ceil(len(values) / columns)
    pad = -len(values) % width
    block = np.append(values, np.full(pad, np.nan)).reshape(-1, width)
    known = np.isfinite(block)
    low = np.where(known, block, np.inf).argmin(axis=1)
    high = np.where(known, block, -np.inf).argmax(axis=1)
    index = np.sort(np.stack([low, high], axis=1), axis=1) + (np.arange(len(block)) * width)[:, None]
    kept = np.minimum(index.ravel(), len(values) - 1)
    return at[kept], np.where(np.repeat(known.any(axis=1), 2), values[kept], np.nan)


def plan_ticks(first: float, last: float, zone: str | None, most: int) -> list[tuple[float, str]]:
    """Return time and label of the ticks of a time axis: round moments of the zone, at most `most` of them.

    Args:
        first: Start of the axis, epoch seconds.
        last: Its end.
        zone: IANA name; None = UTC.
        most: How many labels have room.
    """
    tz = ZoneInfo(zone) if zone else UTC
    begin = datetime.fromtimestamp(first, tz)
    midnight = begin.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    span = last - first
    sizes = [*_SECONDS, *(60 * m for m in _MINUTES), *(3_600 * h for h in _HOURS), *(86_400 * d for d in _DAYS)]
    size = next((each for each in sizes if span / each <= most), sizes[-1])
    ticks: list[tuple[float, str]] = []
    number = math.floor((first - begin.timestamp() + _seconds_of(begin)) / size)
    while len(ticks) <= 2 * most:
        wall = midnight + timedelta(seconds=number * size)
        moment = wall.replace(tzinfo=tz).timestamp()
        number += 1
        if moment > last:
            break
        if moment >= first:
            ticks.append((moment, _label(wall, size)))
    return ticks


def _seconds_of(moment: datetime) -> float:
    return moment.hour * 3_600 + moment.minute * 60 + moment.second


def _label(wall: datetime, size: int) -> str:
    if size >= 86_400 or (wall.hour, wall.minute, wall.second) == (0, 0, 0):
        return f"{wall:%d %b}" if size < 91 * 86_400 else f"{wall:%b %Y}"
    return f"{wall:%H:%M:%S}" if size < 60 else f"{wall:%H:%M}"


def plan_values(bottom: float, top: float, most: int) -> list[tuple[float, str]]:
    """Return value and label of the ticks of a value axis: round numbers, at most `most` of them."""
    raw = (top - bottom) / most
    power = 10.0 ** math.floor(math.log10(raw))
    size = next(each * power for each in (1, 2, 5, 10) if each * power >= raw * (1 - 1e-9))
    first = math.ceil(bottom / size - 1e-9)
    count = math.floor((top - first * size) / size + 1e-9) + 1
    largest = max(abs(bottom), abs(top))
    rounded = [float(f"{(first + i) * size:.10g}") for i in range(count)]
    return [(value, _short(value, largest)) for value in rounded]


def _short(value: float, largest: float) -> str:
    """Return a number as an axis has room for, all with the suffix of the largest: 5k and 12k, 3.5M."""
    suffix, size = next(((s, size) for s, size in _SUFFIXES if largest >= size), ("", 1.0))
    return f"{value / (1e3 if suffix == 'k' else size):g}{suffix if value else ''}"


def shorten(text: str, most: int) -> str:
    """Return the text in one line, cut to so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"
