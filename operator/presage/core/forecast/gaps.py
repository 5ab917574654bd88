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
    finite = np.isfinite(flat)
    known, holes = np.flatnonzero(finite), np.flatnonzero(~finite)
    place = np.searchsorted(known, holes)
    left = known[np.maximum(place - 1, 0)] if len(known) else holes
    inside = (place > 0) & (left // width == holes // width)
    holes, left, place = holes[inside], left[inside], place[inside]
    if not len(holes):
        return out
    right = known[np.minimum(place, len(known) - 1)]
    closed = (place < len(known)) & (right // width == holes // width)
    end = (holes // width + 1) * width  # the slot after the row's last one
    right = np.where(closed, right, end)
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
