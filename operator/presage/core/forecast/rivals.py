"""The naive forecasts that every other one must beat, each with quantiles of its own past errors.

They see the same history as presage, with its gaps filled, and give a forecast for any history with one known value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from presage.core.forecast.types import FloatArray, IntArray

WEEK_DAYS = 7
_SHORT_GAP = 4  # slots between two known values that a line may bridge
_LEADS = 12  # numbers of slots ahead beyond the first hour of slots at which errors of the last value are measured


@dataclass(frozen=True, slots=True)
class Curves:
    """A forecast: `point` (h,) and level -> (h,) quantile, rising with the level."""

    point: FloatArray
    quantiles: Mapping[float, FloatArray]


def naive_forecasts(history: FloatArray, day: int, horizon: int, levels: Sequence[float]) -> dict[str, Curves]:
    """Return the forecasts `lastValue`, `yesterday` and `lastWeek`.

    Args:
        history: (n,) load per slot, NaN where missing, with one known value at least.
        day: Slots of a day.
        horizon: Slots ahead.
        levels: Quantiles wanted.

    Returns:
        Name -> forecast. `lastWeek` is yesterday's where the history is shorter than eight days.
    """
    filled = fill_gaps(history, day)
    week = WEEK_DAYS * day if len(filled) >= (WEEK_DAYS + 1) * day else day
    floor = 0.0 if np.nanmin(history) >= 0 else -np.inf
    found = {
        "lastValue": _last_value(filled, horizon, levels),
        "yesterday": _seasonal(filled, day, horizon, levels),
        "lastWeek": _seasonal(filled, week, horizon, levels),
    }
    return {name: _tidy(curves, floor) for name, curves in found.items()}


def fill_gaps(history: FloatArray, day: int) -> FloatArray:
    """Return the history without a gap: short ones bridged by a line, others filled from the day before."""
    filled = history.copy()
    empty, known = np.flatnonzero(~np.isfinite(filled)), np.flatnonzero(np.isfinite(filled))
    if not len(empty) or not len(known):
        return filled
    line = np.interp(empty, known, filled[known])
    after = np.searchsorted(known, empty)
    width = known[np.minimum(after, len(known) - 1)] - known[np.maximum(after - 1, 0)]
    for slot, value, wide in zip(empty.tolist(), line.tolist(), (width > _SHORT_GAP).tolist(), strict=True):
        before = filled[slot - day] if slot >= day else np.nan
        filled[slot] = before if wide and np.isfinite(before) else value
    return filled


def _seasonal(filled: FloatArray, season: int, horizon: int, levels: Sequence[float]) -> Curves:
    """Return the value one season before, with quantiles of its errors over the whole history."""
    ahead = np.arange(horizon) % season
    past = filled[-season:]
    point = past[np.minimum(ahead, len(past) - 1)]
    errors = filled[season:] - filled[:-season] if len(filled) > season else np.zeros(1)
    return Curves(point, {level: point + np.quantile(errors, level) for level in levels})


def _last_value(filled: FloatArray, horizon: int, levels: Sequence[float]) -> Curves:
    """Return the newest value, with quantiles of its errors at some numbers of slots ahead, drawn out between them."""
    leads = _plan_leads(min(horizon, len(filled) - 1))
    point = np.full(horizon, filled[-1])
    if not len(leads):
        return Curves(point, dict.fromkeys(levels, point))
    errors = np.array([np.quantile(filled[lead:] - filled[:-lead], levels) for lead in leads])
    ahead = np.arange(1, horizon + 1)
    return Curves(point, {level: point + np.interp(ahead, leads, errors[:, i]) for i, level in enumerate(levels)})


def _plan_leads(furthest: int) -> IntArray:
    leads = np.unique(np.concatenate([np.arange(1, 13), np.linspace(13, furthest, _LEADS).astype(np.int64)]))
    return leads[(leads >= 1) & (leads <= furthest)]


def _tidy(curves: Curves, floor: float) -> Curves:
    """Return the forecast with quantiles that never cross the point or each other and, for a load, none below zero."""
    point = np.maximum(curves.point, floor)
    tidy, lower, upper = {}, point, point
    for level in sorted(curves.quantiles):
        if level >= 0.5:
            upper = np.maximum(curves.quantiles[level], upper)
            tidy[level] = upper if level > 0.5 else point
    for level in sorted(curves.quantiles, reverse=True):
        if level < 0.5:
            lower = np.maximum(np.minimum(curves.quantiles[level], lower), floor)
            tidy[level] = lower
    return Curves(point, tidy)
