"""A batch of histories that share one geometry, right-aligned, and the arrays that models look up.

Columns are slots; column `width` is the first one to forecast. Rows are left-padded with NaN.
Invariants: `observed` is never filled; `filled` serves as a lag only; a season array at column t is
made of slots at least one season before t, so that every cut-off may use it for t within that season.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np

from presage.core.forecast.geometry import Geometry, Season
from presage.core.forecast.types import FloatArray, IntArray

SHORT_GAP = 4  # slots; longer gaps are filled from earlier seasons, not by a line


class Block:
    """Histories of alike series, with look-ups computed once and shared by all models.

    Args:
        rows: Histories, newest slot last, NaN = missing; any lengths.
        lags: The same with slots that may serve as lags but never as truths; None = `rows`.
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
    ) -> None:
        self.geometry = geometry
        self.width = max(1, *(len(r) for r in rows))
        self.observed = _stack(rows, self.width)
        loose = self.observed if lags is None else _stack(lags, self.width)
        self.filled = fill_gaps(loose, geometry)
        self.lo = max(0, self.width - back)
        self.ahead = ahead
        self._cache: dict[tuple[str, float], FloatArray] = {}

    def cached(self, name: str, season: Season, make: Callable[[], FloatArray]) -> FloatArray:
        """The array `make` returns, made once per name and season."""
        key = (name, season.slots)
        if key not in self._cache:
            self._cache[key] = make()
        return self._cache[key]

    @cached_property
    def known(self) -> IntArray:
        """(rows, width) column of the newest known truth at or before each column; -1 where there is none."""
        return last_known(self.observed)

    def columns(self, season: Season) -> IntArray:
        """Columns for which season arrays are made: from `lo` up to one season past the end."""
        past = min(self.ahead, max(1, round(season.slots)))
        return np.arange(self.lo, self.width + past)

    def lag(self, season: Season, k: int) -> FloatArray:
        """(rows, columns) value `k` seasons before each column; NaN before the history starts."""
        src = self.columns(season) - round(k * season.slots)
        out = np.full((len(self.filled), len(src)), np.nan)
        first = int(np.searchsorted(src, 0))
        if first < len(src):
            out[:, first:] = self.filled[:, src[first] : src[-1] + 1]
        return out

    def lags(self, season: Season) -> FloatArray:
        """(count, rows, columns) the past periods behind a median profile."""
        count = self.geometry.periods_of(season)
        return self.cached("lags", season, lambda: np.stack([self.lag(season, k) for k in range(1, count + 1)]))

    def at_targets(self, array: FloatArray, season: Season, cuts: IntArray, ahead: IntArray) -> FloatArray:
        """Look a season array up at each target.

        Args:
            array: (rows, columns) made for `columns(season)`.
            season: The array's season.
            cuts: (c,) first unknown column of each cut-off.
            ahead: (p,) steps ahead, from 1.

        Returns:
            (rows, c, p); targets more than a season ahead repeat the last one.
        """
        period = max(1, round(season.slots))
        repeats = np.maximum(0, np.ceil((ahead - period) / season.slots))
        offset = ahead - 1 - np.rint(repeats * season.slots).astype(np.int64)
        columns = cuts[:, None] + offset - self.lo
        return np.asarray(np.take(array, np.maximum(columns, 0), axis=1))

    def before(self, array: FloatArray, cuts: IntArray, count: int) -> FloatArray:
        """(rows, c, count) the `count` values of a (rows, width) array before each cut-off, newest first."""
        columns = cuts[:, None] - 1 - np.arange(count)
        return np.asarray(np.take(array, np.maximum(columns, 0), axis=1))


def _stack(rows: Sequence[FloatArray], width: int) -> FloatArray:
    out = np.full((len(rows), width), np.nan)
    for i, row in enumerate(rows):
        if len(row):
            out[i, width - len(row) :] = row
    return out


def last_known(values: FloatArray) -> IntArray:
    """(rows, width) column of the newest finite value at or before each column; -1 where there is none."""
    columns = np.where(np.isfinite(values), np.arange(values.shape[1]), -1)
    return np.maximum.accumulate(columns, axis=1)


def fill_gaps(values: FloatArray, geometry: Geometry) -> FloatArray:
    """Fill holes so that every slot after the first known one can serve as a lag.

    Up to `SHORT_GAP` slots: a line between the neighbours. Longer: the same slot a "day" back, else a
    longer season back, else the last known value. A gap that is open at the end holds the last value
    if short. Only the past of a long or open gap is used.

    Args:
        values: (rows, width), NaN = missing.
        geometry: Seasons to fill from.

    Returns:
        A filled copy; NaN only before the first known value of a row.
    """
    holes = ~np.isfinite(values)
    touched = np.flatnonzero(holes.any(axis=1))
    if not len(touched):
        return values
    out = values.copy()
    part, gap = values[touched], holes[touched]
    width = part.shape[1]
    left = last_known(part)
    right = width - 1 - last_known(part[:, ::-1])[:, ::-1]
    columns = np.arange(width)
    length = right - left - 1
    held = np.take_along_axis(part, np.maximum(left, 0), axis=1)
    next_value = np.take_along_axis(part, np.minimum(right, width - 1), axis=1)
    share = (columns - left) / np.maximum(right - left, 1)
    line = np.where(right < width, held + share * (next_value - held), held)
    inside = gap & (left >= 0)
    short = inside & (length <= SHORT_GAP)
    part = np.where(short, line, part)
    for slots in sorted({round(s.slots) for s in geometry.seasons if s.slots >= geometry.day}):
        part = _fill_from(part, inside, slots)
    part = np.where(inside & ~np.isfinite(part), held, part)
    out[touched] = part
    return out


def _fill_from(values: FloatArray, inside: np.ndarray, slots: int) -> FloatArray:
    """Fill holes from `slots` earlier, season after season, so that a filled day can fill the next."""
    for start in range(slots, values.shape[1], slots):
        stop = min(start + slots, values.shape[1])
        now, before = values[:, start:stop], values[:, start - slots : stop - slots]
        hole = inside[:, start:stop] & ~np.isfinite(now)
        values[:, start:stop] = np.where(hole, before, now)
    return values
