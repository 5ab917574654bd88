"""What would have been forecast at moments of the past: many origins of one series in few passes.

Coefficients are chosen anew at some origins, from what was known then; between them they are applied to the newest
slots, as a running operator does.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from presage.core.forecast.api import State, advance, forecast_many
from presage.core.forecast.types import FloatArray, Series


def look_back(
    series: Series, origins: Sequence[int], horizon: int, levels: tuple[float, ...], fits: int, window: int
) -> FloatArray:
    """Return the quantiles that would have been forecast at each origin, (origins, levels, horizon).

    Args:
        series: The whole history.
        origins: First slot of each forecast, rising, >= 1; a forecast knows the slots before it.
        horizon: Slots ahead.
        levels: Quantiles wanted.
        fits: How many origins share their coefficients, >= 1: those that follow a fit.
        window: Most slots of history a fit is given.
    """
    starts = list(origins[::fits])
    fitted = forecast_many([_before(series, slot, window) for slot in starts], horizon, levels)
    states: list[State] = []
    news: list[FloatArray] = []
    for number, slot in enumerate(origins):
        known = starts[number // fits]
        states.append(fitted[number // fits].state)
        news.append(np.asarray(series.values[known:slot], np.float64))
    moved = advance(states, news, horizon, levels) if states else []
    out = np.empty((len(moved), len(levels), horizon))
    for number, forecast in enumerate(moved):
        for column, level in enumerate(levels):
            out[number, column] = forecast.quantiles[level]
    return out


def _before(series: Series, slot: int, window: int) -> Series:
    first = max(0, slot - window)
    values = np.asarray(series.values[first:slot], np.float64)
    return Series(values, series.start + first * series.step, series.step, series.seasons, series.time_zone)
