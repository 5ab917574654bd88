"""A seasonal course moved by how far the newest slots lie off it, fading with the steps ahead."""

from __future__ import annotations

import numpy as np

from presage.core.forecast.arrays import zero_missing
from presage.core.forecast.block import Block
from presage.core.forecast.geometry import Season
from presage.core.forecast.level import decay_weights, sums_before
from presage.core.forecast.profile import profile, typical
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
        (c, p, rows).
    """
    now, usual = _recent(season, memory, block, cuts)
    out = np.asarray((now - usual)[:, None] * _fading(fade, ahead))
    out += profile(season, block, cuts, ahead)
    return out


def profile_scaled(
    season: Season, memory: float, fade: float, block: Block, cuts: IntArray, ahead: IntArray
) -> FloatArray:
    """Median of past seasons times the recent ratio to it, within 1 / `MAX_RATIO` and `MAX_RATIO`.

    For loads whose days are alike in shape but not in height. Arguments as in `profile_with_deviation`.
    """
    now, usual = _recent(season, memory, block, cuts)
    ratio = np.where((usual > 0) & (now > 0), now / np.where(usual > 0, usual, 1.0), 1.0)
    out = np.asarray((np.clip(ratio, 1 / MAX_RATIO, MAX_RATIO) - 1)[:, None] * _fading(fade, ahead))
    out += 1
    out *= profile(season, block, cuts, ahead)
    return out


def _fading(fade: float, ahead: IntArray) -> FloatArray:
    return np.asarray(0.5 ** ((ahead - 1) / fade))[:, None]


def _recent(season: Season, memory: float, block: Block, cuts: IntArray) -> tuple[FloatArray, ...]:
    """Two of (c, rows): weighted sums of the known recent values, and of the profile at the same slots."""
    weights = decay_weights(memory, block.width - block.lo)
    both = block.cached(("beside", season.slots), lambda: _beside(season, block))

    def make() -> tuple[FloatArray, ...]:
        return tuple(sums_before(values, cuts - block.lo, weights) for values in both)

    return block.cached(("recent", season.slots, memory, cuts.tobytes()), make)


def _beside(season: Season, block: Block) -> tuple[FloatArray, FloatArray]:
    """Two of (columns, rows): values and profile since `lo`, both 0 where either is unknown."""
    now = block.observed[block.lo :]
    usual = typical(season, block)[: len(now)]
    known = zero_missing(now - usual)[1]
    if known is None:
        return now, usual
    return np.where(known, now, 0.0), np.where(known, usual, 0.0)
