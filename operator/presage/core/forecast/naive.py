"""The naive forecasts: the last value, and the value one season ago."""

from __future__ import annotations

import numpy as np

from presage.core.forecast.block import Block
from presage.core.forecast.geometry import Season
from presage.core.forecast.types import FloatArray, IntArray


def last_value(block: Block, cuts: IntArray, ahead: IntArray) -> FloatArray:
    """The newest known value, for every step ahead."""
    value = block.newest(cuts)[:, None]
    return np.broadcast_to(value, (len(cuts), len(ahead), block.rows))


def seasonal(season: Season, block: Block, cuts: IntArray, ahead: IntArray) -> FloatArray:
    """The value one season before the target (whole seasons, the last one known)."""
    array = block.cached(("lag", season.slots), lambda: block.lag(season, 1))
    return block.at_targets("lag", array, season, cuts, ahead)


def seasonal_sum(one: Season, other: Season, block: Block, cuts: IntArray, ahead: IntArray) -> FloatArray:
    """The value one season ago plus the value the other season ago, less the value both ago.

    Exact for any sum of two courses of which each repeats with its own season, whatever their lengths.
    """
    columns = cuts[:, None] + ahead - 1
    back = [np.rint(np.ceil(ahead / s.slots) * s.slots).astype(np.int64) for s in (one, other)]

    def ago(slots: IntArray) -> FloatArray:
        found = block.filled[np.maximum(columns - slots, 0)]
        found[columns < slots] = np.nan
        return np.asarray(found)

    return ago(back[0]) + ago(back[1]) - ago(back[0] + back[1])
