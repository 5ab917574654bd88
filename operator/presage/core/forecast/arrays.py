"""Small array helpers that know about missing values, and sorting of a few aligned arrays at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from presage.core.forecast.types import BoolArray, FloatArray

# Comparators that sort so many values; Knuth, The Art of Computer Programming 3, section 5.3.4.
NETWORKS: dict[int, tuple[tuple[int, int], ...]] = {
    1: (),
    2: ((0, 1),),
    3: ((0, 2), (0, 1), (1, 2)),
    4: ((0, 2), (1, 3), (0, 1), (2, 3), (1, 2)),
    5: ((0, 3), (1, 4), (0, 2), (1, 3), (0, 1), (2, 4), (1, 2), (3, 4), (2, 3)),
    6: ((0, 5), (1, 3), (2, 4), (1, 2), (3, 4), (0, 3), (2, 5), (0, 1), (2, 3), (4, 5), (1, 2), (3, 4)),
    7: (
        *((0, 6), (2, 3), (4, 5), (0, 2), (1, 4), (3, 6), (0, 1), (2, 5)),
        *((3, 4), (1, 2), (4, 6), (2, 3), (4, 5), (1, 2), (3, 4), (5, 6)),
    ),
}


def sort_aligned(parts: Sequence[FloatArray]) -> list[FloatArray]:
    """Sort entry by entry across 1 to 7 arrays of one shape; an entry with any NaN becomes NaN in all that matter.

    Comparators on whole arrays are many times faster than a sort along an axis of so few entries.
    """
    out = list(parts)
    for i, j in NETWORKS[len(out)]:
        out[i], out[j] = np.minimum(out[i], out[j]), np.maximum(out[i], out[j])
    return out


def median_of(values: FloatArray, at_least: int = 1) -> FloatArray:
    """Median of the finite entries along the first axis; NaN with fewer than `at_least` of them."""
    ordered = np.sort(values, axis=0)  # NaN sorts last
    count = np.isfinite(ordered).sum(axis=0)
    low = np.take_along_axis(ordered, np.maximum(count - 1, 0)[None] // 2, axis=0)[0]
    high = np.take_along_axis(ordered, np.minimum(count // 2, len(values) - 1)[None], axis=0)[0]
    return np.where(count >= at_least, 0.5 * (low + high), np.nan)


def mean_of(values: FloatArray, axis: int = 0) -> FloatArray:
    """Mean of the known entries along an axis; NaN where there is none."""
    zeroed, known = zero_missing(values)
    if known is None and values.shape[axis]:
        return np.asarray(zeroed.mean(axis=axis))
    count = np.asarray(np.isfinite(values).sum(axis=axis))
    return np.where(count > 0, zeroed.sum(axis=axis) / np.maximum(count, 1), np.nan)


def zero_missing(values: FloatArray) -> tuple[FloatArray, BoolArray | None]:
    """The values with 0 for NaN, and where they are known; None stands for everywhere."""
    known = values == values  # false for NaN only
    if known.all():
        return values, None
    return np.where(known, values, 0.0), known


def box_mean(values: FloatArray, half: int) -> FloatArray:
    """Mean of the finite entries within `half` entries either side, along the first axis; else NaN."""
    half = min(half, len(values))  # there is nothing beyond, however long the season
    zeroed, known = zero_missing(values)
    count = np.ones((len(values), *[1] * (values.ndim - 1))) if known is None else known.astype(np.float64)
    total, mass = _box_sum(zeroed, half), _box_sum(count, half)
    if known is None:
        return np.asarray(total / mass)
    return np.where(mass > 0, total / np.maximum(mass, 1), np.nan)


def _box_sum(values: FloatArray, half: int) -> FloatArray:
    """Sums of 2 * half + 1 entries from sums of 1, 2, 4 ... entries; those beyond the ends count 0."""
    length, width = len(values), 2 * half + 1
    run = np.zeros((length + 2 * half, *values.shape[1:]))
    run[half : half + length] = values
    total, done, size = np.zeros(values.shape), 0, 1
    while True:
        if width & size:
            total += run[done : done + length]
            done += size
        if 2 * size > width:
            return total
        run = run[:-size] + run[size:]
        size *= 2
