"""`status.forecast` and the forecast's own series: why it is as it is, bounded in size, and nothing that is unknown."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from presage.core.forecast.api import Forecast
from presage.core.forecast.geometry import geometry_of
from presage.core.forecast.spec import ForecastSpec
from presage.core.scaling.curves import MEDIAN
from presage.core.scaling.foresight import ForecastMemory
from presage.core.scaling.outlook import SHOWN_LEVEL
from presage.core.scaling.trust import Trust
from presage.core.units import to_time
from presage.reconcile.kind import GaugeValue
from presage.reconcile.metricprofile.rounding import round_load

MAX_POINTS = 12
MAX_WARNINGS = 4
MAX_WARNING_CHARS = 200
MIN_WEIGHT = 0.05


@dataclass(frozen=True, slots=True)
class _Bucket:
    """What the backtest says up to `end_s` ahead: error of the leader, and of each naive forecast that was tried."""

    end_s: int
    loss: float
    naive: Mapping[str, float]


def carry_reasons(before: ForecastMemory | None, now: ForecastMemory | None) -> ForecastMemory | None:
    """Return `now` with what only a fit tells, if it was merely moved on from `before`.

    A forecast that is moved on by new samples says nothing of seasons, warnings or level shifts found by the fit it
    stands on.
    """
    if now is None or before is None or now.forecast.season_tests:
        return now
    fit, moved = before.forecast, now.forecast
    shift_at = fit.shift_at if moved.shift_at is None else moved.shift_at
    warnings = moved.warnings or fit.warnings
    return replace(now, forecast=replace(moved, season_tests=fit.season_tests, warnings=warnings, shift_at=shift_at))


def build_forecast(memory: ForecastMemory, ask: ForecastSpec, trust: Trust) -> dict[str, object]:
    """Return `status.forecast`."""
    forecast = memory.forecast
    coverage = [
        {"asked": level, "got": round(got, 3), "samples": count} for level, got, count in _coverage(forecast, trust)
    ]
    built: dict[str, object] = {
        "originTime": to_time(memory.outlook.start),
        "stepSeconds": ask.step_s,
        "historyRung": forecast.history_rung,
        "tier": memory.tier,
        "refitted": to_time(_refitted_at(memory, ask)),
        "seasonsSeconds": list(forecast.seasons),
        "seasonTests": _build_seasons(forecast),
        "leader": trust.leader,
        "weights": {name: round(share, 2) for name, share in _weights(forecast).items()},
        **_known({"loss": trust.loss, "naiveLoss": trust.naive_loss}),
        "lossByHorizon": [_build_bucket(bucket) for bucket in _buckets(forecast, ask, trust.leader)],
        "coverage": next((each for each in coverage if each["asked"] == (trust.level or SHOWN_LEVEL)), None),
        "coverageByLevel": coverage,
        "levelShiftTime": None if forecast.shift_at is None else to_time(forecast.shift_at),
        "warnings": _build_warnings(memory),
        "next": _build_points(memory),
    }
    return {name: value for name, value in built.items() if value or value == 0}


def _build_seasons(forecast: Forecast) -> list[dict[str, object]]:
    return [
        {
            "seasonSeconds": test.season,
            "used": test.used,
            "reason": test.reason,
            **_known({"loss": test.loss, "rivalLoss": test.rival}),
            **({"autocorrelation": round(test.correlation, 2)} if math.isfinite(test.correlation) else {}),
        }
        for test in forecast.season_tests
    ]


def _build_bucket(bucket: _Bucket) -> dict[str, object]:
    naive = _known(bucket.naive)
    return {"horizonSeconds": bucket.end_s, **_known({"loss": bucket.loss}), **({"naive": naive} if naive else {})}


def _build_warnings(memory: ForecastMemory) -> list[str]:
    """Return at most 4 sentences, those on the calendar first: a person wrote it, and waits for it."""
    calendar = memory.adjustment.warnings if memory.adjustment else ()
    return [warning[:MAX_WARNING_CHARS] for warning in (*calendar, *memory.forecast.warnings)[:MAX_WARNINGS]]


def _build_points(memory: ForecastMemory) -> list[dict[str, object]]:
    """Return at most 12 points spread evenly over the horizon, without those that the calendar ignores."""
    ignored = memory.adjustment.ignored if memory.adjustment else ()
    outlook, p90 = memory.outlook, memory.forecast.quantiles[SHOWN_LEVEL]
    count = len(outlook.median)
    stride = max(1, math.ceil(count / MAX_POINTS))
    return [
        {
            "at": to_time(outlook.start + i * outlook.step_s),
            "p50": round_load(float(outlook.median[i])),
            "p90": round_load(float(p90[i])),
        }
        for i in range(stride - 1, count, stride)
        if not (i < len(ignored) and ignored[i])
    ]


def _known(losses: Mapping[str, float]) -> dict[str, float]:
    return {name: round_load(loss) for name, loss in losses.items() if math.isfinite(loss)}


def _buckets(forecast: Forecast, ask: ForecastSpec, leader: str) -> Iterator[_Bucket]:
    """Yield each bucket of the horizon in which anything was tried; the last one ends with the horizon."""
    edges = geometry_of(ask.step_s, ask.seasons_s or None).edges
    losses = forecast.backtest.get(leader, ())
    unknown = (math.nan,) * len(edges)
    for i, (edge, loss) in enumerate(zip(edges, losses or unknown, strict=False)):
        naive = {name: of[i] for name, of in forecast.naive.items() if i < len(of) and math.isfinite(of[i])}
        if math.isfinite(loss) or naive:
            end = ask.horizon_slots if i == len(edges) - 1 else min(edge, ask.horizon_slots)
            yield _Bucket(end * ask.step_s, loss, naive)


def _weights(forecast: Forecast) -> dict[str, float]:
    """Return the shares worth showing, the largest first."""
    shown = [(name, share) for name, share in forecast.weights.items() if share >= MIN_WEIGHT]
    return dict(sorted(shown, key=lambda each: (-each[1], each[0])))


def _coverage(forecast: Forecast, trust: Trust) -> Iterator[tuple[float, float, int]]:
    """Yield level asked, share got and number of outcomes: of the median, of 0.9 and of the level in use."""
    for level, (got, count) in sorted(forecast.coverage.items()):
        if level in (MEDIAN, SHOWN_LEVEL, trust.level) and count and math.isfinite(got):
            yield level, min(1.0, max(0.0, got)), count


def _refitted_at(memory: ForecastMemory, ask: ForecastSpec) -> int:
    return (memory.fitted_slot + 1) * ask.step_s


FORECAST_GAUGES: Mapping[str, str] = {
    "forecast_quantile": "Quantile of the load that replicas are made for; absent where it is none.",
    "forecast_coverage": "Share of the load that stayed at or below the forecast of a level.",
    "forecast_coverage_asked": "The level itself: what the share must be close to.",
    "forecast_loss": "Mean absolute error of the forecast's leader in its backtest, up to so many seconds ahead.",
    "forecast_naive_loss": "The same of the best naive forecast: last value, yesterday or last week.",
    "forecast_weight": "Share of a model in the forecast, those of 5 % and more.",
    "forecast_season_in_use": "1 for each season found in the load or given, in seconds; 0 for one tested in vain.",
    "forecast_history_rung": "1 for how much history there is: Hours, Day, Days or Full.",
    "forecast_tier": "1 for the tier that fitted the forecast in force: batch or full.",
    "forecast_refit_timestamp_seconds": "When the models were last fitted.",
    "forecast_level_shift_timestamp_seconds": "When the load last changed its level for good; 0 if no shift is known.",
}
"""The series of a forecast: name without prefix → help."""

FORECAST_LABELS: Mapping[str, str] = {
    "forecast_coverage": "level",
    "forecast_coverage_asked": "level",
    "forecast_loss": "horizon",
    "forecast_naive_loss": "horizon",
    "forecast_weight": "model",
    "forecast_season_in_use": "season",
    "forecast_history_rung": "rung",
    "forecast_tier": "tier",
}
"""Those with a label of their own; each has few values: levels, horizons and seasons are the spec's, the rest fixed."""


def build_forecast_gauges(memory: ForecastMemory, ask: ForecastSpec, trust: Trust) -> dict[str, GaugeValue]:
    """Return the series of one forecast; unknown values are left out."""
    forecast = memory.forecast
    buckets = list(_buckets(forecast, ask, trust.leader))
    used = dict.fromkeys(forecast.seasons, True) | {test.season: test.used for test in forecast.season_tests}
    return {
        **({} if trust.level is None else {"forecast_quantile": trust.level}),
        "forecast_coverage": {f"{level:g}": got for level, got, _ in _coverage(forecast, trust)},
        "forecast_coverage_asked": {f"{level:g}": level for level, _, _ in _coverage(forecast, trust)},
        "forecast_loss": {str(b.end_s): b.loss for b in buckets if math.isfinite(b.loss)},
        "forecast_naive_loss": {str(b.end_s): min(b.naive.values()) for b in buckets if b.naive},
        "forecast_weight": _weights(forecast),
        "forecast_season_in_use": {str(season): float(yes) for season, yes in used.items()},
        "forecast_history_rung": {forecast.history_rung: 1.0},
        "forecast_tier": {memory.tier: 1.0},
        "forecast_refit_timestamp_seconds": float(_refitted_at(memory, ask)),
        "forecast_level_shift_timestamp_seconds": forecast.shift_at or 0.0,
    }
