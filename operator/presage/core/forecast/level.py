"""Flat forecasts at the recent level: an exponentially weighted mean of the newest slots, and the day's median."""

from __future__ import annotations

import numpy as np

from presage.core.forecast.arrays import median_of, zero_missing
from presage.core.forecast.block import Block
from presage.core.forecast.types import FloatArray, IntArray

MEDIAN_SLOTS = 24  # spread over the day; all of them would tell little more
HALF_LIVES = 5  # weights older than this many half-lives (3 %) are cut off


def decay_weights(half_life: float, width: int) -> FloatArray:
    """(k,) weights of the newest slots, newest first, halving every `half_life` slots; sum 1."""
    count = max(1, min(width, round(HALF_LIVES * half_life)))
    weights = np.asarray(0.5 ** (np.arange(count) / half_life), dtype=np.float64)
    return np.asarray(weights / weights.sum())


def sums_before(values: FloatArray, ends: IntArray, weights: FloatArray) -> FloatArray:
    """Weighted sums of the slots before each end.

    Args:
        values: (slots, rows) without NaN.
        ends: (c,) slots before which to sum, within 0 and the number of slots.
        weights: (k,) newest first; what would lie before the first slot counts 0.

    Returns:
        (c, rows).
    """
    oldest_first = np.ascontiguousarray(weights[::-1])
    out = np.zeros((len(ends), values.shape[1]))
    for i, end in enumerate(ends.tolist()):
        count = min(len(weights), end)
        if count > 0:
            out[i] = oldest_first[-count:] @ values[end - count : end]
    return out


def level(half_life: float, block: Block, cuts: IntArray, ahead: IntArray) -> FloatArray:
    """Weighted mean of the known slots before the cut-off; the last known value if all are missing."""
    weights = decay_weights(half_life, block.width)
    slots = cuts[:, None] - len(weights) + np.arange(len(weights))
    recent = block.observed[np.maximum(slots, 0)]
    recent[slots < 0] = np.nan
    zeroed, known = zero_missing(recent)
    oldest_first = np.ascontiguousarray(weights[::-1])
    total = oldest_first @ zeroed
    if known is not None:
        mass = oldest_first @ known.astype(np.float64)
        total = np.where(mass > 0, total / np.where(mass > 0, mass, 1.0), block.newest(cuts))
    return np.broadcast_to(total[:, None], (len(cuts), len(ahead), block.rows))


def flat_median(block: Block, cuts: IntArray, ahead: IntArray) -> FloatArray:
    """Median of the day before the cut-off, of `MEDIAN_SLOTS` slots; the last known value if all are missing.

    The best guess of a load that is mostly idle, or bursts over a steady level.
    """
    day = block.geometry.day
    back = np.unique(np.rint(np.linspace(1, day, min(MEDIAN_SLOTS, day))).astype(np.int64))
    slots = cuts - back[:, None]
    values = block.observed[np.maximum(slots, 0)]
    values[slots < 0] = np.nan
    middle = median_of(values)
    middle = np.where(np.isfinite(middle), middle, block.newest(cuts))
    return np.broadcast_to(middle[:, None], (len(cuts), len(ahead), block.rows))
