"""Raw samples, as a file holds them, on the regular grid that the forecaster reads.

A slot is [k * step, (k + 1) * step) on the epoch's grid. Samples may come irregular and in any order; of several of
one time the last one given counts. A slot about which too little is known is NaN, never zero. A source that answers
range queries is read by `history` instead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

MAX_SLOTS = 10_000_000  # 80 MB; more is a stray time or a wrong unit, not a history
BRIDGED_INTERVALS = 4  # usual intervals between two samples of a counter over which its rate is still known
COVERED_SHARE = 0.5  # of a slot's time that a counter's samples must span


@dataclass(frozen=True, slots=True)
class Grid:
    """Samples on a regular grid.

    Attributes:
        values: (n,) value per slot, NaN = missing.
        start: Epoch second at which slot 0 starts, a multiple of `step`; 0 if there are no slots.
        step: Slot length, seconds.
        unsorted: How many samples came after one of a later time.
        duplicates: How many samples gave way to a later one of the same time.
        dropped: How many samples were unusable: time or value not finite, or below zero for a counter.
    """

    values: FloatArray
    start: float
    step: float
    unsorted: int
    duplicates: int
    dropped: int


@dataclass(frozen=True, slots=True)
class _Sorted:
    """Usable samples by ascending time, each time once, and what was found amiss on the way."""

    times: FloatArray
    values: FloatArray
    unsorted: int
    duplicates: int
    dropped: int

    def grid(self, values: FloatArray, first: int, step: float) -> Grid:
        start = first * step if len(values) else 0.0
        return Grid(values, start, step, self.unsorted, self.duplicates, self.dropped)


def mean_per_slot(times: ArrayLike, values: ArrayLike, step: float) -> Grid:
    """Samples of a gauge as the mean of those in each slot.

    Args:
        times: (n,) epoch seconds.
        values: (n,) the gauge at those times.
        step: Slot length, seconds, > 0.

    Raises:
        ValueError: If the shapes differ or the times span more than `MAX_SLOTS` slots.
    """
    samples = _sort(np.asarray(times, np.float64), np.asarray(values, np.float64))
    first, count = _span(samples.times, step)
    slot = np.floor(samples.times / step).astype(np.int64) - first
    seen = np.bincount(slot, minlength=count)
    mean = np.bincount(slot, samples.values / seen[slot], minlength=count)  # divided first, so that no sum overflows
    return samples.grid(np.where(seen > 0, mean, np.nan), first, step)


def rate_per_slot(times: ArrayLike, values: ArrayLike, step: float) -> Grid:
    """Raw samples of a counter as its rate per second in each slot.

    A value below the one before is a reset: the counter started anew from zero, as in Prometheus' `rate()`. What it
    gained between two samples is spread evenly over the time between them, so that the moments of the samples within a
    slot do not show in its rate. Of a longer time without samples (above `step` and `BRIDGED_INTERVALS` usual
    intervals) nothing is known.

    Args:
        times: (n,) epoch seconds.
        values: (n,) the counter at those times, >= 0.
        step: Slot length, seconds, > 0.

    Raises:
        ValueError: If the shapes differ or the times span more than `MAX_SLOTS` slots.
    """
    samples = _sort(np.asarray(times, np.float64), np.asarray(values, np.float64), lowest=0.0)
    first, count = _span(samples.times, step)
    if len(samples.times) < 2:
        return samples.grid(np.full(count, np.nan), first, step)
    at = samples.times - first * step  # small numbers keep their digits
    passed = np.diff(at)
    gained = np.diff(samples.values)
    gained = np.where(gained < 0, samples.values[1:], gained)
    known = passed <= max(step, BRIDGED_INTERVALS * float(np.median(passed)))
    edges = step * np.arange(count + 1)
    total = np.diff(np.interp(edges, at, _running(np.where(known, gained, 0.0))))
    covered = np.diff(np.interp(edges, at, _running(np.where(known, passed, 0.0))))
    enough = covered >= COVERED_SHARE * step
    rate = np.maximum(total, 0.0) / np.where(enough, covered, 1.0)
    return samples.grid(np.where(enough, rate, np.nan), first, step)


def _sort(times: FloatArray, values: FloatArray, lowest: float = -np.inf) -> _Sorted:
    if times.ndim != 1 or times.shape != values.shape:
        raise ValueError(f"times and values must be one-dimensional and alike, got {times.shape} and {values.shape}")
    usable = np.isfinite(times) & np.isfinite(values) & (values >= lowest)
    times, values = times[usable], values[usable]
    unsorted = int(np.count_nonzero(times < np.maximum.accumulate(times)))
    order = np.argsort(times, kind="stable")
    times, values = times[order], values[order]
    last = np.append(times[1:] > times[:-1], True)[: len(times)]  # stable: the last one given of each time
    return _Sorted(times[last], values[last], unsorted, int((~last).sum()), int((~usable).sum()))


def _span(times: FloatArray, step: float) -> tuple[int, int]:
    """Index of the first slot with a sample, and how many slots there are up to the last one."""
    if not step > 0:
        raise ValueError(f"step must be above 0 seconds, got {step}")
    if not len(times):
        return 0, 0
    first, last = np.floor(times[[0, -1]] / step)
    if last - first >= MAX_SLOTS or max(abs(first), abs(last)) >= 2**53:
        raise ValueError(
            f"the times {times[0]:.10g} to {times[-1]:.10g} span {last - first + 1:.3g} slots of {step:g} s, above "
            f"{MAX_SLOTS:,}: check that they are epoch seconds, or take a longer step"
        )
    return int(first), int(last - first) + 1


def _running(parts: FloatArray) -> FloatArray:
    return np.append(0.0, np.cumsum(parts))
