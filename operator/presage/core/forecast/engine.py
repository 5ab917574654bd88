"""Fit a batch of histories and forecast from what was fitted.

`fit` chooses weights and error quantiles; `apply` forecasts with them. A fit is plain arrays, one row
per series, so that rows of different batches can be stacked again later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from presage.core.forecast import backtest, conformal, select, spread
from presage.core.forecast.block import Block
from presage.core.forecast.geometry import SPAN_DAYS, Geometry
from presage.core.forecast.level import HALF_LIVES
from presage.core.forecast.naive import newest
from presage.core.forecast.pool import SLOW, pool_of
from presage.core.forecast.types import BoolArray, Effort, FloatArray, IntArray

CUTS: dict[Effort, int] = {"batch": 24, "full": 48}
MAX_SEEN = 500  # truths remembered for coverage; older ones fade


@dataclass(frozen=True, slots=True)
class Fit:
    """Coefficients of a batch, one row per series.

    Attributes:
        loss: (rows, models, buckets) mean absolute backtest error; NaN = not tried.
        weights: (rows, models, buckets) shares.
        median: (rows, buckets) the median of the models is used instead.
        grid: (rows, buckets, levels) error quantiles over spread.
        spread: (rows,) mean spread over a day.
        below: (rows, levels) truths at or below each level so far.
        seen: (rows,) truths looked at.
    """

    loss: FloatArray
    weights: FloatArray
    median: BoolArray
    grid: FloatArray
    spread: FloatArray
    below: FloatArray
    seen: FloatArray


@dataclass(frozen=True, slots=True)
class Ahead:
    """What a fit says ahead of cut-offs.

    Attributes:
        points: (rows, c, p) forecasts; NaN only where a row has no known value.
        spread: (rows, c, p) relative spread.
        shares: (rows, models) share of each model from the first cut-off, averaged over the steps.
        bucket: (p,) bucket of each step.
    """

    points: FloatArray
    spread: FloatArray
    shares: FloatArray
    bucket: IntArray


def back_slots(geometry: Geometry) -> int:
    """Slots before a cut-off that the models look at directly, other than through season lags."""
    return round(HALF_LIVES * SLOW[0] * geometry.day) + 2 * geometry.slots(spread.SMOOTH_DAYS)


def fit_block(rows: Sequence[FloatArray], lags: Sequence[FloatArray], geometry: Geometry, ahead: int) -> Block:
    """The block that `fit` needs: wide enough for the oldest cut-off."""
    back = (SPAN_DAYS + 1) * geometry.day + back_slots(geometry)
    return Block(rows, geometry, back=back, ahead=ahead, lags=lags)


def fit(block: Block, history: int, horizon: int, effort: Effort, allowed: BoolArray) -> Fit:
    """Backtest the pool on a batch and derive weights and error quantiles.

    Args:
        block: Histories, from `fit_block`.
        history: Newest columns that hold truths in every row.
        horizon: Steps ahead to fit for.
        effort: How many cut-offs.
        allowed: (rows, models) models that a row may use.
    """
    geometry = block.geometry
    models = pool_of(geometry)
    cuts = backtest.plan_cuts(block.width, history, geometry, CUTS[effort])
    steps = backtest.plan_steps(geometry, horizon)
    test = backtest.run(block, models, cuts, steps)
    test.points[~allowed.T] = np.nan
    choice = select.choose(test, np.array([m.name == "day" for m in models]))
    weights = np.where(allowed.T[:, :, None], choice.weights, 0.0)
    mixed = select.mix(test.points, weights, choice.median, test.bucket)
    mean = spread.typical_spread(block)
    errors = (test.truth - mixed) / spread.relative_spread(block, mean, cuts, steps)
    below, seen = conformal.share_covered(errors, test.bucket)
    return Fit(
        loss=choice.loss.swapaxes(0, 1),
        weights=weights.swapaxes(0, 1),
        median=choice.median,
        grid=conformal.complete(conformal.error_grid(errors, test.bucket)),
        spread=mean,
        below=below,
        seen=seen,
    )


def apply(block: Block, fitted: Fit, cuts: IntArray, steps: IntArray) -> Ahead:
    """Forecast from each cut-off with fitted coefficients.

    Args:
        block: Histories, rows as in `fitted`.
        fitted: Coefficients.
        cuts: (c,) first unknown column of each cut-off.
        steps: (p,) steps ahead.
    """
    bucket = block.geometry.bucket_of(steps)
    points = np.stack([m.predict(block, cuts, steps) for m in pool_of(block.geometry)])
    weights = fitted.weights.swapaxes(0, 1)
    mixed = select.mix(points, weights, fitted.median, bucket)
    return Ahead(
        points=np.where(np.isfinite(mixed), mixed, newest(block, cuts)[:, :, None]),
        spread=spread.relative_spread(block, fitted.spread, cuts, steps),
        shares=select.shares(points[:, :, 0], weights, bucket),
        bucket=bucket,
    )


def track(block: Block, fitted: Fit, new: int) -> Fit:
    """Count how the fit's quantiles, seen from before the `new` newest columns, covered them."""
    steps = np.arange(1, min(new, block.geometry.day) + 1)
    cuts = np.array([block.width - new])
    said = apply(block, fitted, cuts, steps)
    truth = block.observed[:, block.width - new :][:, None, : len(steps)]
    below, seen = conformal.count_below((truth - said.points) / said.spread, fitted.grid, said.bucket)
    total = fitted.seen + seen
    fade = np.minimum(1.0, MAX_SEEN / np.maximum(total, 1.0))
    return replace(fitted, below=(fitted.below + below) * fade[:, None], seen=total * fade)
