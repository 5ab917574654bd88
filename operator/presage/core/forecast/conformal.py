"""Quantiles by split conformal prediction on backtest errors.

Errors of the mixed forecast, divided by the spread of their time of day, are pooled per horizon
bucket and read at finite-sample ranks; from then on realised coverage stretches them.
Offsets are kept on a fixed grid of levels, from which any level is interpolated; the one at the median
is 0, so that the point forecast is the 0.5-quantile.

Source: Lei et al., Distribution-free predictive inference for regression, JASA 113 (2018).
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from presage.core.forecast.geometry import BUCKETS, bucket_slices
from presage.core.forecast.types import FloatArray, IntArray

LEVELS = np.array([0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975, 0.99])
NORMAL = np.array([NormalDist().inv_cdf(level) for level in LEVELS.tolist()])
MIDDLE = int(np.searchsorted(LEVELS, 0.5))
MIN_ERRORS = 6
WATCHED = int(np.searchsorted(LEVELS, 0.9))  # the level whose realised coverage moves all of them
WATCHED = int(np.searchsorted(LEVELS, 0.9))  # the level whose realised coverage moves all of them
RATE = 0.05  # of a stretch, for each truth, times how far it lies from what was promised
STRETCHES = (0.65, 1.8)  # the 0.9-quantile is read between 0.8 and 0.99: one burst must not hold replicas for days
FADE = 0.99  # of the logarithm of a stretch that a slot leaves


def pool_errors(errors: FloatArray, bucket: IntArray) -> FloatArray:
    """(rows, buckets, n) errors of each bucket in ascending order, NaN last.

    Args:
        errors: (c, p, rows) truth minus forecast over spread; NaN = unknown.
        bucket: (p,) bucket of each step, ascending.
    """
    cuts, _, rows = errors.shape
    parts = bucket_slices(bucket)
    longest = max(part.stop - part.start for _, part in parts)
    out = np.full((rows, BUCKETS, longest * cuts), np.nan)
    for number, part in parts:
        steps = part.stop - part.start
        out[:, number, : steps * cuts] = errors[:, part].reshape(cuts * steps, rows).T
    out.sort(axis=2)
    return out


def error_grid(pooled: FloatArray) -> FloatArray:
    """Offsets from the point at each level of the grid.

    Args:
        pooled: (rows, buckets, n) errors, from `pool_errors`.

    Returns:
        (rows, buckets, levels), non-decreasing along levels, 0 at the median; NaN with too few errors.
    """
    if not pooled.shape[2]:
        return np.full((*pooled.shape[:2], len(LEVELS)), np.nan)
    count = np.isfinite(pooled).sum(axis=2)[..., None]
    rank = np.clip((count + 1) * LEVELS - 1, 0, np.maximum(count - 1, 0))
    low = rank.astype(np.int64)
    high = np.minimum(low + 1, np.maximum(count - 1, 0))
    below = np.take_along_axis(pooled, low, axis=2)
    above = np.take_along_axis(pooled, high, axis=2)
    offsets = below + (rank - low) * (above - below)
    offsets[..., :MIDDLE] = np.minimum(offsets[..., :MIDDLE], 0)
    offsets[..., MIDDLE:] = np.maximum(offsets[..., MIDDLE:], 0)
    offsets[..., MIDDLE] = 0.0
    offsets[count[..., 0] < MIN_ERRORS] = np.nan
    return np.asarray(offsets)


def widen(grid: FloatArray, independent: FloatArray) -> FloatArray:
    """Offsets widened as Student's t is wider than the normal distribution.

    Errors of cut-offs that forecast the same slots are nearly one error: what counts is how many stretches of
    the horizon the backtest holds side by side.

    Args:
        grid: (rows, buckets, levels) offsets.
        independent: (buckets,) number of such stretches, >= 1: the degrees of freedom.

    Returns:
        (rows, buckets, levels).

    Source: first term of the Cornish-Fisher expansion of t, Abramowitz & Stegun, 26.7.5.
    """
    return np.asarray(grid * (1 + (NORMAL**2 + 1) / (4 * independent[:, None])))


def complete(grid: FloatArray) -> FloatArray:
    """Give a bucket without a grid the one of the next shorter bucket that has one, else of the next longer."""
    out = grid.copy()
    longer = [(i, i - 1) for i in range(1, BUCKETS)]
    shorter = [(i, i + 1) for i in range(BUCKETS - 2, -1, -1)]
    for number, source in longer + shorter:
        out[:, number] = np.where(np.isnan(out[:, number]), out[:, source], out[:, number])
    return out


def at_level(grid: FloatArray, level: float) -> FloatArray:
    """Interpolate along the last axis (levels); a level beyond the grid takes its end."""
    position = float(np.interp(level, LEVELS, np.arange(len(LEVELS))))
    low = int(position)
    high = min(low + 1, len(LEVELS) - 1)
    return np.asarray(grid[..., low] + (position - low) * (grid[..., high] - grid[..., low]))


def adapt(stretch: FloatArray, below: FloatArray, seen: FloatArray) -> FloatArray:
    """Widen quantiles that covered too little, narrow those that covered too much.

    Args:
        stretch: (rows,) factor on normal scores so far.
        below: (rows, levels) new truths at or below each quantile as it was read.
        seen: (rows,) how many new truths there were.

    Returns:
        (rows,) new factor, within `STRETCHES`.

    Source: Gibbs & Candes, Adaptive conformal inference under distribution shift, NeurIPS 2021; here on the
    logarithm of the factor, so that it can pass what the backtest has seen.
    """
    missed = seen * LEVELS[WATCHED] - below[:, WATCHED]
    return np.asarray(np.clip(stretch ** (FADE**seen) * np.exp(RATE * missed), *STRETCHES))


def adapted(grid: FloatArray, stretch: FloatArray) -> FloatArray:
    """The grid read at levels whose normal scores are `stretch` times as large; beyond its ends it grows with them.

    Args:
        grid: (rows, buckets, levels) offsets.
        stretch: (rows,) factor on normal scores.
    """
    if np.allclose(stretch, 1.0):
        return grid
    scores = stretch[:, None] * NORMAL
    position = np.interp(scores, NORMAL, np.arange(len(LEVELS)))[:, None]
    low = np.minimum(position.astype(np.int64), len(LEVELS) - 2)
    below = np.take_along_axis(grid, low, axis=2)
    above = np.take_along_axis(grid, low + 1, axis=2)
    beyond = np.maximum(np.abs(scores) / NORMAL[-1], 1.0)[:, None]
    return np.asarray((below + (position - low) * (above - below)) * beyond)


def share_covered(errors: FloatArray, bucket: IntArray, independent: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Coverage of each level on cut-offs that did not calibrate it: every second one, both ways round.

    Args:
        errors: (c, p, rows) truth minus forecast over spread; NaN = unknown.
        bucket: (p,) bucket of each step, ascending.
        independent: (buckets,) stretches side by side, see `widen`.

    Returns:
        (rows, levels) number of truths at or below each level, and (rows,) number looked at.
    """
    even, odd = pool_errors(errors[0::2], bucket), pool_errors(errors[1::2], bucket)
    below_odd, seen_odd = count_below(odd, widen(error_grid(even), independent))
    below_even, seen_even = count_below(even, widen(error_grid(odd), independent))
    return below_odd + below_even, seen_odd + seen_even


def count_below(pooled: FloatArray, grid: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(rows, levels) errors at or below each level of `grid`, and (rows,) how many could be judged.

    Args:
        pooled: (rows, buckets, n) errors, from `pool_errors`.
        grid: (rows, buckets, levels) offsets, NaN = unknown.
    """
    judged = np.isfinite(grid[..., MIDDLE])
    seen = np.where(judged, np.isfinite(pooled).sum(axis=2), 0).sum(axis=1)
    slack = 1e-9
    below = np.where(judged[..., None], _ranks(pooled, grid + slack), 0).sum(axis=1)
    return below.astype(np.float64), seen.astype(np.float64)


def _ranks(ordered: FloatArray, limits: FloatArray) -> IntArray:
    """How many of (..., n) ordered entries, NaN last, lie at or below each of (..., m) limits; by halving."""
    count = ordered.shape[-1]
    flat = ordered.reshape(-1)
    start = (np.arange(limits[..., 0].size) * count).reshape(limits.shape[:-1])[..., None] - 1
    found = np.zeros(limits.shape, dtype=np.int64)
    stride = 1 << max(count.bit_length() - 1, 0)
    while stride and count:
        tried = found + stride
        inside = tried <= count
        inside &= flat[start + np.minimum(tried, count)] <= limits
        found += inside * stride
        stride >>= 1
    return found
