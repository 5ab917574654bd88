"""Quantiles by split conformal prediction on backtest errors.

Errors of the mixed forecast, divided by the spread of their time of day, are pooled per horizon
bucket and read at finite-sample ranks. They are kept on a fixed grid of levels, from which any level
is interpolated; the offset at the median is 0, so that the point forecast is the 0.5-quantile.

Source: Lei et al., Distribution-free predictive inference for regression, JASA 113 (2018).
"""

from __future__ import annotations

import numpy as np

from presage.core.forecast.geometry import BUCKETS
from presage.core.forecast.types import FloatArray, IntArray

LEVELS = np.array([0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975, 0.99])
MIDDLE = int(np.searchsorted(LEVELS, 0.5))
MIN_ERRORS = 6


def error_grid(errors: FloatArray, bucket: IntArray) -> FloatArray:
    """Offsets from the point at each level of the grid.

    Args:
        errors: (rows, c, p) truth minus forecast over spread; NaN = unknown.
        bucket: (p,) bucket of each step.

    Returns:
        (rows, buckets, levels), non-decreasing along levels, 0 at the median; NaN with too few errors.
    """
    out = np.full((len(errors), BUCKETS, len(LEVELS)), np.nan)
    for number in np.unique(bucket) if errors.shape[1] else ():
        pooled = np.sort(errors[:, :, bucket == number].reshape(len(errors), -1), axis=1)
        out[:, number] = _at_levels(pooled)
    return out


def _at_levels(ordered: FloatArray) -> FloatArray:
    count = np.isfinite(ordered).sum(axis=1)[:, None]
    rank = np.clip((count + 1) * LEVELS - 1, 0, np.maximum(count - 1, 0))
    low = np.floor(rank).astype(np.int64)
    high = np.minimum(low + 1, np.maximum(count - 1, 0))
    below = np.take_along_axis(ordered, low, axis=1)
    above = np.take_along_axis(ordered, high, axis=1)
    offsets = below + (rank - low) * (above - below)
    signed = np.where(LEVELS < 0.5, np.minimum(offsets, 0), np.maximum(offsets, 0))
    signed[:, MIDDLE] = 0.0
    return np.where(count >= MIN_ERRORS, signed, np.nan)


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


def share_covered(errors: FloatArray, bucket: IntArray) -> tuple[FloatArray, FloatArray]:
    """Coverage of each level on cut-offs that did not calibrate it: every second one, both ways round.

    Args:
        errors: (rows, c, p) truth minus forecast over spread; NaN = unknown.
        bucket: (p,) bucket of each step.

    Returns:
        (rows, levels) number of truths at or below each level, and (rows,) number looked at.
    """
    below = np.zeros((len(errors), len(LEVELS)))
    seen = np.zeros(len(errors))
    for parity in (0, 1):
        grid = error_grid(errors[:, parity::2], bucket)
        hit, looked = count_below(errors[:, 1 - parity :: 2], grid, bucket)
        below += hit
        seen += looked
    return below, seen


def count_below(errors: FloatArray, grid: FloatArray, bucket: IntArray) -> tuple[FloatArray, FloatArray]:
    """(rows, levels) truths at or below each level of `grid`, and (rows,) how many could be judged."""
    known = np.isfinite(errors) & np.isfinite(grid[:, bucket, MIDDLE])[:, None, :]
    seen = known.sum(axis=(1, 2)).astype(np.float64)
    below = np.empty((len(errors), len(LEVELS)))
    slack = 1e-9
    for i in range(len(LEVELS)):
        limit = grid[:, bucket, i][:, None, :] + slack
        below[:, i] = (known & (errors <= limit)).sum(axis=(1, 2))
    return below, seen
