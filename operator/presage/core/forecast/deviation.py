"""A seasonal course moved by how far the newest slots lie off it, fading with the steps ahead."""

from __future__ import annotations

import numpy as np

from presage.core.forecast.block import Block
from presage.core.forecast.geometry import Season
from presage.core.forecast.level import decay_weights
from presage.core.forecast.profile import typical
from presage.core.forecast.types import FloatArray, IntArray

MAX_RATIO = 2.0


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
    now, usual = _recent(base, weights, block, cuts)
    faded = (now - usual)[:, :, None] * 0.5 ** ((ahead - 1) / fade)
    return block.at_targets(base, season, cuts, ahead) + faded


def profile_scaled(
    season: Season, memory: float, fade: float, block: Block, cuts: IntArray, ahead: IntArray
) -> FloatArray:
    """Median of past seasons times the recent ratio to it, within 1 / `MAX_RATIO` and `MAX_RATIO`.

    For loads whose days are alike in shape but not in height. Arguments as in `profile_with_deviation`.
    """
    base = typical(season, block)
    weights = decay_weights(memory, block.width - block.lo)
    now, usual = _recent(base, weights, block, cuts)
    ratio = np.where((usual > 0) & (now > 0), now / np.where(usual > 0, usual, 1.0), 1.0)
    ratio = np.clip(ratio, 1 / MAX_RATIO, MAX_RATIO)
    faded = 1 + (ratio - 1)[:, :, None] * 0.5 ** ((ahead - 1) / fade)
    return block.at_targets(base, season, cuts, ahead) * faded


def _recent(base: FloatArray, weights: FloatArray, block: Block, cuts: IntArray) -> tuple[FloatArray, FloatArray]:
    """(rows, cuts) weighted sums of the known recent values and of the profile at the same slots."""
    columns = cuts[:, None] - 1 - np.arange(len(weights)) - block.lo
    clipped = np.maximum(columns, 0)
    now = np.take(block.observed[:, block.lo :], clipped, axis=1)
    usual = np.take(base, clipped, axis=1)
    known = np.isfinite(now) & np.isfinite(usual) & (columns >= 0)
    return np.where(known, now, 0.0) @ weights, np.where(known, usual, 0.0) @ weights
