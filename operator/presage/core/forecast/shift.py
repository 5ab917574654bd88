"""Level shifts: the newest slot from which a load runs on another level than before, for good.

A deployment, a switched route or a service switched on moves a load by a step. What lies before it then
says little about errors to come, and its level nothing, though its shape may still hold. Days and weeks
move a load too; so the day's shape is taken off first, and a shift counts only if it parts what lies before
from all that lies after. A weekend or a burst does not: its nights and its end lie among what was before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from presage.core.forecast.arrays import mean_of, median_of
from presage.core.forecast.types import FloatArray

PARTS = 24  # means a day that are looked at
MIN_PARTS = 4
MIN_DAYS = 3
LOOK_BACK = 7.0  # days within which a shift is sought: backtests reach no further
BEFORE = 2.0  # days before a shift that must lie on the old level
AFTER = 0.25  # days after it that must be known
EDGE = 0.25  # days either side whose means are compared to place the shift
CANDIDATES = 3  # largest steps that are looked at
APART = 0.9  # share either side that lies on its own side of the middle between the levels
NOISE = 4.0  # times the median deviation within a side that a shift must exceed
MIN_SHARE = 0.2  # of the larger level that a shift must amount to


@dataclass(frozen=True, slots=True)
class Shift:
    """A level shift: its first slot, and the level before and after, without the day's shape."""

    slot: int
    before: float
    after: float


def find_shift(values: FloatArray, day: int) -> Shift | None:
    """The newest level shift of a history.

    Args:
        values: (n,) history; NaN = missing.
        day: Slots of a day.
    """
    length = max(1, day // PARTS)
    parts = day // length
    days = len(values) // (parts * length)
    if parts < MIN_PARTS or days < MIN_DAYS:
        return None
    newest = values[-days * parts * length :]
    shape = _shape(newest.reshape(days, parts, length))
    level = None if shape is None else _level(newest.reshape(-1, length), shape)
    if shape is None or level is None:
        return None
    after, edge = max(1, round(AFTER * parts)), max(1, round(EDGE * parts))
    first, last = max(parts // 2, len(level) - round(LOOK_BACK * parts)), len(level) - after
    if last < first:
        return None
    total = np.concatenate([[0.0], np.cumsum(level)])
    at = np.arange(first, last + 1)
    low, high = np.maximum(at - edge, 0), np.minimum(at + edge, len(level))
    step = np.abs((total[high] - total[at]) / (high - at) - (total[at] - total[low]) / (at - low))
    # a shift at its place steps by about its whole height, and a shift has a height
    largest = max(abs(float(level[first:].max())), abs(float(level[first:].min())))
    for i in np.argsort(-step, kind="stable")[:CANDIDATES].tolist():
        if step[i] <= 0.5 * MIN_SHARE * largest:
            return None
        found = _judge(level, int(at[i]), round(BEFORE * parts))
        if found is not None:
            around = slice((int(at[i]) - 1) * length, (int(at[i]) + 1) * length)
            usual = np.repeat(np.resize(shape, len(level)), length)[around]
            slot = around.start + _first_new(newest[around] - usual, *found)
            return Shift(len(values) - len(newest) + slot, *found)
    return None


def level_out(values: FloatArray, shift: Shift, signed: bool) -> FloatArray:
    """The history as if it had always run on the level after the shift; never below 0 unless `signed`."""
    out = values.copy()
    out[: shift.slot] += shift.after - shift.before
    if not signed:
        np.maximum(out, 0.0, out=out)
    return out


def _shape(days: FloatArray) -> FloatArray | None:
    """(parts,) how far each part of a day usually lies off its day, of (days, parts, length) slots; None if unknown."""
    means = mean_of(days, axis=-1)
    if not np.isnan(means).any():
        return _middle(np.sort(means - _middle(np.sort(means.T, axis=0))[:, None], axis=0))
    shape = median_of(means - median_of(means.T)[:, None])
    return np.where(np.isfinite(shape), shape, 0.0) if np.isfinite(shape).any() else None


def _level(slots: FloatArray, shape: FloatArray) -> FloatArray | None:
    """(n,) means of (n, length) slots less the day's shape, unknown ones on a line between their neighbours."""
    level = mean_of(slots, axis=-1) - np.resize(shape, len(slots))
    known = np.flatnonzero(np.isfinite(level))
    if len(known) == len(level):
        return level
    if len(known) < 2 * len(shape):
        return None
    return np.asarray(np.interp(np.arange(len(level)), known, level[known]))


def _first_new(slots: FloatArray, before: float, after: float) -> int:
    """Where to part (n,) slots so that most of them lie on their own side of the middle between two levels."""
    new = np.sign(np.nan_to_num(slots - 0.5 * (before + after))) * np.copysign(1.0, after - before)
    return int(np.argmin(np.concatenate([[0.0], np.cumsum(new)])))


def _judge(level: FloatArray, at: int, reach: int) -> tuple[float, float] | None:
    """The level before and after, if they are two."""
    old, new = np.sort(level[max(0, at - reach) : at]), np.sort(level[at:])
    before, after = float(_middle(old)), float(_middle(new))
    height = after - before
    if abs(height) <= MIN_SHARE * max(abs(before), abs(after)):
        return None
    middle = 0.5 * (before + after)
    low, high = (old, new) if height > 0 else (new, old)
    if low[_rank(APART, low)] >= middle or high[_rank(1 - APART, high)] <= middle:
        return None
    noise = max(float(_middle(np.sort(np.abs(side - centre)))) for side, centre in ((old, before), (new, after)))
    return (before, after) if abs(height) > NOISE * noise else None


def _middle(ordered: FloatArray) -> FloatArray:
    """Median of what is ordered along the first axis."""
    count = len(ordered)
    return np.asarray(0.5 * (ordered[(count - 1) // 2] + ordered[count // 2]))


def _rank(share: float, ordered: FloatArray) -> int:
    return min(int(share * len(ordered)), len(ordered) - 1)
