"""The one public entry of the forecaster: forecast many histories, one history, or move on by a tick.

Everything runs in the calling process, without threads, clock or randomness: equal input gives equal
output. Bad data (missing, constant, empty, infinite) never raises; wrong arguments raise ValueError.
What comes out is finite, except that `backtest` and `naive` hold NaN where a horizon bucket has no slot
or a model could not be tried. A history without any known value gives zeros, the warning "no data" and
the rung "Hours": a placeholder that no caller may scale on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import get_args

import numpy as np

from presage.core.forecast.batch import advance_states, fit_rows
from presage.core.forecast.series import prepare
from presage.core.forecast.state import State
from presage.core.forecast.types import Effort, FloatArray, Forecast, HistoryRung, SeasonTest, Series

__all__ = [
    "Effort",
    "FloatArray",
    "Forecast",
    "HistoryRung",
    "SeasonTest",
    "Series",
    "State",
    "advance",
    "forecast_many",
    "forecast_one",
]

DEFAULT_QUANTILES = (0.5, 0.9, 0.95)


def forecast_many(
    series: Sequence[Series],
    horizon: int | Sequence[int],
    quantiles: Sequence[float] = DEFAULT_QUANTILES,
    *,
    effort: Effort = "batch",
    states: Sequence[State | None] | None = None,
) -> list[Forecast]:
    """Forecast each series for the slots after its newest one.

    Args:
        series: Histories; alike ones are computed together.
        horizon: Slots ahead, one number or one per series, >= 1.
        quantiles: Levels within (0, 1); beyond 0.01 and 0.99 the ends are given.
        effort: "batch", or "full": more cut-offs, and a regression learned from each series.
        states: One per series, from an earlier forecast or None; they carry realised coverage over.

    Returns:
        One forecast per series, in order.

    Raises:
        ValueError: On wrong arguments.
    """
    levels = _levels(quantiles)
    if effort not in get_args(Effort):
        raise ValueError(f"effort must be one of {get_args(Effort)}, got {effort!r}")
    horizons = list(horizon) if isinstance(horizon, Sequence | np.ndarray) else [horizon] * len(series)
    old: Sequence[State | None] = [None] * len(series) if states is None else states
    if len(horizons) != len(series) or len(old) != len(series):
        raise ValueError(f"{len(series)} series, {len(horizons)} horizons and {len(old)} states do not match")
    rows = [prepare(s, _horizon(h)) for s, h in zip(series, horizons, strict=True)]
    return fit_rows(rows, levels, effort, old)


def forecast_one(
    series: Series,
    horizon: int,
    quantiles: Sequence[float] = DEFAULT_QUANTILES,
    *,
    effort: Effort = "full",
    state: State | None = None,
) -> Forecast:
    """Forecast one series; see `forecast_many`."""
    return forecast_many([series], horizon, quantiles, effort=effort, states=[state])[0]


def advance(
    states: Sequence[State],
    new_values: Sequence[FloatArray],
    horizon: int,
    quantiles: Sequence[float] = DEFAULT_QUANTILES,
) -> list[Forecast]:
    """Move forecasts on by the newest slots, with the coefficients that their states hold.

    Args:
        states: From the last forecasts.
        new_values: Per state (k,), k >= 0: every slot since the last one seen, NaN where missing.
        horizon: Slots ahead, >= 1.
        quantiles: Levels within (0, 1), any.

    Returns:
        One forecast per state, in order, each with its new state.

    Raises:
        ValueError: On wrong arguments.
    """
    levels = _levels(quantiles)
    if len(states) != len(new_values):
        raise ValueError(f"{len(states)} states and {len(new_values)} sets of new values do not match")
    new = [np.asarray(v, dtype=np.float64) for v in new_values]
    if any(v.ndim != 1 for v in new):
        raise ValueError("new values must be one-dimensional")
    return advance_states(states, new, _horizon(horizon), levels)


def _horizon(horizon: int) -> int:
    if isinstance(horizon, bool) or not isinstance(horizon, int | np.integer) or horizon < 1:
        raise ValueError(f"horizon must be a whole number of slots >= 1, got {horizon!r}")
    return int(horizon)


def _levels(quantiles: Sequence[float]) -> tuple[float, ...]:
    if any(not math.isfinite(q) or not 0 < q < 1 for q in quantiles):
        raise ValueError(f"quantiles must lie within (0, 1), got {tuple(quantiles)}")
    return tuple(quantiles)
