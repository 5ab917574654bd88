"""Whether a forecast may drive scaling: it must beat the naive forecasts on the object's own history."""

from __future__ import annotations

import math
from dataclasses import dataclass

from presage.core.forecast.api import Forecast


@dataclass(frozen=True, slots=True)
class Trust:
    """The verdict on a forecast.

    Attributes:
        trusted: Whether it drives scaling; else the reactive part alone does.
        reason: Reason of the condition `ForecastTrusted`.
        message: For a person.
        leader: Model with the largest weight; empty without a forecast.
        loss: Mean absolute error of the leader in the backtest, at the horizon that matters; NaN = unknown.
        naive_loss: The same for the best naive forecast.
    """

    trusted: bool
    reason: str
    message: str
    leader: str = ""
    loss: float = math.nan
    naive_loss: float = math.nan


def judge_forecast(forecast: Forecast | None) -> Trust:
    """Return whether `forecast` is good enough to act on.

    The pool holds the naive forecasts themselves, so the leader can tie with them but not lose by much; what is
    refused is a forecast without a season's history, or one whose leader is behind in the nearest horizon bucket.
    """
    if forecast is None:
        return Trust(False, "NoForecast", "There is no forecast yet: scaling follows the observed load.")
    leader = max(forecast.weights, key=lambda name: forecast.weights[name], default="")
    loss = _first_finite(forecast.backtest.get(leader, ()))
    naive = min((x for x in map(_first_finite, forecast.naive.values()) if math.isfinite(x)), default=math.nan)
    if forecast.history_rung == "Hours":
        message = "History is shorter than one season: scaling follows the observed load and removes no replica."
        return Trust(False, "ShortHistory", message, leader, loss, naive)
    if math.isfinite(loss) and math.isfinite(naive) and loss > naive:
        message = "A naive forecast has the smaller error on this load's own history: scaling follows the load."
        return Trust(False, "NaiveIsBetter", message, leader, loss, naive)
    return Trust(
        True, "BacktestPassed", "No naive forecast does better on this load's own history.", leader, loss, naive
    )


def _first_finite(losses: tuple[float, ...]) -> float:
    return next((x for x in losses if math.isfinite(x)), math.nan)
