"""What a calendar means for a forecast: what of the past is learned, and how what is forecast changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from presage.core.calendar.effects import SlotEffects, effects_of
from presage.core.calendar.like_day import profile_of
from presage.core.calendar.occurrences import find_spans
from presage.core.calendar.spec import WEEKDAYS, Calendar
from presage.core.calendar.walltime import wall_of, zone_of

Floats = NDArray[np.floating]


def effects_on(known: Calendar, start: float, step_s: float, count: int) -> SlotEffects:
    """Return what a calendar does in slots; see `effects_of`. A `LikeDay` on that very day of the week does nothing."""
    end = start + count * step_s
    effects = effects_of(find_spans(known, start, end), start, step_s, count)
    zone = zone_of(known.spec.time_zone)
    for slot in np.flatnonzero(effects.weekday >= 0):
        if wall_of(start + (slot + 0.5) * step_s, zone).weekday() == effects.weekday[slot]:
            effects.weekday[slot] = -1
    return effects


def learnable(known: Calendar, values: NDArray[np.float32], start: float, step_s: float) -> NDArray[np.float32]:
    """Return the history as it would have been without the calendar's windows, NaN where that cannot be told.

    What was multiplied is divided by the same factor, so that a window is learned from and yet not expected to come
    back by itself. A day that was like another one says nothing of its own kind, and what is ignored nothing at all.

    Args:
        known: The calendar.
        values: `(n,)` load per slot.
        start: Epoch second of slot 0.
        step_s: Seconds a slot.
    """
    if not known:
        return values
    effects = effects_on(known, start, step_s, len(values))
    untold = effects.ignored | (effects.weekday >= 0)
    return np.where(untold, np.nan, values / effects.factor).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What a calendar makes of a forecast, slot by slot.

    Attributes:
        start: Epoch second of slot 0.
        step_s: Seconds a slot.
        like: `(n,)` median of a day that is like another one; NaN = as forecast.
        factor: `(n,)` what the load is multiplied with after that.
        ignored: `(n,)` slots of which nothing is forecast.
        warnings: What could not be done, one sentence each.
    """

    start: float
    step_s: float
    like: NDArray[np.float64]
    factor: NDArray[np.float64]
    ignored: NDArray[np.bool_]
    warnings: tuple[str, ...]

    def apply(self, curves: NDArray[np.float64], start: float) -> NDArray[np.float64]:
        """Return a forecast with the calendar in it, 0 where it is to be ignored: nothing is asked for on its account.

        In a day like another one the median is that day's, and what a level lies above or below it stays the
        forecast's, or grows with the load where the other day is busier. The factor comes on top.

        Args:
            curves: `(k, n)`: the median first, then other levels of the same forecast.
            start: Epoch second of their slot 0, a whole number of slots before or after `self.start`.
        """
        slots, mine = self._meet(start, curves.shape[1])
        out, like = curves.copy(), self.like[mine]
        told = np.isfinite(like)
        out[:, slots[told]] = _moved(curves[:, slots[told]], like[told])
        out[:, slots] *= self.factor[mine]
        out[:, slots[self.ignored[mine]]] = 0.0
        return out

    def find_ignored(self, start: float, count: int) -> NDArray[np.bool_]:
        """Return `(count,)` which slots from `start` on are those of which nothing is forecast; as in `apply`."""
        slots, mine = self._meet(start, count)
        found = np.zeros(count, np.bool_)
        found[slots] = self.ignored[mine]
        return found

    def _meet(self, start: float, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return which of `count` slots from `start` on are known here, and the number that each has here."""
        at = np.arange(count) + round((start - self.start) / self.step_s)
        known = (at >= 0) & (at < len(self.factor))
        return np.flatnonzero(known), at[known]


def plan_adjustment(
    known: Calendar, start: float, step_s: float, count: int, history: Floats, history_start: float
) -> Adjustment:
    """Return what a calendar makes of the forecast of `count` slots.

    Args:
        known: The calendar.
        start: Epoch second of slot 0.
        step_s: Seconds a slot, here and in the history.
        count: Number of slots.
        history: `(m,)` what was learned from.
        history_start: Epoch second of its slot 0.
    """
    effects = effects_on(known, start, step_s, count)
    zone, like, warnings = zone_of(known.spec.time_zone), np.full(count, np.nan), []
    for weekday in sorted({int(day) for day in effects.weekday if day >= 0}):
        slots = np.flatnonzero(effects.weekday == weekday)
        middles = np.asarray(start + (slots + 0.5) * step_s, np.float64)
        like[slots] = profile_of(history, history_start, step_s, middles, weekday, zone)
        if not np.isfinite(like[slots]).all():
            warnings.append(
                f"LikeDay {WEEKDAYS[weekday]}: no such day is in the history, so the forecast stays as it is."
            )
    return Adjustment(start, step_s, like, effects.factor, effects.ignored, tuple(warnings))


def _moved(curves: NDArray[np.float64], like: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the curves around another median; a busier day strays as much further."""
    median = curves[0]
    usual = float(median.sum())
    growth = max(1.0, float(like.sum()) / usual) if usual > 0 else 1.0
    low = np.minimum(0.0, like)  # a load that is never negative stays so
    moved: NDArray[np.float64] = np.maximum(like + growth * (curves - median), low)
    return moved
