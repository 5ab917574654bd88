"""Small array helpers that know about missing values."""

from __future__ import annotations

import numpy as np

from presage.core.forecast.types import FloatArray


def median_of(values: FloatArray, at_least: int = 1) -> FloatArray:
    """Median of the finite entries along the first axis; NaN with fewer than `at_least` of them."""
    ordered = np.sort(values, axis=0)  # NaN sorts last
    count = np.isfinite(ordered).sum(axis=0)
    low = np.take_along_axis(ordered, np.maximum(count - 1, 0)[None] // 2, axis=0)[0]
    high = np.take_along_axis(ordered, np.minimum(count // 2, len(values) - 1)[None], axis=0)[0]
    return np.where(count >= at_least, 0.5 * (low + high), np.nan)


def mean_of(values: FloatArray) -> FloatArray:
    """Mean of the finite entries along the first axis; NaN where there is none."""
    known = np.isfinite(values)
    count = known.sum(axis=0)
    return np.where(count > 0, np.where(known, values, 0.0).sum(axis=0) / np.maximum(count, 1), np.nan)


def box_mean(values: FloatArray, half: int) -> FloatArray:
    """Mean of the finite entries within `half` columns either side, along the last axis; else NaN."""
    known = np.isfinite(values)
    width = values.shape[-1]
    zero = np.zeros((*values.shape[:-1], 1))
    total = np.concatenate([zero, np.cumsum(np.where(known, values, 0.0), axis=-1)], axis=-1)
    count = np.concatenate([zero, np.cumsum(known, axis=-1)], axis=-1)
    low = np.maximum(np.arange(width) - half, 0)
    high = np.minimum(np.arange(width) + half + 1, width)
    inside = count[..., high] - count[..., low]
    return np.where(inside > 0, (total[..., high] - total[..., low]) / np.maximum(inside, 1), np.nan)
