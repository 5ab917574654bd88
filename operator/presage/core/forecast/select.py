"""Choice of models by their backtest, and the mix of their forecasts.

Invariants: weights of a bucket sum to 1 where any model can forecast; the seasonal naive is never
dropped; too few cut-offs choose nothing: the median of all models stands in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from presage.core.forecast.arrays import median_of, zero_missing
from presage.core.forecast.backtest import Backtest
from presage.core.forecast.geometry import BUCKETS, bucket_slices
from presage.core.forecast.types import BoolArray, FloatArray, IntArray

MIN_CUTS = 6
DROP_ABOVE = 1.5  # times the best loss
POWER = 8
MAX_HARDER = 100.0  # times that all cut-offs are harder than those of one model; beyond, errors are mere dust


@dataclass(frozen=True, slots=True)
class Choice:
    """Which mix of models each row uses in each bucket.

    Attributes:
        loss: (models, buckets, rows) mean absolute error; NaN = not tried.
        weights: (models, buckets, rows) shares; 0 = unused.
        median: (buckets, rows) whether the median of the models is used instead.
    """

    loss: FloatArray
    weights: FloatArray
    median: BoolArray


def choose(test: Backtest, keep: BoolArray) -> Choice:
    """Weights (min error / error)^8 per bucket; models above 1.5 times the best are dropped.

    A model that could be tried on some cut-offs only is compared on those, so that easy days do not
    flatter it.

    Args:
        test: Errors of all models.
        keep: (models,) which models are never dropped.
    """
    error = _error_per_cut(test)
    tried = np.isfinite(error)
    zeroed = np.where(tried, error, 0.0)
    mass = test.recency[:, None, None]
    typical = zeroed.sum(axis=0) / np.maximum(tried.sum(axis=0), 1)
    all_mass = (tried.any(axis=0) * mass).sum(axis=0)
    overall = (typical * mass).sum(axis=0)
    own = (zeroed * mass).sum(axis=1)
    same_cuts = (np.where(tried, typical, 0.0) * mass).sum(axis=1)
    own_mass = (tried * mass).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        plain = own / own_mass
        harder = (overall / all_mass) / (same_cuts / own_mass)
    adjusted = plain * np.clip(harder, 1 / MAX_HARDER, MAX_HARDER)
    loss = np.where(same_cuts > 0, adjusted, plain)
    return _weigh(loss, tried.sum(axis=1), keep)


def _error_per_cut(test: Backtest) -> FloatArray:
    """(models, c, buckets, rows) mean absolute error; NaN where nothing could be scored."""
    error = test.points - test.truth
    zeroed, known = zero_missing(np.abs(error, out=error))
    models, cuts, _, rows = error.shape
    out = np.full((models, cuts, BUCKETS, rows), np.nan)
    for bucket, part in bucket_slices(test.bucket):
        total = zeroed[:, :, part].sum(axis=2)
        if known is None:
            out[:, :, bucket] = total / (part.stop - part.start)
        else:
            count = known[:, :, part].sum(axis=2)
            out[:, :, bucket] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return out


def _weigh(loss: FloatArray, cuts: IntArray, keep: BoolArray) -> Choice:
    trusted = np.isfinite(loss) & (cuts >= MIN_CUTS)
    floor = np.where(trusted, loss, np.inf).min(axis=0)
    median = ~np.isfinite(floor)
    floor = np.where(median, 0.0, floor)
    good = trusted & ((loss <= DROP_ABOVE * floor) | keep[:, None, None])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(loss > 0, floor / loss, 1.0)
    share = np.where(good, ratio**POWER, 0.0)
    total = share.sum(axis=0)
    weights = np.where(median, 1.0 / len(loss), share / np.where(total > 0, total, 1.0))
    return Choice(loss, weights, median)


def mix(points: FloatArray, weights: FloatArray, median: BoolArray, bucket: IntArray) -> FloatArray:
    """Mix the models' forecasts with the weights of each step's bucket.

    Args:
        points: (models, c, p, rows); NaN = the model cannot tell, its share goes to the others.
        weights: (models, buckets, rows).
        median: (buckets, rows) use the median instead.
        bucket: (p,) bucket of each step.

    Returns:
        (c, p, rows); NaN where no model can tell.
    """
    total = np.zeros(points.shape[1:], dtype=points.dtype)
    mass, per_bucket = np.zeros(weights.shape[1:], dtype=points.dtype), True
    for model, share in zip(points, weights, strict=True):
        zeroed, known = zero_missing(model)
        here = share[bucket]
        total += zeroed * here
        if known is not None and per_bucket:
            mass, per_bucket = mass[bucket], False
        mass = mass + (known * here if known is not None else share if per_bucket else here)
    if per_bucket:
        mass = mass[bucket]
    some = mass > 0
    mean = total / mass if some.all() else np.where(some, total / np.where(some, mass, 1.0), np.nan)
    use = np.broadcast_to(median[bucket] | ~some, mean.shape)
    rows = np.flatnonzero(use.any(axis=(0, 1)))
    if len(rows):
        unused = (weights == 0) & (median | np.all(weights == 0, axis=1)[:, None])
        excluded = unused[:, bucket][..., rows][:, None]
        middle = median_of(np.where(excluded, np.nan, points[..., rows]))
        mean[..., rows] = np.where(use[..., rows], middle, mean[..., rows])
    return mean


def shares(points: FloatArray, weights: FloatArray, bucket: IntArray) -> FloatArray:
    """(models, rows) share of each model in the mix for one cut-off, averaged over the steps.

    Args:
        points: (models, p, rows); a model that cannot tell has no share.
        weights: (models, buckets, rows).
        bucket: (p,) bucket of each step.
    """
    if np.isfinite(points).all():
        slots = np.bincount(bucket, minlength=BUCKETS)[:, None]
        total = weights.sum(axis=0)
        return np.asarray((weights / np.where(total > 0, total, 1.0) * slots).sum(axis=1) / len(bucket))
    here = np.where(np.isfinite(points), weights[:, bucket], 0.0)
    total = here.sum(axis=0)
    return np.asarray((here / np.where(total > 0, total, 1.0)).mean(axis=1))
