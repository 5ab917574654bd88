"""A flat forecast at the recent level: an exponentially weighted mean of the newest slots."""

from __future__ import annotations

import numpy as np

from presage.core.forecast.block import Block
from presage.core.forecast.naive import newest
from presage.core.forecast.types import FloatArray, IntArray

HALF_LIVES = 5  # weights older than this many half-lives (3 %) are cut off


def decay_weights(half_life: float, width: int) -> FloatArray:
    """(k,) weights of the newest slots, newest first, halving every `half_life` slots; sum 1."""
    count = max(1, min(width, round(HALF_LIVES * half_life)))
    weights = np.asarray(0.5 ** (np.arange(count) / half_life), dtype=np.float64)
    return np.asarray(weights / weights.sum())


def level(half_life: float, block: Block, cuts: IntArray, ahead: IntArray) -> FloatArray:
    """Weighted mean of the known slots before the cut-off; the last known value if all are missing."""
    weights = decay_weights(half_life, block.width)
    recent = block.before(block.observed, cuts, len(weights))
    known = np.isfinite(recent)
    known &= (cuts[:, None] - 1 - np.arange(len(weights))) >= 0
    mass = known @ weights
    total = np.where(known, recent, 0.0) @ weights
    value = np.where(mass > 0, total / np.where(mass > 0, mass, 1.0), newest(block, cuts))
    return np.broadcast_to(value[:, :, None], (*value.shape, len(ahead)))
