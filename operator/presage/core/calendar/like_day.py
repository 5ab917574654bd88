"""The load of another day of the week, out of the object's own history."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from presage.core.calendar.walltime import start_of, wall_of

DAYS_LOOKED_AT = 3  # of that day of the week, those that are known
WEEK = timedelta(days=7)


def profile_of(
    history: NDArray[np.floating], start: float, step_s: float, at: NDArray[np.float64], weekday: int, zone: ZoneInfo
) -> NDArray[np.float64]:
    """Return the load to expect at moments as if they were on another day of the week, shape (n,).

    It is the median of the last three such days at the same time on the wall, as far as they are in the history and
    known; NaN where none is. Days are real ones: a history of compressed days has none.

    Args:
        history: `(m,)` load per slot; NaN = unknown.
        start: Epoch second of the history's slot 0.
        step_s: Seconds a slot.
        at: `(n,)` epoch seconds after the history.
        weekday: 0 = Monday.
        zone: Where days begin.
    """
    out = np.full(len(at), np.nan)
    for i, moment in enumerate(at):
        found = _known_before(history, start, step_s, wall_of(float(moment), zone), weekday, zone)
        if found:
            out[i] = np.median(found)
    return out


def _known_before(
    history: NDArray[np.floating], start: float, step_s: float, wall: datetime, weekday: int, zone: ZoneInfo
) -> list[float]:
    """Return at most three loads at this time of such days, the newest first."""
    found: list[float] = []
    past = wall - timedelta(days=(wall.weekday() - weekday) % 7)
    while len(found) < DAYS_LOOKED_AT and (slot := int((start_of(past, zone) - start) // step_s)) >= 0:
        if slot < len(history) and np.isfinite(history[slot]):
            found.append(float(history[slot]))
        past -= WEEK
    return found
