"""The forecaster in the form that the scorer plugs in; runs in the scorer's environment, not in that of the bench.

A forecast that is not finite raises, so that the scorer counts it as a fallback instead of mending it in silence.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from presage.core.forecast.api import Effort, Forecast, Series, forecast_many, forecast_one

Values = npt.NDArray[np.float64]
Answer = tuple[Values, dict[float, Values]]


def full(values: Values, step: float, start: float, horizon: int, quantiles: Sequence[float]) -> Answer:
    """Return the full tier's forecast of one series."""
    return _one(values, step, start, horizon, quantiles, "full")


def batch(values: Values, step: float, start: float, horizon: int, quantiles: Sequence[float]) -> Answer:
    """Return the batch tier's forecast of one series, computed alone."""
    return _one(values, step, start, horizon, quantiles, "batch")


def batch_many(
    values: Sequence[Values],
    steps: Sequence[float],
    starts: Sequence[float],
    horizons: Sequence[int],
    quantiles: Sequence[float],
) -> list[Answer]:
    """Return the batch tier's forecasts of all series, computed in one call (`--plugin-batch`)."""
    series = [Series(v, start, step) for v, step, start in zip(values, steps, starts, strict=True)]
    return [_answer(each) for each in forecast_many(series, list(horizons), quantiles)]


def _one(values: Values, step: float, start: float, horizon: int, quantiles: Sequence[float], effort: Effort) -> Answer:
    return _answer(forecast_one(Series(values, start, step), horizon, quantiles, effort=effort))


def _answer(forecast: Forecast) -> Answer:
    rows = [forecast.point, *forecast.quantiles.values()]
    if not np.isfinite(np.array(rows)).all():
        raise ValueError("the forecast is not finite")
    return forecast.point, dict(forecast.quantiles)
