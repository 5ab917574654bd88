"""How uncertain each time of day is: the distance of the past seasons from their median."""

from __future__ import annotations

import numpy as np

from presage.core.forecast.arrays import box_mean, mean_of
from presage.core.forecast.block import Block
from presage.core.forecast.geometry import Season
from presage.core.forecast.profile import scatter
from presage.core.forecast.types import FloatArray, IntArray

SMOOTH_DAYS = 1 / 48  # half width of the smoothing window
LOCAL_SHARE = 0.5  # the rest is the day's mean, so that one quiet hour never promises certainty
CAP = 3.0


def typical_spread(block: Block) -> FloatArray:
    """(rows,) mean spread over the newest "day"; NaN with too little history."""
    season = block.geometry.day_season
    if season is None:
        return np.full(block.rows, np.nan)
    local = _local(block, season)[: block.width - block.lo]
    return mean_of(local[-block.geometry.day :])


def relative_spread(block: Block, mean: FloatArray, cuts: IntArray, ahead: IntArray) -> FloatArray:
    """Spread at each target over its mean, within [1 - LOCAL_SHARE, CAP]; 1 where nothing is known.

    Args:
        block: Histories.
        mean: (rows,) mean spread, from `typical_spread`.
        cuts: (c,) cut-offs.
        ahead: (p,) steps ahead.

    Returns:
        (c, p, rows), dimensionless.
    """
    season = block.geometry.day_season
    usable = np.isfinite(mean) & (mean > 0)
    if season is None or not usable.any():
        return np.ones((len(cuts), len(ahead), len(mean)))
    local = block.at_targets("spread", _local(block, season), season, cuts, ahead)
    out = local * (LOCAL_SHARE / np.where(usable, mean, np.nan))
    out += 1.0 - LOCAL_SHARE
    out[np.isnan(out)] = 1.0
    return np.minimum(out, CAP)


def _local(block: Block, season: Season) -> FloatArray:
    def make() -> FloatArray:
        return box_mean(scatter(season, block), block.geometry.slots(SMOOTH_DAYS))

    return block.cached(("spread", season.slots), make)
