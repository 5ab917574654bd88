"""Holes in a history, filled so that every slot can serve as a lag."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from presage.core.forecast.geometry import Geometry
from presage.core.forecast.types import FloatArray, IntArray

SHORT_GAP = 4  # slots; longer gaps are filled from earlier seasons, not by a line


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
    out = np.array(values, order="C")
    flat, width = out.reshape(-1), values.shape[1]
    holes = np.flatnonzero(np.isnan(flat))
    if not len(holes):
        return out
    column = holes % width
    first = np.flatnonzero(np.append(True, np.diff(holes) > 1) | (column == 0))  # of each run within a row
    length = np.diff(np.append(first, len(holes)))
    left, right = np.repeat(holes[first] - 1, length), np.repeat(holes[first] + length, length)
    inside = np.repeat(column[first] > 0, length)
    holes, left, right = holes[inside], left[inside], right[inside]
    closed = right % width > 0  # else the slot after the row's last one
    held = flat[left]
    share = (holes - left) / (right - left)
    line = np.where(closed, held + share * (flat[np.minimum(right, len(flat) - 1)] - held), held)
    short = right - left - 1 <= SHORT_GAP
    flat[holes[short]] = line[short]
    for slots in sorted({round(s.slots) for s in geometry.seasons if s.slots >= geometry.day}):
        _fill_from(flat, holes, width, slots)
    flat[holes] = np.where(np.isnan(flat[holes]), held, flat[holes])
    return out


def _fill_from(flat: FloatArray, holes: IntArray, width: int, slots: int) -> None:
    """Fill holes from `slots` earlier, season after season, so that a filled day can fill the next."""
    season = holes % width // slots
    order = np.argsort(season, kind="stable")
    bounds = np.searchsorted(season[order], np.arange(1, width // slots + 2))
    for first, last in pairwise(bounds.tolist()):
        part = holes[order[first:last]]
        part = part[np.isnan(flat[part])]
        flat[part] = flat[part - slots]
