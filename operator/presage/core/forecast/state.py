"""The opaque state that travels between forecasts: recent values and stored coefficients.

Invariant on size: pickled at most 64 KiB at a step of 300 s or more, else at most 32 bytes a slot of
(longest season + horizon); what does not fit is the oldest history. The numbers beside the ring take
about one kilobyte, so seasons of fewer than some forty slots may exceed the second bound.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import numpy as np

from presage.core.forecast import regression
from presage.core.forecast.conformal import LEVELS, MIDDLE
from presage.core.forecast.engine import Fit, names_of
from presage.core.forecast.geometry import BUCKETS, Geometry, geometry_of
from presage.core.forecast.pool import pool_of
from presage.core.forecast.series import Row
from presage.core.forecast.types import ByteArray, SmallArray

MAX_BYTES = 65_536
BYTES_PER_SLOT = 32
LONG_STEP = 300  # seconds from which the flat bound holds
FLAGS = 2 ** np.arange(BUCKETS)  # one bit a bucket
FIXED_BYTES = 356  # pickle frame, scalars and names


@dataclass(frozen=True, slots=True)
class State:
    """Everything `advance` needs; opaque to callers, picklable, bounded in size.

    Attributes:
        ring: (r,) newest values over 2**exponent, NaN = missing.
        coefficients: Packed fit (see `pack`).
        step: Slot length, seconds.
        given: Seasons given by the user, seconds; None = tested.
        found: Seasons in use, seconds.
        zone: IANA name or None.
        end: Epoch second at which the newest slot ends.
        slots: Slots of history seen so far.
        exponent: Power of two by which values are divided.
        signed: Whether the history holds negative values.
        shift_at: Epoch second of the newest level shift that the fit found; None = there was none.
    """

    ring: SmallArray
    coefficients: ByteArray
    step: float
    given: tuple[int, ...] | None
    found: tuple[int, ...]
    zone: str | None
    end: float
    slots: int
    exponent: int
    signed: bool
    shift_at: float | None


def same_kind(state: State, geometry: Geometry) -> bool:
    """Whether a state's coefficients fit a series of this geometry."""
    return geometry_of(state.step, state.given) == geometry


def next_state(row: Row, found: tuple[int, ...], coefficients: ByteArray) -> State:
    """The state after a forecast of `row`, with its packed coefficients."""
    geometry = row.geometry
    values, kept = row.values, ring_slots(geometry, found, len(row.ahead))
    same = values.dtype == np.float32 and values.base is None and len(values) <= kept  # a ring already
    return State(
        ring=cast("SmallArray", values) if same else values[-kept:].astype(np.float32),
        coefficients=coefficients,
        step=geometry.step,
        given=geometry.given,
        found=found,
        zone=row.zone,
        end=row.end,
        slots=row.slots,
        exponent=row.exponent,
        signed=row.signed,
        shift_at=row.shift_at,
    )


@lru_cache(maxsize=4096)
def ring_slots(geometry: Geometry, found: tuple[int, ...], horizon: int) -> int:
    """How many newest slots a state keeps: what the lags need, as far as the size allows.

    Args:
        geometry: Slots and seasons.
        found: Seasons in use, seconds; the longest of them, or the day, bounds the size.
        horizon: Slots ahead.
    """
    coefficients = packed_bytes(geometry)
    budget = MAX_BYTES
    if geometry.step < LONG_STEP:
        longest = max([geometry.day, *(round(s / geometry.step) for s in found)])
        budget = BYTES_PER_SLOT * (longest + horizon)
    fits = (budget - coefficients - FIXED_BYTES) // 4
    return max(2, min(geometry.lag_slots, fits))


@lru_cache(maxsize=256)
def packed_bytes(geometry: Geometry) -> int:
    """Bytes of one series' coefficients."""
    return 4 * sum(_exact_sizes(geometry)) + 2 * len(names_of(geometry)) * BUCKETS


def _exact_sizes(geometry: Geometry) -> list[int]:
    """Numbers per field of a fit that are kept in 32 bits, in the order of `pack`."""
    models = len(names_of(geometry)) * BUCKETS
    learned = math.prod(regression.shape_of(geometry, len(pool_of(geometry))))
    return [models, 1, BUCKETS * (len(LEVELS) - 1), 1, len(LEVELS), 1, 1, 2, learned, 1]


def pack(fitted: Fit) -> ByteArray:
    """(rows, packed_bytes) of a fit, one flat run a row.

    Losses are told but not computed with: they are kept in 16 bits, as shares of the row's largest.
    """
    rows = len(fitted.seen)
    largest = np.fmax.reduce(fitted.loss, axis=(1, 2), initial=0.0)
    parts = (
        fitted.weights,
        fitted.median @ FLAGS,
        np.delete(fitted.grid, MIDDLE, axis=2),  # it is 0
        fitted.spread,
        fitted.below,
        fitted.seen,
        fitted.stretch,
        fitted.said.T,
        fitted.coefficients,
        largest,
    )
    exact = np.concatenate([p.reshape(rows, -1) for p in parts], axis=1, dtype=np.float32)
    share = fitted.loss.reshape(rows, -1) / np.where(largest > 0, largest, 1.0)[:, None]
    return np.concatenate([exact.view(np.uint8), share.astype(np.float16).view(np.uint8)], axis=1)


def unpack(packed: ByteArray, geometry: Geometry) -> Fit:
    """The fit behind (rows, packed_bytes) stacked coefficients."""
    models, rows = len(names_of(geometry)), len(packed)
    sizes = _exact_sizes(geometry)
    end = 4 * sum(sizes)
    exact = np.ascontiguousarray(packed[:, :end]).view(np.float32).astype(np.float64)
    share = np.ascontiguousarray(packed[:, end:]).view(np.float16).astype(np.float64)
    weights, median, grid, spread, below, seen, stretch, said, learned, largest = np.split(
        exact, np.cumsum(sizes)[:-1], axis=1
    )
    grid = grid.reshape(rows, BUCKETS, len(LEVELS) - 1)
    return Fit(
        loss=(share * largest).reshape(rows, models, BUCKETS),
        weights=weights.reshape(rows, models, BUCKETS),
        median=(median.astype(np.int64) & FLAGS) > 0,
        grid=np.insert(grid, MIDDLE, 0.0 * grid[..., 0], axis=2),
        spread=spread[:, 0],
        below=below,
        seen=seen[:, 0],
        stretch=stretch[:, 0],
        said=said.T,
        coefficients=learned.reshape(rows, *regression.shape_of(geometry, len(pool_of(geometry)))),
    )
