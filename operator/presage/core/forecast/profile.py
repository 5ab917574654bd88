"""The typical course of a season: the median of the same slot in past seasons, and how far they lie off it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from presage.core.forecast.arrays import mean_of, median_of, sort_aligned
from presage.core.forecast.block import Block
from presage.core.forecast.geometry import Season
from presage.core.forecast.types import FloatArray, IntArray

MIN_LAGS = 2
TILE = 16_384  # entries handled at once, so that the past seasons of a tile stay in the processor's cache


def profile(season: Season, block: Block, cuts: IntArray, ahead: IntArray) -> FloatArray:
    """Median of the past seasons at the target's slot; needs two of them."""
    return block.at_targets("median", typical(season, block), season, cuts, ahead)


def typical(season: Season, block: Block) -> FloatArray:
    """(columns, rows) median of the past seasons at each column, NaN with fewer than two."""
    return np.asarray(_course(season, block)[0])


def scatter(season: Season, block: Block) -> FloatArray:
    """(columns, rows) mean distance of the past seasons from their median, NaN with fewer than two."""
    return np.asarray(_course(season, block)[1])


def _course(season: Season, block: Block) -> FloatArray:
    return block.cached(("course", season.slots), lambda: _make_course(season, block))


def _make_course(season: Season, block: Block) -> FloatArray:
    columns = block.columns(season)
    first, end = int(columns[0]), int(columns[-1]) + 1
    back = [round(k * season.slots) for k in range(1, block.geometry.periods_of(season) + 1)]
    out = np.full((2, len(columns), block.rows), np.nan, dtype=block.filled.dtype)
    length = max(1, TILE // block.rows)
    # a season further back exists from column `back[k]` on: between these columns all have as many
    edges = sorted({first, end, *(b for b in back if first < b < end)})
    for start, stop in pairwise(edges):
        reach = [b for b in back if b <= start]
        if len(reach) < MIN_LAGS:
            continue
        for low in range(start, stop, length):
            high = min(low + length, stop)
            past = [block.filled[low - b : high - b] for b in reach]
            out[:, low - first : high - first] = _middle_and_distance(past)
    return out


def _middle_and_distance(past: Sequence[FloatArray]) -> tuple[FloatArray, FloatArray]:
    ordered = sort_aligned(past)
    count = len(past)
    low, high = ordered[: count // 2], ordered[(count + 1) // 2 :]
    middle = ordered[count // 2] if count % 2 else 0.5 * (low[-1] + high[0])
    distance = high[0] - low[0]
    for below, above in zip(low[1:], high[1:], strict=True):
        distance += above
        distance -= below
    distance /= count
    missing = np.isnan(distance)
    if missing.any():
        values = np.stack([p[missing] for p in past])
        exact = median_of(values, MIN_LAGS)
        middle = np.array(middle)
        middle[missing] = exact
        distance[missing] = mean_of(np.abs(values - exact))
    return middle, distance
