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
