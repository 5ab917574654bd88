"""A seasonal course moved by how far the newest slots lie off it, fading with the steps ahead."""

from __future__ import annotations

import numpy as np

from presage.core.forecast.block import Block
from presage.core.forecast.geometry import Season
from presage.core.forecast.level import decay_weights
from presage.core.forecast.profile import typical
from presage.core.forecast.types import FloatArray, IntArray


def profile_with_deviation(
    season: Season, memory: float, fade: float, block: Block, cuts: IntArray, ahead: IntArray
) -> FloatArray:
    """Median of past seasons plus the recent deviation from it.

    Args:
        season: Season of the profile.
        memory: Half-life, in slots, with which past deviations are averaged.
        fade: Half-life, in slots, with which the deviation fades ahead.
        block: Histories.
        cuts: (c,) first unknown column of each cut-off.
        ahead: (p,) steps ahead.

    Returns:
        (rows, c, p).
    """
    base = typical(season, block)
    weights = decay_weights(memory, block.width - block.lo)
    off = block.observed[:, block.lo :] - base[:, : block.width - block.lo]
    columns = cuts[:, None] - 1 - np.arange(len(weights)) - block.lo
    recent = np.take(np.nan_to_num(off, copy=False, nan=0.0), np.maximum(columns, 0), axis=1)
    deviation = np.where(columns >= 0, recent, 0.0) @ weights
    faded = deviation[:, :, None] * 0.5 ** ((ahead - 1) / fade)
    return block.at_targets(base, season, cuts, ahead) + faded
