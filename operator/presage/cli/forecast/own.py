"""A forecast of a load that was read, by the operator's own code and in the words of `status.forecast`. Pure."""

from __future__ import annotations

import argparse
import math

import numpy as np

from presage.cli.forecast.view import Verdict, View
from presage.cli.loads.errors import InputError
from presage.cli.loads.load import Load
from presage.core.forecast.api import Forecast, Series, forecast_one
from presage.core.forecast.geometry import DAY_SECONDS
from presage.core.forecast.spec import ForecastSpec
from presage.core.scaling.foresight import ForecastMemory
from presage.core.scaling.outlook import Outlook
from presage.core.scaling.policy import DEFAULTS
from presage.core.scaling.trust import Evidence, judge_forecast
from presage.core.units import format_duration
from presage.reconcile.metricprofile.forecast_status import build_forecast

LEVELS = (0.5, 0.9, 0.95)
_DRIVING = 0.9  # the operator's default
_MOST_SLOTS = 10_000


def view_load(arguments: argparse.Namespace, load: Load) -> View:
    """Forecast a load that was read.

    Raises:
        InputError: If options do not fit the load.
    """
    horizon = max(1, round((arguments.horizon or DAY_SECONDS) / load.step))
    if horizon > _MOST_SLOTS:
        raise InputError(f"--horizon: {horizon:,} slots of {load.step} s, more than {_MOST_SLOTS:,}: give less")
    seasons = tuple(sorted(arguments.season))
    if seasons and seasons[0] < 2 * load.step:
        what = f"a season of {format_duration(seasons[0])} needs slots of half its length at most"
        raise InputError(f"{load.source}: {what}, not of {format_duration(load.step)}: give --step")
    levels = tuple(sorted({*LEVELS, *arguments.quantile}))
    series = Series(load.grid.values, load.start, float(load.step), seasons or None, arguments.time_zone)
    forecast = forecast_one(series, horizon, levels, effort=arguments.effort)
    account, verdict = _account(arguments, load, forecast, horizon, seasons)
    shown = min(len(load.grid.values), max(2 * horizon, 3))
    return View(
        name=load.name,
        source=load.source,
        unit=f"{arguments.unit} per second".strip() if arguments.counter else arguments.unit,
        zone=arguments.time_zone,
        origin=load.end,
        step=float(load.step),
        at=np.asarray(load.end + np.arange(horizon) * float(load.step), np.float64),
        curves={level: forecast.quantiles[level] for level in levels},
        account=account,
        verdict=verdict,
        before=load.grid.values[-shown:],
        before_at=np.asarray(load.end + np.arange(-shown, 0) * float(load.step), np.float64),
        warnings=load.warnings,
    )


def _account(
    arguments: argparse.Namespace, load: Load, forecast: Forecast, horizon: int, seasons: tuple[int, ...]
) -> tuple[dict[str, object], Verdict]:
    """Return what the operator would write into status, and whether it would trust the forecast."""
    step, slots = load.step, len(load.grid.values)
    spec = ForecastSpec(step, slots * step, horizon * step, seasons, _DRIVING, arguments.time_zone)
    known = int(np.isfinite(load.grid.values).sum())
    longest = max(forecast.seasons, default=0)
    whole = known * step >= longest
    trust = judge_forecast(Evidence(forecast, whole_season=whole), DEFAULTS, spec)
    outlook = Outlook(load.end, float(step), forecast.point, {})
    last = math.floor(load.end / step) - 1
    memory = ForecastMemory(forecast, outlook, last, arguments.effort, last, whole)
    return build_forecast(memory, spec, trust), Verdict(trust.trusted, trust.reason, trust.message)
