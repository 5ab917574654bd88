"""The typical course of a season: the median of the same slot in past seasons."""

from __future__ import annotations

from presage.core.forecast.arrays import median_of
from presage.core.forecast.block import Block
from presage.core.forecast.geometry import Season
from presage.core.forecast.types import FloatArray, IntArray

MIN_LAGS = 2


def profile(season: Season, block: Block, cuts: IntArray, ahead: IntArray) -> FloatArray:
    """Median of the past seasons at the target's slot; needs two of them."""
    return block.at_targets(typical(season, block), season, cuts, ahead)


def typical(season: Season, block: Block) -> FloatArray:
    """(rows, columns) median of the past seasons at each column, NaN with fewer than two."""
    return block.cached("median", season, lambda: median_of(block.lags(season), MIN_LAGS))
