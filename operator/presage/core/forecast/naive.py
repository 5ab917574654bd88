"""The naive forecasts: the last value, and the value one season ago."""

from __future__ import annotations

import numpy as np

from presage.core.forecast.block import Block
from presage.core.forecast.geometry import Season
from presage.core.forecast.types import FloatArray, IntArray


def last_value(block: Block, cuts: IntArray, ahead: IntArray) -> FloatArray:
    """The newest known value, for every step ahead."""
    value = newest(block, cuts)
    return np.broadcast_to(value[:, :, None], (*value.shape, len(ahead)))


def newest(block: Block, cuts: IntArray) -> FloatArray:
    """(rows, cuts) newest known value before each cut-off; NaN where there is none."""
    known = block.known[:, np.maximum(cuts - 1, 0)]
    value = np.take_along_axis(block.observed, np.maximum(known, 0), axis=1)
    return np.where((known >= 0) & (cuts > 0), value, np.nan)


def seasonal(season: Season, block: Block, cuts: IntArray, ahead: IntArray) -> FloatArray:
    """The value one season before the target (whole seasons, the last one known)."""
    array = block.cached("lag", season, lambda: block.lag(season, 1))
    return block.at_targets(array, season, cuts, ahead)
