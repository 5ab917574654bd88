"""Rolling-origin errors of every model inside the history, and their mean per horizon bucket.

Invariants: a cut-off's forecasts use slots before it only; missing truths are never scored; recent
cut-offs weigh more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from presage.core.forecast.block import Block
from presage.core.forecast.geometry import SPAN_DAYS, Geometry
from presage.core.forecast.pool import Model, predict_all
from presage.core.forecast.types import BoolArray, FloatArray, IntArray

STEPS_PER_BUCKET = 4  # steps ahead that are scored in each bucket
RECENCY_HALF_LIFE = 3.0  # days after which a cut-off counts half


@dataclass(frozen=True, slots=True)
class Backtest:
    """Forecasts and truths of one batch.

    Attributes:
        ahead: (p,) steps ahead that were scored.
        bucket: (p,) bucket of each of them.
        points: (models, c, p, rows) forecasts.
        truth: (c, p, rows) what came; NaN = missing or not yet known.
        recency: (c,) weight of each cut-off.
    """

    ahead: IntArray
    bucket: IntArray
    points: FloatArray
    truth: FloatArray
    recency: FloatArray


def plan_cuts(width: int, history: int, geometry: Geometry, count: int) -> IntArray:
    """Cut-offs over the newest `SPAN_DAYS`, leaving a day (or half the history) before the oldest.

    Over a whole week a number that divides no season meets all hours of the day and parts of the hour.

    Args:
        width: Columns of the block.
        history: Newest columns of it that hold truths.
        geometry: Slots of a day.
        count: How many cut-offs at most.

    Returns:
        (c,) first unknown column of each cut-off, newest first.
    """
    span = min(SPAN_DAYS * geometry.day, max(history - geometry.day, history // 2))
    gaps = (np.arange(count) * span) // count
    return np.unique(np.maximum(width - 1 - gaps, 1))[::-1].astype(np.int64)


def plan_steps(geometry: Geometry, horizon: int) -> IntArray:
    """Steps ahead to score: all of a short bucket, evenly spread ones of a long bucket."""
    return spread_steps(geometry.edges, horizon, STEPS_PER_BUCKET)


def spread_steps(edges: Sequence[int], horizon: int, most: int) -> IntArray:
    """Up to `most` steps, evenly spread, of each run of steps up to an edge; the last run ends at the horizon."""
    steps: list[int] = []
    first = 1
    for number, edge in enumerate(edges):
        last = horizon if number == len(edges) - 1 else min(edge, horizon)
        if last >= first:
            steps += [int(x) for x in np.rint(np.linspace(first, last, min(most, last - first + 1)))]
            first = last + 1
    return np.asarray(steps, dtype=np.int64)


def side_by_side(cuts: IntArray, geometry: Geometry) -> FloatArray:
    """(buckets,) how many forecasts of each bucket's reach fit side by side between the cut-offs, from 1 to all."""
    reach = np.maximum(np.array(geometry.edges, dtype=np.float64), geometry.day / 24)
    span = float(cuts[-1] - cuts[0]) if len(cuts) else 0.0
    return np.asarray(np.clip(abs(span) / reach, 1.0, max(len(cuts), 1)))


def run(block: Block, models: Sequence[Model], cuts: IntArray, ahead: IntArray, wanted: BoolArray) -> Backtest:
    """Forecast every cut-off with every model, for the (models, rows) wanted, and lay the truths beside."""
    geometry = block.geometry
    age = (block.width - cuts) / geometry.day
    points = predict_all(models, block, cuts, ahead, wanted)
    return Backtest(
        ahead, geometry.bucket_of(ahead), points, truths(block, cuts, ahead), 0.5 ** (age / RECENCY_HALF_LIFE)
    )


def truths(block: Block, cuts: IntArray, ahead: IntArray) -> FloatArray:
    """(c, p, rows) what came after each cut-off; NaN = missing or not yet known."""
    columns = cuts[:, None] + ahead - 1
    truth = block.observed[np.minimum(columns, block.width - 1)]
    truth[columns >= block.width] = np.nan
    return np.asarray(truth)
