"""A batch of histories that share one geometry, right-aligned, and the arrays that models look up.

Columns are slots; column `width` is the first one to forecast. Rows are left-padded with NaN.
Arrays are named (columns, rows) in this order: a slot of all rows lies together in memory, so that looking
up slots, shifting by a season and summing over time are runs over whole rows of memory.
A block made for one cut-off holds only the columns that its models look up; the others are never read.
Invariants: `observed` is never filled; `filled` serves as a lag only; a season array at column t is
made of slots at least one season before t, so that every cut-off may use it for t within that season.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from copy import copy
from typing import Any, TypeVar, cast

import numpy as np

from presage.core.forecast.gaps import fill_gaps
from presage.core.forecast.geometry import Geometry, Season
from presage.core.forecast.types import FloatArray, IntArray

TRANSPOSED_TOGETHER = 16  # rows; whole cache lines

T = TypeVar("T")


class Block:
    """Histories of alike series, with look-ups computed once and shared by all models.

    Args:
        rows: Histories, newest slot last, NaN = missing; any lengths.
        lags: The same with slots that may serve as lags but never as truths; None = `rows`.
        sparse: Only columns from `back` on and their season lags are wanted, as for one cut-off.
        geometry: Slots, seasons and buckets.
        back: How many columns before `width` the models will ask for.
        ahead: How many columns after it.
    """

    def __init__(
        self,
        rows: Sequence[FloatArray],
        geometry: Geometry,
        *,
        back: int,
        ahead: int,
        lags: Sequence[FloatArray] | None = None,
        sparse: bool = False,
    ) -> None:
        self.geometry = geometry
        self.width = max(1, *(len(r) for r in rows))
        self.lo = max(0, self.width - back)
        self.ahead = ahead
        self._rows = rows
        self._held = self._looked_up() if sparse else [slice(0, self.width)]
        same = lags is None or all(a is b for a, b in zip(lags, rows, strict=True))
        loose = rows if lags is None else lags
        self.observed = _stack(rows, self.width, self._held)  # (width, rows)
        self.filled = self.observed if same else _stack(loose, self.width, self._held)
        touched = [i for i, row in enumerate(loose) if math.isnan(np.add.reduce(row))]
        if touched:
            if same:
                self.observed = _copy(self.filled, [slice(self._first_truth, self.width)] if sparse else self._held)
            _fill(self.filled, touched, loose, geometry, self._held)
        self._cache: dict[Hashable, Any] = {}
        self._parts: dict[bytes, Block] = {}

    def subset(self, rows: IntArray) -> Block:
        """The block of these rows alone; the same one whenever they are asked for."""
        key = rows.tobytes()
        if key not in self._parts:
            part = copy(self)
            part._rows = [self._rows[i] for i in rows.tolist()]
            part.filled = _copy(self.filled, self._held, rows)
            part.observed = part.filled if self.filled is self.observed else _copy(self.observed, self._held, rows)
            part._cache, part._parts = {}, {}
            self._parts[key] = part
        return self._parts[key]

    def cached(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` returns, made once per key."""
        if key not in self._cache:
            self._cache[key] = make()
        return cast("T", self._cache[key])

    @property
    def rows(self) -> int:
        """How many histories."""
        return int(self.observed.shape[1])

    def newest(self, cuts: IntArray) -> FloatArray:
        """(c, rows) newest known value before each cut-off; NaN where there is none."""
        return self.cached(("newest", cuts.tobytes()), lambda: self._newest(cuts))

    def _newest(self, cuts: IntArray) -> FloatArray:
        value = np.where((cuts > 0)[:, None], self.observed[np.maximum(cuts - 1, 0)], np.nan)
        missing = np.isnan(value)
        for row in np.flatnonzero(missing.any(axis=0)).tolist():
            known = np.flatnonzero(np.isfinite(self._rows[row])) + self.width - len(self._rows[row])
            late = np.flatnonzero(missing[:, row])
            before = np.searchsorted(known, cuts[late]) - 1
            found = self._rows[row][known[np.maximum(before, 0)] - self.width] if len(known) else np.nan
            value[late, row] = np.where(before >= 0, found, np.nan)
        return value

    @property
    def _first_truth(self) -> int:
        """Oldest column whose truth is looked up for one cut-off: the day's median looks a day back."""
        return max(0, self.lo - self.geometry.day)

    def _looked_up(self) -> list[slice]:
        """Runs of columns that hold all that is asked for, ascending: from a day before `lo` on, and season lags."""
        wanted = np.zeros(self.width, dtype=bool)
        wanted[self._first_truth :] = True
        for season in self.geometry.seasons:
            columns = self.columns(season)
            for k in range(1, self.geometry.periods_of(season) + 1):
                first = int(columns[0]) - round(k * season.slots)
                wanted[max(first, 0) : max(first + len(columns), 0)] = True
        edges = np.flatnonzero(np.diff(np.concatenate([[False], wanted, [False]])))
        return [slice(a, b) for a, b in edges.reshape(-1, 2).tolist()]

    def columns(self, season: Season) -> IntArray:
        """Columns for which season arrays are made: from `lo` up to one season past the end."""
        past = min(self.ahead, max(1, round(season.slots)))
        return np.arange(self.lo, self.width + past)

    def lag(self, season: Season, k: int, columns: IntArray | None = None) -> FloatArray:
        """(columns, rows) value `k` seasons before each of a run of columns; NaN before the history starts."""
        src = (self.columns(season) if columns is None else columns) - round(k * season.slots)
        if src[0] >= 0:
            return self.filled[src[0] : src[-1] + 1]
        out = np.full((len(src), self.rows), np.nan)
        if src[-1] >= 0:
            out[-src[0] :] = self.filled[: src[-1] + 1]
        return out

    def at_targets(self, name: str, array: FloatArray, season: Season, cuts: IntArray, ahead: IntArray) -> FloatArray:
        """Look a season array up at each target.

        Args:
            name: What the array is; one name and season, one array.
            array: (columns, rows) made for `columns(season)`.
            season: The array's season.
            cuts: (c,) first unknown column of each cut-off.
            ahead: (p,) steps ahead, from 1.

        Returns:
            (c, p, rows); targets more than a season ahead repeat the last one.
        """

        def make() -> FloatArray:
            period = max(1, round(season.slots))
            repeats = np.maximum(0, np.ceil((ahead - period) / season.slots))
            offset = ahead - 1 - np.rint(repeats * season.slots).astype(np.int64)
            return np.asarray(array[np.maximum(cuts[:, None] + offset - self.lo, 0)])

        return self.cached(("targets", name, season.slots, cuts.tobytes(), ahead.tobytes()), make)


def _stack(rows: Sequence[FloatArray], width: int, held: Sequence[slice]) -> FloatArray:
    """(width, rows) of all rows, in the columns held; some rows at a time, so that whole cache lines are written."""
    kind = np.result_type(*{row.dtype for row in rows})
    out = np.empty((width, len(rows)), dtype=kind)
    for first in range(0, len(rows), TRANSPOSED_TOGETHER):
        some = rows[first : first + TRANSPOSED_TOGETHER]
        for part in held:
            lines = np.full((len(some), part.stop - part.start), np.nan, dtype=kind)
            for line, row in zip(lines, some, strict=True):
                missing = width - len(row)
                if missing <= part.start:
                    line[:] = row[part.start - missing : part.stop - missing]
                elif missing < part.stop:
                    line[missing - part.start :] = row[: part.stop - missing]
            out[part, first : first + len(some)] = lines.T
    return out


def _copy(stacked: FloatArray, held: Sequence[slice], rows: IntArray | slice = slice(None)) -> FloatArray:
    """(width, rows) of a stack, in the columns held."""
    out = np.empty((len(stacked), stacked[0, rows].size), dtype=stacked.dtype)
    for part in held:
        out[part] = stacked[part, rows]
    return out


def _fill(
    stacked: FloatArray, touched: Sequence[int], rows: Sequence[FloatArray], geometry: Geometry, parts: Sequence[slice]
) -> None:
    """Put histories without holes in the place of the `touched` ones, in these columns."""
    whole = np.full((len(touched), len(stacked)), np.nan)
    for line, i in zip(whole, touched, strict=True):
        line[len(stacked) - len(rows[i]) :] = rows[i]
    filled = fill_gaps(whole, geometry)
    for part in parts:
        stacked[part, touched] = filled[:, part].T
