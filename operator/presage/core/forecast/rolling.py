"""Rolling-origin backtest: what presage would have forecast at moments of the past, against the naive forecasts.

Each origin sees only what lies before it, and no more than the history that the operator would hold. Scores are kept
for two spans: `short` (a 24th of the day, one hour; 6 slots where that is less) and `day`. Missing truths are never
scored.

Source: Tashman, Out-of-sample tests of forecasting accuracy, IJF 16 (2000); rolling origin, fixed window.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from presage.core.forecast.accuracy import coverage, mase, weighted_quantile_loss
from presage.core.forecast.api import forecast_many, forecast_one
from presage.core.forecast.geometry import geometry_of
from presage.core.forecast.rivals import Curves, naive_forecasts
from presage.core.forecast.types import Effort, FloatArray, Forecast, Series

Span = Literal["short", "day"]
SPANS: tuple[Span, ...] = get_args(Span)
SCORED_LEVELS = (0.5, 0.9, 0.95)  # whose pinball losses are the weighted quantile loss
PRESAGE, YESTERDAY = "presage", "yesterday"
METHODS = (PRESAGE, YESTERDAY, "lastWeek", "lastValue")
_SHORT_SLOTS = 6
_WINDOW_DAYS = ((300, 21), (1_800, 28))  # steps up to this → days of history; 56 for coarser ones
_COARSE_WINDOW_DAYS = 56
_FIRST_SHARE = 0.55  # of the history lies before the first origin, or four days if that is less
_FIRST_DAYS = 4
_ROUNDING = 1e-9
_WINDOWS = 6  # a longer archive is tested on its newest part


class TooShortError(ValueError):
    """There is too little history to test on; the message says how much is needed."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Where and how far to forecast; all lengths in slots.

    Attributes:
        day: One "day", see `Series.seasons`.
        horizon: Slots forecast from each origin.
        window: Most slots of history before an origin.
        spans: Span -> its slots; a span longer than the horizon is left out, but for the short one, which is cut.
        origins: First slot of each forecast, rising.
    """

    day: int
    horizon: int
    window: int
    spans: Mapping[Span, int]
    origins: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """How good one forecast was over one span, or several together.

    Attributes:
        mase: Mean absolute error over that of the seasonal naive forecast within the history; mean over origins.
        wql: Weighted quantile loss over the levels 0.5, 0.9 and 0.95, pooled over origins.
        covered: Level -> share of truths at or below the quantile.
        slots: Truths scored.
    """

    mase: float
    wql: float
    covered: Mapping[float, float]
    slots: int


@dataclass(frozen=True, slots=True)
class Origin:
    """One origin: what was known, what was forecast, and what came.

    Attributes:
        slot: First slot of the forecast.
        history: (n,) load before it.
        truth: (h,) load that came; NaN where missing.
        curves: Method -> forecast.
        forecast: presage's own account of its forecast.
        scores: Span -> method -> score; a span without a known truth is left out.
    """

    slot: int
    history: FloatArray
    truth: FloatArray
    curves: Mapping[str, Curves]
    forecast: Forecast
    scores: Mapping[Span, Mapping[str, Score]]


def plan_window(step: int, seasons: tuple[int, ...]) -> int:
    """Return how many slots of history a forecast is given at most."""
    days = next((days for most, days in _WINDOW_DAYS if step <= most), _COARSE_WINDOW_DAYS)
    return days * geometry_of(float(step), seasons or None).day


def plan_rolling(slots: int, step: int, seasons: tuple[int, ...], horizon: int | None, count: int) -> Plan:
    """Return where to forecast from.

    Args:
        slots: Slots of the whole series.
        step: Slot length in seconds.
        seasons: Seasons given by the user, seconds; empty = none.
        horizon: Slots to forecast; None = one day.
        count: Origins wanted; fewer are found where there are fewer slots.

    Raises:
        TooShortError: If there is not one day of history before the first horizon.
        ValueError: If the horizon is longer than a day.
    """
    day = geometry_of(float(step), seasons or None).day
    ahead = day if horizon is None else horizon
    if not 1 <= ahead <= day:
        raise ValueError(f"the horizon of {ahead} slots must lie between one slot and one day of {day} slots")
    last = slots - ahead
    if last < day:
        raise TooShortError(
            f"{slots} slots of {step} s, and {day + ahead} are needed: a day of history and the horizon"
        )
    window = plan_window(step, seasons)
    first = max(int(_FIRST_SHARE * slots), min(_FIRST_DAYS * day, slots // 2), slots - _WINDOWS * window, day)
    origins = sorted({round(float(slot)) for slot in np.linspace(min(first, last), last, count)})
    short = min(max(day // 24, _SHORT_SLOTS), ahead)
    spans: dict[Span, int] = {"short": short, "day": day} if ahead == day else {"short": short}
    return Plan(day, ahead, window, spans, tuple(origins))


def roll(
    series: Series, plan: Plan, levels: Sequence[float] = SCORED_LEVELS, effort: Effort = "batch"
) -> Iterator[Origin]:
    """Yield each origin of a plan, forecast and scored.

    Args:
        series: The whole load; its values are the truths.
        plan: From `plan_rolling` for this series.
        levels: Quantiles wanted; the scored ones always are.
        effort: presage's tier; "batch" forecasts all origins at once, before the first is yielded.
    """
    wanted = tuple(sorted({*levels, *SCORED_LEVELS}))
    known = [slot for slot in plan.origins if np.isfinite(_before(series, plan, slot).values).any()]
    histories = [_before(series, plan, slot) for slot in known]
    forecasts: Iterator[Forecast]
    if effort == "batch":
        forecasts = iter(forecast_many(histories, plan.horizon, wanted, effort=effort))
    else:
        forecasts = (forecast_one(history, plan.horizon, wanted, effort=effort) for history in histories)
    for slot, history, forecast in zip(known, histories, forecasts, strict=True):
        truth = np.asarray(series.values[slot : slot + plan.horizon], dtype=np.float64)
        curves = {PRESAGE: Curves(forecast.point, forecast.quantiles)}
        curves |= naive_forecasts(history.values, plan.day, plan.horizon, wanted)
        scores = _score_spans(plan, history.values, truth, curves)
        yield Origin(slot, history.values, truth, curves, forecast, scores)


def _before(series: Series, plan: Plan, slot: int) -> Series:
    first = max(0, slot - plan.window)
    values = np.asarray(series.values[first:slot], dtype=np.float64)
    return Series(values, series.start + first * series.step, series.step, series.seasons, series.time_zone)


def _score_spans(
    plan: Plan, history: FloatArray, truth: FloatArray, curves: Mapping[str, Curves]
) -> dict[Span, dict[str, Score]]:
    return {
        span: {name: _score(curve, truth, history, plan.day, slots) for name, curve in curves.items()}
        for span, slots in plan.spans.items()
        if np.isfinite(truth[:slots]).any()
    }


def _score(curves: Curves, truth: FloatArray, history: FloatArray, day: int, slots: int) -> Score:
    seen = truth[:slots]
    return _pool(
        [float(mase(seen, curves.point[:slots], history, day))],
        seen,
        {level: curve[:slots] for level, curve in curves.quantiles.items()},
    )


def _pool(errors: Sequence[float], truth: FloatArray, quantiles: Mapping[float, FloatArray]) -> Score:
    return Score(
        mase=float(np.mean(errors)),
        wql=float(weighted_quantile_loss(truth, {level: quantiles[level] for level in SCORED_LEVELS})),
        covered={level: float(coverage(truth, curve)) for level, curve in quantiles.items()},
        slots=int(np.isfinite(truth).sum()),
    )


def summarise(origins: Sequence[Origin], plan: Plan) -> dict[Span, dict[str, Score]]:
    """Return span -> method -> score over all origins; a span without a score is left out."""
    found: dict[Span, dict[str, Score]] = {}
    for span, slots in plan.spans.items():
        scored = [origin for origin in origins if span in origin.scores]
        if not scored:
            continue
        truth = np.concatenate([origin.truth[:slots] for origin in scored])
        found[span] = {name: _pool_method(name, scored, span, slots, truth) for name in METHODS}
    return found


def _pool_method(name: str, scored: Sequence[Origin], span: Span, slots: int, truth: FloatArray) -> Score:
    curves = [origin.curves[name].quantiles for origin in scored]
    quantiles = {level: np.concatenate([each[level][:slots] for each in curves]) for level in curves[0]}
    return _pool([origin.scores[span][name].mase for origin in scored], truth, quantiles)


def ratio(value: float, base: float) -> float:
    """Return one error over another, both dimensionless; NaN where either is unknown.

    What rounding leaves of a load that is forecast exactly counts as zero: two such errors are level, at one.
    """
    value, base = (0.0 if abs(error) <= _ROUNDING else error for error in (value, base))
    if base > 0:
        return value / base
    return 1.0 if value == base else float("inf") if base == 0 and value > 0 else float("nan")
