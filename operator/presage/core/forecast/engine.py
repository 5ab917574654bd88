"""Fit a batch of histories and forecast from what was fitted.

`fit` chooses weights and error quantiles; `apply` forecasts with them. A fit is plain arrays, one row
per series, so that rows of different batches can be stacked again later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from presage.core.forecast import backtest, conformal, regression, select, spread
from presage.core.forecast.block import Block
from presage.core.forecast.geometry import SPAN_DAYS, Geometry
from presage.core.forecast.level import HALF_LIVES
from presage.core.forecast.pool import FEW, SLOW, Model, pool_of, predict_all
from presage.core.forecast.types import BoolArray, Effort, FloatArray, IntArray

CUTS: dict[Effort, int] = {"batch": 29, "full": 83}  # they divide no season, so that cut-offs meet every part of it
MAX_SEEN = 500  # truths remembered for coverage; older ones fade


@dataclass(frozen=True, slots=True)
class Fit:
    """Coefficients of a batch, one row per series.

    Attributes:
        loss: (rows, models + 1, buckets) mean absolute backtest error, the regression last; NaN = not tried.
        weights: (rows, models + 1, buckets) shares.
        median: (rows, buckets) the median of the models is used instead.
        grid: (rows, buckets, levels) error quantiles over spread.
        spread: (rows,) mean spread over a day.
        below: (rows, levels) truths at or below each level so far.
        seen: (rows,) truths looked at.
        stretch: (rows,) factor on the quantiles' normal scores, since truths came in.
        said: (2, rows) point and relative spread that were last forecast for the next slot; NaN = none.
        coefficients: (rows, knots, features) of the regression; NaN = not learned.
    """

    loss: FloatArray
    weights: FloatArray
    median: BoolArray
    grid: FloatArray
    spread: FloatArray
    below: FloatArray
    seen: FloatArray
    stretch: FloatArray
    said: FloatArray
    coefficients: FloatArray


@dataclass(frozen=True, slots=True)
class Ahead:
    """What a fit says ahead of one cut-off.

    Attributes:
        points: (p, rows) forecasts; NaN only where a row has no known value.
        spread: (p, rows) relative spread.
        shares: (models, rows) share of each model, averaged over the steps.
        bucket: (p,) bucket of each step.
    """

    points: FloatArray
    spread: FloatArray
    shares: FloatArray
    bucket: IntArray


@lru_cache(maxsize=256)
def names_of(geometry: Geometry) -> tuple[str, ...]:
    """Names of the models along a fit's axis of models."""
    return (*(m.name for m in pool_of(geometry)), regression.NAME)


def back_slots(geometry: Geometry) -> int:
    """Slots before a cut-off that the models look at directly, other than through season lags."""
    return round(HALF_LIVES * SLOW[0] * geometry.day) + 2 * geometry.slots(spread.SMOOTH_DAYS)


def fit_block(
    rows: Sequence[FloatArray], lags: Sequence[FloatArray], geometry: Geometry, ahead: int, effort: Effort
) -> Block:
    """The block that `fit` needs: wide enough for the oldest cut-off."""
    days = SPAN_DAYS if effort == "batch" else max(SPAN_DAYS, regression.TRAIN_DAYS)
    back = (days + 1) * geometry.day + back_slots(geometry)
    return Block(rows, geometry, back=back, ahead=ahead, lags=lags)


def fit(block: Block, history: int, horizon: int, effort: Effort, allowed: BoolArray) -> Fit:
    """Backtest the pool on a batch and derive weights and error quantiles.

    Args:
        block: Histories, from `fit_block`.
        history: Newest columns that hold truths in every row.
        horizon: Steps ahead to fit for.
        effort: How many cut-offs, and whether a regression is learned.
        allowed: (rows, models) models that a row may use.
    """
    geometry = block.geometry
    models = pool_of(geometry)
    used = np.flatnonzero(allowed.any(axis=0))
    tried, wanted = [models[i] for i in used], allowed.T[used]
    cuts = backtest.plan_cuts(block.width, history, geometry, CUTS[effort])
    steps = backtest.plan_steps(geometry, horizon)
    test = backtest.run(block, tried, cuts, steps, wanted)
    keep = np.array([m.name == "day" for m in tried])
    choice = select.choose(test, keep)
    learned = None
    if effort == "full":
        learned = regression.learn(block, tried, wanted, test, choice, cuts)
        test = replace(test, points=np.concatenate([test.points, learned.points[None]]))
        choice = select.choose(test, np.append(keep, False))
        wanted = np.concatenate([wanted, np.any(np.isfinite(learned.coefficients), axis=(1, 2))[None]])
    weights = np.where(wanted[:, None], choice.weights, 0.0)
    mixed = select.mix(test.points, weights, choice.median, test.bucket)
    mean = spread.typical_spread(block)
    errors = (test.truth - mixed) / spread.relative_spread(block, mean, cuts, steps)
    independent = backtest.side_by_side(cuts, geometry)
    below, seen = conformal.share_covered(errors, test.bucket, independent)
    grid = conformal.error_grid(conformal.pool_errors(errors, test.bucket))
    along = used if learned is None else np.append(used, len(models))
    return Fit(
        loss=_per_row(choice.loss, along, len(models) + 1, np.nan),
        weights=_per_row(weights, along, len(models) + 1, 0.0),
        median=np.ascontiguousarray(choice.median.T),
        grid=conformal.complete(conformal.widen(grid, independent)),
        spread=mean,
        below=below,
        seen=seen,
        stretch=np.ones(block.rows),
        said=np.full((2, block.rows), np.nan),
        coefficients=_on_all(learned, used, geometry, block.rows),
    )


def _on_all(learned: regression.Learned | None, used: IntArray, geometry: Geometry, rows: int) -> FloatArray:
    """(rows, knots, features) coefficients on all models of the pool; 0 on those that were not used."""
    models = len(pool_of(geometry))
    shape = regression.shape_of(geometry, models)
    if learned is None:
        return np.full((rows, *shape), np.nan)
    out = np.zeros((rows, *shape))
    out[:, :, used] = learned.coefficients[:, :, : len(used)]
    out[:, :, models:] = learned.coefficients[:, :, len(used) :]
    out[np.isnan(learned.coefficients).any(axis=2)] = np.nan
    return out


def _per_row(values: FloatArray, used: IntArray, models: int, other: float) -> FloatArray:
    """(rows, models, buckets) of the (models, buckets, rows) that were tried; `other` for the rest."""
    out = np.full((values.shape[2], models, values.shape[1]), other)
    out[:, used] = values.transpose(2, 0, 1)
    return out


def apply(block: Block, fitted: Fit, cut: int, steps: IntArray) -> Ahead:
    """Forecast from a cut-off with fitted coefficients.

    Args:
        block: Histories, rows as in `fitted`.
        fitted: Coefficients.
        cut: First unknown column.
        steps: (p,) steps ahead.
    """
    models = pool_of(block.geometry)
    cuts, bucket = np.array([cut]), block.geometry.bucket_of(steps)
    weighty = np.any(fitted.weights > 0, axis=2).T
    wanted, learned = weighty[:-1], weighty[-1]
    kind = block.filled.dtype  # as precise as the values behind the forecasts
    coefficients = np.where(learned, fitted.coefficients.transpose(2, 1, 0), 0.0).astype(kind, order="C")
    if learned.any():
        wanted = wanted | np.any(np.nan_to_num(coefficients[: len(models)]) != 0, axis=1)
    used = np.flatnonzero(wanted.any(axis=1))
    along = np.append(used, len(models)) if learned.any() else used
    points = np.empty((len(along), 1, len(steps), block.rows), dtype=kind)
    pool = points[: len(used)]
    predict_all([models[i] for i in used], block, cuts, steps, _together(models, wanted)[used], unwanted=0.0, out=pool)
    if learned.any():
        base = pool[0]
        if np.isnan(pool).any():
            base = select.mix(pool, fitted.weights[:, used].transpose(1, 2, 0), fitted.median.T, bucket)
        features = np.append(used, len(models) + np.arange(regression.RECENT_FEATURES))
        deviations = regression.recent(block, cuts).astype(kind)
        knot = regression.knot_of(block.geometry, steps)
        points[-1] = regression.predict(coefficients[features], pool, base, deviations, knot)
    weights = fitted.weights[:, along].transpose(1, 2, 0).astype(kind, order="C")
    mixed = select.mix(points, weights, fitted.median.T, bucket)[0]
    shares = np.zeros((len(models) + 1, block.rows))
    shares[along] = select.shares(points[:, 0], weights, bucket)
    return Ahead(
        points=np.where(np.isfinite(mixed), mixed, block.newest(cuts)),
        spread=spread.relative_spread(block, fitted.spread, cuts, steps)[0],
        shares=shares,
        bucket=bucket,
    )


def _together(models: Sequence[Model], wanted: BoolArray) -> BoolArray:
    """(models, rows) wanted widened, so that models of one season are asked for the same rows: all, if many are."""
    out = wanted.copy()
    for season in {m.season for m in models}:
        alike = [i for i, m in enumerate(models) if m.season == season]
        rows = wanted[alike].any(axis=0)
        out[alike] = rows | (rows.mean() > FEW)
    return out


def remember(fitted: Fit, ahead: Ahead, next_slot_first: BoolArray) -> Fit:
    """Keep what is said of the next slot, for the tick that sees it.

    Args:
        fitted: Coefficients.
        ahead: What they say from the newest slot on.
        next_slot_first: (rows,) whether the next slot is the first step ahead; a clock change may skip it.
    """
    return replace(fitted, said=np.where(next_slot_first, [ahead.points[0], ahead.spread[0]], np.nan))


def track(block: Block, fitted: Fit, new: int) -> Fit:
    """Count how the fit's quantiles, from before the `new` newest columns, covered them, and adapt to that.

    One slot is compared with what was said of it; of several at once the forecast is made again.
    """
    steps = np.arange(1, min(new, block.geometry.day) + 1)
    cut = block.width - new
    points, scale = fitted.said[:, None]
    if new > 1:
        again = apply(block, fitted, cut, steps)
        points, scale = again.points, again.spread
    errors = (block.observed[cut : cut + len(steps)] - points) / scale
    pooled = conformal.pool_errors(errors[None], block.geometry.bucket_of(steps))
    below, seen = conformal.count_below(pooled, conformal.adapted(fitted.grid, fitted.stretch))
    stretch = conformal.adapt(fitted.stretch, below, seen)
    total = fitted.seen + seen
    fade = np.minimum(1.0, MAX_SEEN / np.maximum(total, 1.0))
    return replace(fitted, below=(fitted.below + below) * fade[:, None], seen=total * fade, stretch=stretch)
