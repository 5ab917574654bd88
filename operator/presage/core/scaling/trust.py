"""Whether a forecast may drive scaling: it must foresee more than the last value does, on the object's own history."""

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
        loss: Mean absolute error of the leader in the backtest, over the horizon; NaN = unknown.
        naive_loss: The same for the best naive forecast.
    """

    trusted: bool
    reason: str
    message: str
    leader: str = ""
    loss: float = math.nan
    naive_loss: float = math.nan


def judge_forecast(
    forecast: Forecast | None, history_fault: str = "", *, covers_now: bool = True, whole_season: bool = True
) -> Trust:
    """Return whether `forecast` is good enough to act on.

    The pool holds yesterday's and last week's value themselves, so it never loses to them by much. What a forecast
    must add for scaling is foresight: it is refused while the last value is the best guess at every horizon, since
    that is what the reactive part already acts on, and without the history of one season. What such a forecast still
    tells is how far the load strays from its last value: the reactive part keeps that in hand.

    Args:
        forecast: The last good one; None before the first.
        history_fault: Why the history cannot be read at the moment; empty if it can.
        covers_now: Whether the last good forecast still reaches the present.
        whole_season: Whether as much is known of the history as one season is long, holes left out.
    """
    if history_fault and (forecast is None or not covers_now):
        return Trust(False, "HistoryUnavailable", f"{history_fault} Scaling follows the observed load.")
    if forecast is None:
        return Trust(False, "NoForecast", "There is no forecast yet: scaling follows the observed load.")
    leader = max(forecast.weights, key=lambda name: forecast.weights[name], default="")
    loss = _mean(forecast.backtest.get(leader, ()))
    naive = min((x for x in map(_mean, forecast.naive.values()) if math.isfinite(x)), default=math.nan)
    if forecast.history_rung == "Hours" or not whole_season:
        message = "Less than one season of history is known: scaling follows the observed load and removes no replica."
        return Trust(False, "ShortHistory", message, leader, loss, naive)
    if _last_value_always_wins(forecast):
        message = (
            "The last value is the best guess at every horizon: scaling follows the observed load, "
            "with the margin that its own changes ask for."
        )
        return Trust(False, "NaiveIsBetter", message, leader, loss, naive)
    if history_fault:
        message = f"{history_fault} The last good forecast is followed as long as it reaches."
        return Trust(True, "HistoryUnavailable", message, leader, loss, naive)
    message = "The forecast sees more than the last value does, on this load's own history."
    return Trust(True, "BacktestPassed", message, leader, loss, naive)


def _last_value_always_wins(forecast: Forecast) -> bool:
    rivals = [losses for name, losses in forecast.backtest.items() if name != "last"]
    wins = [
        last < best
        for bucket, last in enumerate(forecast.naive.get("last", ()))
        if math.isfinite(best := min((r[bucket] for r in rivals if math.isfinite(r[bucket])), default=math.nan))
    ]
    return bool(wins) and all(wins)


def _mean(losses: tuple[float, ...]) -> float:
    finite = [x for x in losses if math.isfinite(x)]
    return sum(finite) / len(finite) if finite else math.nan
