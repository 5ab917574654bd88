"""Local wall time: whole-day seasons follow the clock on the wall across clock changes.

The history is laid on a grid of wall-clock slots that agrees with real time at the newest slot. An
hour that the clock skips is a hole there, of an hour that it repeats the second pass stands. Models
then need not know about zones.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np

from presage.core.forecast.types import FloatArray, IntArray

PROBE_SECONDS = 86_400  # zones change their offset less often than this


@dataclass(frozen=True, slots=True)
class WallPlan:
    """Where slots lie on the wall grid.

    Attributes:
        history: (n,) wall slot of each past slot; the newest is n - 1, the oldest may be below 0.
        ahead: (h,) wall steps ahead of each future slot, >= 1.
    """

    history: IntArray
    ahead: IntArray

    def lay(self, values: FloatArray) -> FloatArray:
        """The (n,) history on the wall grid; NaN in skipped hours."""
        if not len(values):
            return values
        low = int(self.history.min())
        out = np.full(int(self.history.max()) - low + 1, np.nan, dtype=values.dtype)
        out[self.history - low] = values
        return out[: int(self.history[-1]) - low + 1]


def plan_wall(start: float, step: float, slots: int, horizon: int, zone: str) -> WallPlan | None:
    """Plan for a history and its horizon, or None if no clock change touches them.

    Args:
        start: Epoch second of slot 0.
        step: Slot length, seconds.
        slots: Number of past slots.
        horizon: Number of future slots.
        zone: IANA name.
    """
    total = slots + horizon
    offsets = _offsets(start, step, total, ZoneInfo(zone))
    if offsets is None or not slots:
        return None
    shift = np.rint((offsets - offsets[slots - 1]) / step).astype(np.int64)
    wall = np.arange(total) + shift
    return WallPlan(wall[:slots], np.maximum(wall[slots:] - (slots - 1), 1))


def _offsets(start: float, step: float, total: int, zone: ZoneInfo) -> FloatArray | None:
    """(total,) UTC offset of each slot in seconds, or None if it never changes."""

    def offset(slot: int) -> float:
        try:
            delta = datetime.fromtimestamp(start + slot * step, UTC).astimezone(zone).utcoffset()
        except (OverflowError, ValueError, OSError):  # outside the calendar: no zone rules there
            return 0.0
        return delta.total_seconds() if delta else 0.0

    stride = max(1, int(PROBE_SECONDS // step))
    probes = [*range(0, total, stride), total - 1]
    known = [offset(p) for p in probes]
    if len(set(known)) == 1:
        return None
    out = np.empty(total)
    for (a, b), (x, y) in zip(pairwise(probes), pairwise(known), strict=True):
        low, high = a, b
        while x != y and high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(middle) == x else (low, middle)
        out[a:high], out[high : b + 1] = x, y
    return out
