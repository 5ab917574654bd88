"""Which slots of a load's history to ask for, and how answers become a regular grid.

A slot is [k * step, (k + 1) * step) on the epoch's grid and carries the value that a range query gives at its end.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAX_POINTS = 11_000  # the server's limit of points a series in one range query


@dataclass(frozen=True, slots=True)
class SlotRange:
    """Slots `first` … `last`, both included, of `step_s` seconds each; the first one starts at `first * step_s`."""

    first: int
    last: int
    step_s: int

    def __len__(self) -> int:
        """Return how many slots there are, 0 if `last` lies before `first`."""
        return max(0, self.last - self.first + 1)

    @property
    def query_start(self) -> int:
        """Epoch second at which the first slot ends: where a range query starts."""
        return (self.first + 1) * self.step_s

    @property
    def query_end(self) -> int:
        """Epoch second at which the last slot ends."""
        return (self.last + 1) * self.step_s


def plan_missing(known_last: int | None, now: float, step_s: int, history_s: float) -> SlotRange:
    """Return the complete slots not yet held, no older than `history_s` seconds before `now`.

    Args:
        known_last: Index of the newest slot held, or None if nothing is.
        now: Epoch seconds.
        step_s: Seconds a slot.
        history_s: How far back history reaches, seconds.
    """
    last = int(now // step_s) - 1
    oldest = last - int(history_s // step_s) + 1
    return SlotRange(max(oldest, 0) if known_last is None else max(oldest, known_last + 1), last, step_s)


def split_range(wanted: SlotRange, max_points: int = MAX_POINTS) -> Iterator[SlotRange]:
    """Yield consecutive parts of `wanted`, none longer than `max_points`; together they cover it once."""
    for first in range(wanted.first, wanted.last + 1, max_points):
        yield SlotRange(first, min(first + max_points - 1, wanted.last), wanted.step_s)


def to_grid(samples: Iterable[tuple[float, float]], wanted: SlotRange) -> NDArray[np.float32]:
    """Return the samples of a range answer on the slots of `wanted`, shape `(len(wanted),)`, NaN where there is none.

    Order does not matter; of two samples for one slot the later one in `samples` counts; samples between slot ends,
    outside the range or not finite are dropped, negative ones too (no load is negative).
    """
    grid = np.full(len(wanted), np.nan, dtype=np.float32)
    for time, value in samples:
        if not (math.isfinite(time) and math.isfinite(value)) or value < 0:
            continue
        index, rest = divmod(time, wanted.step_s)
        slot = int(index) - 1 - wanted.first
        if rest == 0 and 0 <= slot < len(grid):
            grid[slot] = value
    return grid
