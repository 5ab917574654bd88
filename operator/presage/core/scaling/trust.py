"""Whether a forecast drives scaling, and which rule is in force: what did best on the object's own past."""

from __future__ import annotations

import math
from dataclasses import dataclass

from presage.core.forecast.api import Forecast
from presage.core.forecast.spec import ForecastSpec
from presage.core.scaling.foresight import ForecastMemory
from presage.core.scaling.objective import Choice
from presage.core.scaling.policy import ScalingPolicy
from presage.core.scaling.rule import Rule, default_rule

MAY_SHRINK = frozenset({"BacktestPassed", "NaiveIsBetter"})


@dataclass(frozen=True, slots=True)
class Trust:
    """The verdict on a forecast.

    Attributes:
        trusted: Whether it drives scaling.
        reason: Reason of the condition `ForecastTrusted`.
        message: For a person.
        rule: The rule in force.
        leader: Model with the largest weight; empty without a forecast.
        loss: Mean absolute error of the leader in the backtest, over the horizon; NaN = unknown.
        naive_loss: The same for the best naive forecast.
    """

    trusted: bool
    reason: str
    message: str
    rule: Rule
    leader: str = ""
    loss: float = math.nan
    naive_loss: float = math.nan

    @property
    def level(self) -> float | None:
        """Quantile that replicas are made for; None where no forecast is gone by."""
        return self.rule.curve.level or None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a verdict rests on.

    Attributes:
        forecast: The last good one; None before the first.
        covers_now: Whether it still reaches the present.
        whole_season: Whether as much is known of the history as one season is long, holes left out.
        history_fault: Why the history cannot be read at the moment; empty if it can.
        choice: What the replay of past days says; None before one.
    """

    forecast: Forecast | None
    covers_now: bool = True
    whole_season: bool = True
    history_fault: str = ""
    choice: Choice | None = None


def find_evidence(known: ForecastMemory | None, choice: Choice | None, now: float, history_fault: str = "") -> Evidence:
    """Return what is known at an epoch second; see `Evidence`."""
    return Evidence(
        known.forecast if known else None,
        covers_now=known is not None and known.outlook.covers(now),
        whole_season=known is None or known.whole_season,
        history_fault=history_fault,
        choice=choice,
    )


def judge_forecast(evidence: Evidence, policy: ScalingPolicy, ask: ForecastSpec) -> Trust:
    """Return whether a forecast is good enough to act on, and the rule that is in force.

    Where past days were replayed, that decides: with the forecast, with earlier days' load, or with the observed load
    alone, whichever served within the objective for the least. Before, a forecast is refused while the last value is
    the best guess at every horizon, which is what the reactive part goes by already.

    Args:
        evidence: What is known.
        policy: What the user fixes.
        ask: The same, of the forecast.
    """
    forecast, choice, fault = evidence.forecast, evidence.choice, evidence.history_fault
    blind = default_rule(ask.quantile, policy.headroom, foresees=False)
    if fault and (forecast is None or not evidence.covers_now):
        return Trust(False, "HistoryUnavailable", f"{fault} Scaling follows the observed load.", blind)
    if forecast is None:
        return Trust(False, "NoForecast", "There is no forecast yet: scaling follows the observed load.", blind)
    leader = max(forecast.weights, key=lambda name: forecast.weights[name], default="")
    loss = _mean(forecast.backtest.get(leader, ()))
    naive = min((x for x in map(_mean, forecast.naive.values()) if math.isfinite(x)), default=math.nan)
    scores = (leader, loss, naive)
    if forecast.history_rung == "Hours" or not evidence.whole_season:
        message = "Less than one season of history is known: scaling follows the observed load and removes no replica."
        return Trust(False, "ShortHistory", message, blind, *scores)
    foresees = choice.rule.curve.source == "Forecast" if choice else not _last_value_always_wins(forecast)
    rule = choice.rule if choice else default_rule(ask.quantile, policy.headroom, foresees=foresees)
    if not foresees:
        return Trust(False, "NaiveIsBetter", _describe(choice, foresees=False), rule, *scores)
    if fault:
        message = f"{fault} The last good forecast is followed as long as it reaches."
        return Trust(True, "HistoryUnavailable", message, rule, *scores)
    return Trust(True, "BacktestPassed", _describe(choice, foresees=True), rule, *scores)


def _describe(choice: Choice | None, *, foresees: bool) -> str:
    if choice is None:
        if foresees:
            return "The forecast sees more than the last value does, on this load's own history."
        return "The last value is the best guess at every horizon: scaling follows the observed load."
    what = {
        "Forecast": "The forecast drives scaling",
        "Past": "What earlier days showed at the same time of day does better than the forecast",
        "Observed": "The observed load alone does better than any forecast",
    }[choice.rule.curve.source]
    return f"{what}, by replay of {choice.days} {'day' if choice.days == 1 else 'days'} of this load."


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
