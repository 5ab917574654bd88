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
class Adjusted:
    """Curves of a forecast with the calendar in them.

    Attributes:
        curves: `(k, n)`, in the order given.
        ignored: `(n,)` slots of which nothing is forecast.
        warnings: What could not be done, one sentence each.
    """

    curves: NDArray[np.float64]
    ignored: NDArray[np.bool_]
    warnings: tuple[str, ...]


def adjust(
    known: Calendar, curves: NDArray[np.float64], start: float, step_s: float, history: Floats, history_start: float
) -> Adjusted:
    """Return a forecast with what the calendar says in it.

    In a `LikeDay` the median is that of the other day, and what a level lies above or below it stays the forecast's, or
    grows with the load where the other day is busier. `Multiply` comes on top. Without such a day in the history
    the forecast stays as it is, and a warning says so.

    Args:
        known: The calendar.
        curves: `(k, n)`: the median first, then other levels of the same forecast.
        start: Epoch second of the forecast's slot 0.
        step_s: Seconds a slot.
        history: `(m,)` what was learned from.
        history_start: Epoch second of its slot 0.
    """
    effects = effects_on(known, start, step_s, curves.shape[1])
    zone, out, warnings = zone_of(known.spec.time_zone), curves.copy(), []
    for weekday in sorted({int(day) for day in effects.weekday if day >= 0}):
        slots = np.flatnonzero(effects.weekday == weekday)
        middles = np.asarray(start + (slots + 0.5) * step_s, np.float64)
        like = profile_of(history, history_start, step_s, middles, weekday, zone)
        missing = ~np.isfinite(like)
        if missing.any():
            warnings.append(
                f"LikeDay {WEEKDAYS[weekday]}: no such day is in the history, so the forecast stays as it is."
            )
        out[:, slots[~missing]] = _moved(curves[:, slots[~missing]], like[~missing])
    return Adjusted(out * effects.factor, effects.ignored, tuple(warnings))


def _moved(curves: NDArray[np.float64], like: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the curves around another median; a busier day strays as much further."""
    median = curves[0]
    usual = float(median.sum())
    growth = max(1.0, float(like.sum()) / usual) if usual > 0 else 1.0
    low = np.minimum(0.0, like)  # a load that is never negative stays so
    moved: NDArray[np.float64] = np.maximum(like + growth * (curves - median), low)
    return moved
