"""Forecasts of one MetricProfile, and the gate of what is scaled by them, up to the newest complete slot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from presage.core.calendar.learning import Adjustment, learnable, plan_adjustment
from presage.core.calendar.spec import Calendar
from presage.core.forecast.api import FloatArray, Series
from presage.core.profile import EventType
from presage.core.query import Selection
from presage.core.scaling.foresight import ForecastMemory, bring_up, newest_slot, take_over
from presage.core.scaling.gate import GateMemory, Setting, due_span, plan_job, take_replay
from presage.core.scaling.replay import Past
from presage.reconcile.metricprofile.inputs import Basis
from presage.reconcile.ports import Forecaster, History, Loads

NO_CALENDAR = Calendar()


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks for a forecast.

    Attributes:
        basis: What is measured, and how it is to be forecast.
        selections: One for each event type.
        phase: Names the object and what is measured of it; spreads the work of all over time.
        calendar: What is not to be learned, and what the forecast is to be adjusted by.
    """

    basis: Basis
    selections: Sequence[Selection]
    phase: str
    calendar: Calendar = NO_CALENDAR


@dataclass(frozen=True, slots=True)
class Forecasted:
    """A forecast that was looked after.

    Attributes:
        memory: The one in force; None before the first.
        series: The history that it stands on, if that is newer than at the last look.
    """

    memory: ForecastMemory | None
    series: Series | None = None


async def update_forecast(
    asker: Asker, known: ForecastMemory | None, now: float, loads: Loads, forecaster: Forecaster
) -> Forecasted:
    """Return the forecast brought up to the newest complete slot; unchanged if there is nothing newer.

    With another calendar it is made anew.

    Args:
        asker: Who asks.
        known: From the last call.
        now: Epoch seconds.
        loads: Where the history comes from.
        forecaster: Forecasts.

    Raises:
        SourceFault: If there is no history.
    """
    ask = asker.basis.forecast
    memory = take_over(known, ask)
    same = memory if memory is not None and memory.calendar == asker.calendar.spec else None
    if same is not None and same.last_slot == int(now // ask.step_s) - 1:
        return Forecasted(same)
    values, start = await _load_history(asker, ask.step_s, ask.history_s, now, loads)
    if not np.isfinite(values).any():
        return Forecasted(memory)
    learned = learnable(asker.calendar, values, start, ask.step_s)
    load = cast(FloatArray, learned)  # the engine widens it: waiting, it is as short as the history
    series = Series(load, start, ask.step_s, ask.seasons_s or None, ask.time_zone)
    if same is not None and newest_slot(series) == same.last_slot:
        return Forecasted(same)
    memory = await bring_up(series, same, ask, asker.phase, forecaster)
    adjustment = _plan_adjustment(asker.calendar, series, ask.horizon_slots, int(np.isfinite(values).sum()))
    return Forecasted(replace(memory, adjustment=adjustment, calendar=asker.calendar.spec), series)


@dataclass(frozen=True, slots=True)
class Foresight:
    """What is known of one load's future, and of how well it could have been foreseen."""

    forecast: ForecastMemory | None
    gate: GateMemory


@dataclass(frozen=True, slots=True)
class Stake:
    """What is scaled by a forecast, so that past days are replayed to see which rule serves it best.

    Attributes:
        setting: What past days are replayed with.
        unmet_load: The objective.
    """

    setting: Setting
    unmet_load: float


async def update_foresight(
    asker: Asker, stake: Stake, known: Foresight, now: float, loads: Loads, forecaster: Forecaster
) -> Foresight:
    """Return forecast and gate brought up to the newest complete slot; see `update_forecast`.

    Raises:
        SourceFault: If there is no history.
    """
    gate = take_replay(known.gate, stake.unmet_load)
    found = await update_forecast(asker, known.forecast, now, loads, forecaster)
    if found.series is not None and found.memory is not None and found.memory.whole_season:
        gate = await _bring_gate_up(asker, stake.setting, gate, found.series, now, loads, forecaster)
    return Foresight(found.memory, gate)


def _plan_adjustment(calendar: Calendar, series: Series, horizon: int, known: int) -> Adjustment | None:
    """Return what the calendar makes of the forecast after a history, of which `known` slots had a load."""
    if not calendar:
        return None
    step, end = series.step, series.start + len(series.values) * series.step
    made = plan_adjustment(calendar, end, step, horizon, series.values, series.start)
    left_out = known - int(np.isfinite(series.values).sum())
    if not left_out:
        return made
    said = f"{left_out} slots of the history count as missing, since the calendar leaves them out."
    return replace(made, warnings=(*made.warnings, said))


async def _bring_gate_up(
    asker: Asker,
    setting: Setting,
    gate: GateMemory,
    series: Series,
    now: float,
    loads: Loads,
    forecaster: Forecaster,
) -> GateMemory:
    """Ask for a replay of the days that are due, on the load at the replay's own ticks."""
    end = series.start + len(series.values) * series.step
    span = due_span(gate, setting, end, series.start)
    if span is None:
        return gate
    tick = round(setting.tick_s)
    values, start = await _load_history(asker, tick, now - span[0] + tick, now, loads)
    values = learnable(asker.calendar, values, start, tick)  # what the calendar foresaw is no fault of a rule
    count = round((span[1] - span[0]) / tick)
    ticks = np.full(count, np.nan)
    offset = round((start - span[0]) / tick)
    first, last = max(0, offset), min(count, offset + len(values))
    if last > first:
        ticks[first:last] = values[first - offset : last - offset]
    window = asker.basis.forecast.history_s // asker.basis.forecast.step_s
    job = plan_job(Past(series, ticks, span[0], setting.tick_s, window), span, setting)
    return replace(gate, until=span[1], asked=(forecaster.replay(job), setting))


async def _load_history(
    asker: Asker, step_s: int, history_s: float, now: float, loads: Loads
) -> tuple[NDArray[np.float32], float]:
    basis = asker.basis
    histories = await loads.history(basis.source, asker.selections, step_s, history_s, now)
    return add_histories(basis.event_types, histories, step_s)


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
