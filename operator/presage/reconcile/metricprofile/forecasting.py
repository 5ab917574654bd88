"""When a MetricProfile's forecast is moved along and when it is fitted anew.

The batch tier answers at once. The full tier follows in the background and is taken over at the first decision after it
is done; while it is late, failed or killed, what is in force stays in force.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from presage.core.forecast.api import Effort, FloatArray, Forecast, Series
from presage.core.forecast.geometry import geometry_of
from presage.core.forecast.spec import ForecastSpec
from presage.core.profile import EventType
from presage.core.query import Selection
from presage.core.scaling.outlook import Outlook
from presage.reconcile.metricprofile.forecast_status import SHOWN_LEVEL
from presage.reconcile.metricprofile.inputs import AskedFit, Basis, ForecastMemory
from presage.reconcile.ports import Forecaster, History, Loads

REFITS_PER_SEASON = 24  # hourly on a day, and as often on a compressed one
LEAST_STRAY = 0.01  # share of the median by which a load strays at least: none from a forecast that is exact
LONGEST_WITHOUT_FIT = 6  # periods of refits that a full fit stays in force where no other one succeeds


async def update_forecast(
    basis: Basis,
    askers: Sequence[Selection],
    memory: ForecastMemory | None,
    phase: str,
    now: float,
    loads: Loads,
    forecaster: Forecaster,
) -> ForecastMemory | None:
    """Return the forecast brought up to the newest complete slot; unchanged if there is nothing newer.

    Args:
        basis: What is measured, and how it is to be forecast.
        askers: One selection for each event type.
        memory: From the last call.
        phase: Names the object and what is measured of it; spreads all refits over time.
        now: Epoch seconds.
        loads: Where the history comes from.
        forecaster: Forecasts.

    Raises:
        SourceFault: If there is no history.
    """
    ask, newest = basis.forecast, int(now // basis.forecast.step_s) - 1
    memory = _take_over(memory, ask)
    if memory is not None and memory.last_slot == newest:
        return memory
    histories = await loads.history(basis.source, askers, ask.step_s, ask.history_s, now)
    values, start = add_histories(basis.event_types, histories, ask.step_s)
    if not np.isfinite(values).any():
        return memory
    last_slot = int(start // ask.step_s) + len(values) - 1
    if memory is not None and last_slot == memory.last_slot:
        return memory
    load = cast(FloatArray, values)  # the engine widens it: waiting, it is as short as the history
    series = Series(load, start, ask.step_s, ask.seasons_s or None, ask.time_zone)
    return await _bring_up(series, last_slot, memory, ask, phase, forecaster)


def _take_over(memory: ForecastMemory | None, ask: ForecastSpec) -> ForecastMemory | None:
    """Return what is in force once a full fit is done; one that failed leaves what was."""
    asked = memory.asked if memory else None
    if memory is None or asked is None or asked.fit is None or not asked.fit.done():
        return memory
    seen = replace(asked, fit=None)
    forecast = asked.fit.result()
    if forecast is None:
        return replace(memory, asked=seen)
    return _remember(forecast, asked.slot, ask, "full", asked.slot, memory.whole_season, seen)


async def _bring_up(
    series: Series,
    last_slot: int,
    memory: ForecastMemory | None,
    ask: ForecastSpec,
    phase: str,
    forecaster: Forecaster,
) -> ForecastMemory:
    """Return the forecast from a history that ends with another slot than the one in force knows."""
    levels = tuple(sorted({0.5, SHOWN_LEVEL, ask.quantile}))
    horizon, values = ask.horizon_slots, series.values
    geometry = geometry_of(ask.step_s, ask.seasons_s or None)
    whole_season = geometry.rung_of(int(np.isfinite(values).sum())) != "Hours"
    missed = last_slot - memory.last_slot if memory else 0
    state, asked, due = None, None, True
    if memory is not None and 0 < missed <= len(values):
        state, asked = memory.forecast.state, memory.asked
        last_fit = max(memory.fitted_slot, asked.slot if asked else 0)
        due = is_due(last_slot, last_fit, _refit_slots(ask), phase)
        if not due or _outlasts(memory, last_slot, ask):
            new = values[-missed:].astype(np.float64)
            moved = known = await forecaster.advance(state, new, horizon, levels)
            if _strays(new, memory.forecast):  # only a fit looks for a level shift
                known = await forecaster.forecast(series, horizon, levels, state)
            if not _alarms(known, memory.forecast, _refit_slots(ask) * ask.step_s):
                if due and (asked is None or asked.fit is None):
                    asked = AskedFit(last_slot, forecaster.fit(series, horizon, levels, moved.state))
                return _remember(moved, last_slot, ask, memory.tier, memory.fitted_slot, whole_season, asked)
            state, asked = moved.state, None  # a fit under way knows nothing of the new level
    # the first one, one that is due, after a level shift, or after the clock jumped
    forecast = await forecaster.forecast(series, horizon, levels, state)
    if asked is None or asked.fit is None:
        asked = AskedFit(last_slot, forecaster.fit(series, horizon, levels, state))
    return _remember(forecast, last_slot, ask, "batch", last_slot, whole_season, asked)


def is_due(slot: int, fit_slot: int, period: int, phase: str) -> bool:
    """Return whether a new fit is due at a slot.

    Args:
        slot: Index of the newest slot.
        fit_slot: Index of the newest slot when there was a fit last, or one was asked for.
        period: Slots between two fits.
        phase: Names what is fitted: each has its own slot of the period, so that many are not due together.
    """
    shift = int.from_bytes(hashlib.sha256(phase.encode()).digest()[:8], "big") % period
    return (slot + shift) // period > (fit_slot + shift) // period


def _outlasts(memory: ForecastMemory, slot: int, ask: ForecastSpec) -> bool:
    """Return whether the fit in force is better than a new one of the batch tier."""
    return memory.tier == "full" and slot - memory.fitted_slot < LONGEST_WITHOUT_FIT * _refit_slots(ask)


def _strays(new: NDArray[np.float64], before: Forecast) -> bool:
    """Return whether the newest of the slots that came lies outside the band that was forecast, on either side."""
    index = len(new) - 1
    if index >= len(before.point) or not np.isfinite(new[index]):
        return False
    median = before.point[index]
    band = max(before.quantiles[SHOWN_LEVEL][index] - median, LEAST_STRAY * abs(median))
    return bool(abs(new[index] - median) > band)


def _alarms(known: Forecast, before: Forecast, margin_s: float) -> bool:
    """Return whether a level shift was found that is no earlier one dated anew."""
    if known.shift_at is None:
        return False
    return before.shift_at is None or known.shift_at > before.shift_at + margin_s


def _refit_slots(ask: ForecastSpec) -> int:
    season = min(ask.seasons_s, default=86_400)
    return max(1, season // REFITS_PER_SEASON // ask.step_s)


def _remember(
    forecast: Forecast,
    last_slot: int,
    ask: ForecastSpec,
    tier: Effort,
    fitted_slot: int,
    whole_season: bool,
    asked: AskedFit | None,
) -> ForecastMemory:
    outlook = Outlook(
        start=float((last_slot + 1) * ask.step_s),
        step_s=float(ask.step_s),
        upper=forecast.quantiles[ask.quantile],
        median=forecast.point,
    )
    return ForecastMemory(forecast, outlook, last_slot, tier, fitted_slot, whole_season, asked)


def add_histories(
    event_types: Sequence[EventType], histories: Sequence[History], step_s: int
) -> tuple[NDArray[np.float32], float]:
    """Return the weighted sum of histories over the slots that all cover, shape (n,), and its start, epoch s.

    A slot that any event type lacks is NaN: part of a load is no load to learn from. Many sums may wait for a forecast
    together, so they take no more room than histories do.
    """
    start = max(h.start for h in histories)
    end = min(h.start + len(h.values) * step_s for h in histories)
    slots = max(0, round((end - start) / step_s))
    total = np.zeros(slots)
    for event_type, history in zip(event_types, histories, strict=True):
        first = round((start - history.start) / step_s)
        total += event_type.weight * history.values[first : first + slots].astype(np.float64)
    return total.astype(np.float32), start
