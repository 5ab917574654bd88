"""From a `Series` to a clean row for a batch.

Invariants: only finite values count as observed; values are divided by a power of two so that tiny and
huge loads compute alike; what is older than any lag or cut-off can reach is cut off.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from presage.core.forecast.geometry import DAY_SECONDS, Geometry, geometry_of
from presage.core.forecast.shift import find_shift, level_out
from presage.core.forecast.types import FloatArray, IntArray, Series
from presage.core.forecast.walltime import plan_wall

MIN_EXPONENT = -60  # lower, and a normal value after a history of next to nothing would overflow
MAX_SECONDS = 2**53  # of start, step and seasons: up to here a float tells seconds apart


@dataclass(frozen=True, slots=True)
class Row:
    """One history, ready for a batch.

    Attributes:
        geometry: Slots, seasons and buckets.
        zone: IANA name or None.
        values: (n,) newest values over 2**exponent in real time; NaN = missing.
        observed: The same on the wall grid; the truths.
        lags: The same with coarse history before it; lags only.
        ahead: (h,) steps ahead on the wall grid of each slot asked for.
        exponent: Power of two by which values are divided.
        signed: Whether negative values occur.
        slots: Slots of history known, coarse history included.
        end: Epoch second at which the newest slot ends.
        warnings: What is odd about the input.
        shift_at: Epoch second of the newest level shift; None = there is none. `values` and `lags` before it are
            moved to the level after it, and are no truths.
    """

    geometry: Geometry
    zone: str | None
    values: FloatArray
    observed: FloatArray
    lags: FloatArray
    ahead: IntArray
    exponent: int
    signed: bool
    slots: int
    end: float
    warnings: tuple[str, ...]
    shift_at: float | None

    @property
    def steps(self) -> slice | IntArray:
        """Where the slots asked for lie among the steps ahead of the wall grid."""
        count = len(self.ahead)
        return slice(0, count) if self.ahead is plain_steps(count) else self.ahead - 1


@lru_cache(maxsize=256)
def plain_steps(horizon: int) -> IntArray:
    """(horizon,) steps ahead from 1 on, always the same array."""
    out = np.arange(1, horizon + 1)
    out.flags.writeable = False
    return out


def check_series(series: Series) -> FloatArray:
    """The series' values as floats with every non-finite one as NaN.

    Raises:
        ValueError: On arguments that no data could excuse: shape, step, start, seasons, zone.
    """
    values = np.asarray(series.values, dtype=np.float64)
    if values.ndim != 1:
        raise ValueError(f"values must be one-dimensional, got shape {values.shape}")
    if not 1 <= series.step <= MAX_SECONDS:
        raise ValueError(f"step must be a number of seconds from 1 to {MAX_SECONDS}, got {series.step}")
    if not abs(series.start) <= MAX_SECONDS:
        raise ValueError(f"start must be an epoch second within {MAX_SECONDS} of 0, got {series.start}")
    if any(not 0 < s <= MAX_SECONDS for s in series.seasons or ()):
        raise ValueError(f"seasons must be positive seconds, at most {MAX_SECONDS}, got {series.seasons}")
    if series.time_zone is not None:
        check_zone(series.time_zone)
    finite = np.isfinite(values)
    return values if finite.all() else np.where(finite, values, np.nan)


@lru_cache(maxsize=256)
def check_zone(zone: str) -> None:
    """Raise ValueError unless `zone` is a known IANA time zone."""
    try:
        ZoneInfo(zone)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError(f"unknown time zone {zone!r}") from error


def prepare(series: Series, horizon: int) -> Row:
    """Check a series and lay it out.

    Args:
        series: The history.
        horizon: Steps ahead that are asked for.

    Raises:
        ValueError: On wrong arguments; never on bad data.
    """
    values = check_series(series)
    geometry = geometry_of(float(series.step), series.seasons)
    end = series.start + len(values) * series.step
    missing = np.isnan(values)
    known = np.flatnonzero(~missing) if missing.any() else np.arange(len(values))
    kept = values[known[0] :] if len(known) else values[:0]
    signed = bool(len(kept) and np.fmin.reduce(kept) < 0)
    kept = kept[-geometry.history_slots :]
    old = np.empty(0)
    if series.coarse is not None:
        old = _older(series, check_series(series.coarse), geometry, len(kept), end)
    exponent = max(math.frexp(max(_largest(kept), _largest(old)))[1], MIN_EXPONENT)
    scale = math.ldexp(1.0, -exponent)  # exact: a power of two
    kept, old = kept * scale, old * scale
    signed = signed or bool(len(old) and np.nanmin(old) < 0)
    all_values = np.concatenate([old, kept]) if len(old) else kept
    observed = np.concatenate([np.full(len(old), np.nan), kept]) if len(old) else kept
    shift = find_shift(kept, geometry.day)
    shift_at = None
    if shift is not None:
        shift = replace(shift, slot=shift.slot + len(old))
        shift_at = end - (len(all_values) - shift.slot) * series.step
        all_values = level_out(all_values, shift, signed)
        observed = observed.copy()
        observed[: shift.slot] = np.nan
    return lay_row(
        geometry,
        series.time_zone,
        end,
        horizon,
        values=all_values,
        observed=observed,
        exponent=exponent,
        signed=signed,
        slots=len(old) + (len(values) - int(known[0]) if len(known) else 0),
        warnings=_warnings(values, known, geometry, series.seasons or ()),
        shift_at=shift_at,
    )


def _largest(values: FloatArray) -> float:
    """Largest known size; 0 if none is known."""
    if not len(values):
        return 0.0
    return float(max(np.fmax.reduce(values), -np.fmin.reduce(values), 0.0))


def lay_row(
    geometry: Geometry,
    zone: str | None,
    end: float,
    horizon: int,
    *,
    values: FloatArray,
    observed: FloatArray,
    exponent: int,
    signed: bool,
    slots: int,
    warnings: tuple[str, ...],
    shift_at: float | None,
) -> Row:
    """Lay values (lags and truths, same length, real time) on the wall grid of `zone`.

    Seasons of whole days follow the clock on the wall; if there are none, there is nothing to follow.
    """
    ahead = plain_steps(horizon)
    lags = values
    follows_clock = any(s.seconds % DAY_SECONDS == 0 for s in geometry.seasons)
    if zone is not None and follows_clock and len(values):
        start = end - len(values) * geometry.step
        plan = plan_wall(start, geometry.step, len(values), horizon, zone)
        if plan is not None:
            lags, observed, ahead = plan.lay(values), plan.lay(observed), plan.ahead
    return Row(geometry, zone, values, observed, lags, ahead, exponent, signed, slots, end, warnings, shift_at)


def _older(series: Series, coarse: FloatArray, geometry: Geometry, kept: int, end: float) -> FloatArray:
    """Coarse history on the fine grid, for the slots before the `kept` newest ones."""
    origin = series.coarse
    if origin is None or not len(coarse):
        return np.empty(0)
    reach = math.ceil((end - origin.start) / series.step) - kept  # further back there is none
    wanted = min(geometry.history_slots - kept, reach)
    if wanted <= 0:
        return np.empty(0)
    middle = end - (kept + np.arange(wanted, 0, -1) - 0.5) * series.step
    index = np.floor((middle - origin.start) / origin.step)
    inside = (index >= 0) & (index < len(coarse))
    found = coarse[np.where(inside, index, 0).astype(np.int64)]
    old = np.where(inside, found, np.nan)
    known = np.flatnonzero(np.isfinite(old))
    return old[known[0] :] if len(known) else np.empty(0)


def _warnings(values: FloatArray, known: IntArray, geometry: Geometry, seasons: tuple[int, ...]) -> tuple[str, ...]:
    out = []
    if not len(known):
        return ("no data: the forecast is a placeholder of zeros",)
    missing = 1 - len(known) / (len(values) - known[0])
    if missing > 0.2:
        out.append(f"{missing:.0%} of the slots are missing")
    if len(values) - 1 - known[-1] >= 3:
        out.append(f"the newest {len(values) - 1 - known[-1]} slots are missing")
    if short := [s for s in seasons if s < 2 * geometry.step]:
        out.append(f"seasons shorter than two slots are not used: {short}")
    return tuple(out)
