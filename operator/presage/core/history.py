"""Which slots of a load's history to ask for, and how answers become a regular grid.

A slot is [k * step, (k + 1) * step) on the epoch's grid and carries the value that a range query gives at its end.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from presage.core.source_reading import find_flaw

MAX_POINTS = 11_000  # the server's limit of points a series in one range query
REFETCHED = 3  # slots held that are asked for again with new ones


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


@dataclass(frozen=True, slots=True)
class Slots:
    """Consecutive slots: `values` (n,), NaN where there is none; the first one has index `first`."""

    first: int
    values: NDArray[np.float32]

    @property
    def last(self) -> int:
        """Index of the last slot, `first - 1` if there are none."""
        return self.first + len(self.values) - 1

    def clip(self, first: int, last: int) -> Slots:
        """Return those of the slots `first` … `last` that are here."""
        start = min(max(first, self.first), self.last + 1)
        return Slots(start, self.values[start - self.first : max(last + 1, start) - self.first])

    def extend(self, fetched: Slots) -> Slots:
        """Return these slots with `fetched` put over their end; where it has no value, one known before stays.

        Only `fetched` counts if it starts before these or leaves a gap.
        """
        if not self.first <= fetched.first <= self.last + 1:
            return fetched
        known = self.values[fetched.first - self.first :]
        values = fetched.values.copy()
        overlap = values[: len(known)]
        np.copyto(overlap, known[: len(overlap)], where=np.isnan(overlap))
        return Slots(self.first, np.concatenate([self.values[: fetched.first - self.first], values]))


def plan_span(now: float, step_s: int, history_s: float) -> SlotRange:
    """Return the complete slots at epoch second `now`, as far back as `history_s` seconds, none before the epoch."""
    last = int(now // step_s) - 1
    return SlotRange(max(last - int(history_s // step_s) + 1, 0), last, step_s)


def plan_missing(held: Slots, wanted: SlotRange) -> SlotRange:
    """Return the slots to fetch so that `wanted` is held, empty if nothing new is.

    With new slots the newest `REFETCHED` ones held are asked for again, since samples may reach the source late. If the
    front of `wanted` is not held (the clock was set back), all of it is.
    """
    if held.first > wanted.first:
        return wanted
    if held.last >= wanted.last:
        return SlotRange(wanted.last + 1, wanted.last, wanted.step_s)
    return SlotRange(max(wanted.first, held.last + 1 - REFETCHED), wanted.last, wanted.step_s)


def split_range(wanted: SlotRange, max_points: int = MAX_POINTS) -> Iterator[SlotRange]:
    """Yield consecutive parts of `wanted`, none longer than `max_points`; together they cover it once."""
    for first in range(wanted.first, wanted.last + 1, max_points):
        yield SlotRange(first, min(first + max_points - 1, wanted.last), wanted.step_s)


def to_grid(samples: Iterable[tuple[float, float]], wanted: SlotRange) -> NDArray[np.float32]:
    """Return the samples of a range answer on the slots of `wanted`, shape `(len(wanted),)`, NaN where there is none.

    Order does not matter; of two samples for one slot the later one in `samples` counts; samples between slot ends,
    outside the range or not finite as float32 are dropped, negative ones too (no load is negative).
    """
    grid = np.full(len(wanted), np.nan, dtype=np.float32)
    for time, value in samples:
        if not (math.isfinite(time) and not find_flaw(value)):
            continue
        index, rest = divmod(time, wanted.step_s)
        slot = int(index) - 1 - wanted.first
        if rest == 0 and 0 <= slot < len(grid):
            grid[slot] = value
    return grid
