"""One load's forecast, kept up: when it is moved along, and when it is fitted anew.

The batch tier answers at once. The full tier follows and is taken over at the first look after it is done; while it is
late, failed or killed, what is in force stays in force. Who computes is a port: the operator's pool, or a direct call.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from presage.core.calendar.learning import Adjustment
from presage.core.calendar.spec import CalendarSpec
from presage.core.forecast.api import Effort, Forecast, Series, State
from presage.core.forecast.geometry import geometry_of
from presage.core.forecast.spec import ForecastSpec
from presage.core.scaling.outlook import SHOWN_LEVEL, Outlook, draw_outlook, levels_for

T_co = TypeVar("T_co", covariant=True)

REFITS_PER_SEASON = 24  # hourly on a day, and as often on a compressed one
LEAST_STRAY = 0.01  # share of the median by which a load strays at least: none from a forecast that is exact
LONGEST_WITHOUT_FIT = 6  # periods of refits that a full fit stays in force where no other one succeeds


class Asked(Protocol[T_co]):
    """Work that was asked for and is done elsewhere."""

    def done(self) -> bool:
        """Return whether there is a result."""

    def result(self) -> T_co | None:
        """Return it, None if the work failed; only once it is done."""


FullFit = Asked[Forecast]
"""A fit of the full tier that was asked for."""


class Forecaster(Protocol):
    """Runs the pure forecaster where it cannot hold up whoever asks."""

    async def forecast(
        self, series: Series, horizon: int, quantiles: tuple[float, ...], state: State | None
    ) -> Forecast:
        """Return the batch tier's forecast, with everything chosen anew."""

    async def advance(
        self, state: State, new_values: NDArray[np.float64], horizon: int, quantiles: tuple[float, ...]
    ) -> Forecast:
        """Return a forecast from stored coefficients and the newest slots."""

    def fit(self, series: Series, horizon: int, quantiles: tuple[float, ...], state: State | None) -> FullFit:
        """Ask for the full tier's forecast; it comes when it comes, or not at all."""


@dataclass(frozen=True, slots=True)
class AskedFit:
    """A full fit that was asked for.

    Attributes:
        series: The history that it knows.
        slot: Index of the newest slot of it.
        fit: To be looked at; None once it was taken over or failed.
    """

    series: Series
    slot: int
    fit: FullFit | None


@dataclass(frozen=True, slots=True)
class ForecastMemory:
    """The last forecast and the slot it stands on.

    Attributes:
        forecast: As the forecaster gave it.
        outlook: The same on the clock, and what earlier days showed.
        last_slot: Index of the newest slot it knows.
        tier: Which one fitted it.
        fitted_slot: Index of the newest slot that this fit knew.
        whole_season: Whether as many slots are known as one season has: a long history may be all holes.
        asked: The last full fit that was asked for.
        adjustment: What the calendar makes of it; None without one. `forecast` and `outlook` are without.
        calendar: The calendar that was learned with.
    """

    forecast: Forecast
    outlook: Outlook
    last_slot: int
    tier: Effort
    fitted_slot: int
    whole_season: bool
    asked: AskedFit | None = None
    adjustment: Adjustment | None = None
    calendar: CalendarSpec = field(default_factory=CalendarSpec)


def adjust(memory: ForecastMemory) -> ForecastMemory:
    """Return a forecast with the calendar in all that it says of the time ahead; what it says of its past stays."""
    if memory.adjustment is None:
        return memory
    forecast, outlook = memory.forecast, memory.outlook
    levels, names = tuple(forecast.quantiles), tuple(outlook.curves)
    courses = [forecast.point, *forecast.quantiles.values(), *outlook.curves.values()]
    made = memory.adjustment.apply(np.stack(courses), outlook.start)
    quantiles = dict(zip(levels, made[1 : 1 + len(levels)], strict=True))
    curves = dict(zip(names, made[1 + len(levels) :], strict=True))
    return replace(
        memory,
        forecast=replace(forecast, point=made[0], quantiles=quantiles),
        outlook=replace(outlook, median=made[0], curves=curves),
    )


def take_over(memory: ForecastMemory | None, ask: ForecastSpec) -> ForecastMemory | None:
    """Return what is in force once a full fit is done; one that failed leaves what was."""
    asked = memory.asked if memory else None
    if memory is None or asked is None or asked.fit is None or not asked.fit.done():
        return memory
    seen = AskedFit(_EMPTY, asked.slot, None)
    forecast = asked.fit.result()
    if forecast is None:
        return replace(memory, asked=seen)
    fitted = _remember(forecast, asked.series, asked.slot, ask, "full", asked.slot, memory.whole_season)
    return replace(fitted, asked=seen, adjustment=memory.adjustment, calendar=memory.calendar)


async def bring_up(
    series: Series, memory: ForecastMemory | None, ask: ForecastSpec, phase: str, forecaster: Forecaster
) -> ForecastMemory:
    """Return the forecast from a history that ends with another slot than the one in force knows.

    Args:
        series: The history, starting with a whole slot.
        memory: From the last call, after `take_over`.
        ask: How to forecast.
        phase: Names what is forecast; spreads the refits of all over time.
        forecaster: Forecasts.
    """
    last_slot = newest_slot(series)
    levels, horizon, values = levels_for(ask.quantile), ask.horizon_slots, series.values
    geometry = geometry_of(ask.step_s, ask.seasons_s or None)
    whole_season = geometry.rung_of(int(np.isfinite(values).sum())) != "Hours"
    missed = last_slot - memory.last_slot if memory else 0
    state, asked = None, None
    if memory is not None and 0 < missed <= len(values):
        state, asked = memory.forecast.state, memory.asked
        last_fit = max(memory.fitted_slot, asked.slot if asked else 0)
        due = is_due(last_slot, last_fit, refit_slots(ask), phase)
        if not due or _outlasts(memory, last_slot, ask):
            new = values[-missed:].astype(np.float64)
            moved = known = await forecaster.advance(state, new, horizon, levels)
            if _strays(new, memory.forecast):  # only a fit looks for a level shift
                known = await forecaster.forecast(series, horizon, levels, state)
            if not _alarms(known, memory.forecast, refit_slots(ask) * ask.step_s):
                if due and (asked is None or asked.fit is None):
                    asked = AskedFit(series, last_slot, forecaster.fit(series, horizon, levels, moved.state))
                kept = _remember(moved, series, last_slot, ask, memory.tier, memory.fitted_slot, whole_season)
                return replace(kept, asked=asked)
            state, asked = moved.state, None  # a fit under way knows nothing of the new level
    # the first one, one that is due, after a level shift, or after the clock jumped
    forecast = await forecaster.forecast(series, horizon, levels, state)
    if asked is None or asked.fit is None:
        asked = AskedFit(series, last_slot, forecaster.fit(series, horizon, levels, state))
    fitted = _remember(forecast, series, last_slot, ask, "batch", last_slot, whole_season)
    return replace(fitted, asked=asked)


def newest_slot(series: Series) -> int:
    """Return the index, on the epoch's grid, of the newest slot of a history."""
    return int(series.start // series.step) + len(series.values) - 1


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


def refit_slots(ask: ForecastSpec) -> int:
    """Return the slots between two fits."""
    season = min(ask.seasons_s, default=86_400)
    return max(1, season // REFITS_PER_SEASON // ask.step_s)


def _outlasts(memory: ForecastMemory, slot: int, ask: ForecastSpec) -> bool:
    """Return whether the fit in force is better than a new one of the batch tier."""
    return memory.tier == "full" and slot - memory.fitted_slot < LONGEST_WITHOUT_FIT * refit_slots(ask)


def _strays(new: NDArray[np.float64], before: Forecast) -> bool:
    """Return whether the newest of the slots that came lies outside the band that was forecast, on either side."""
    index = len(new) - 1
    if index >= len(before.point) or not np.isfinite(new[index]):
        return False
    median = before.point[index]
    band = max(before.quantiles[SHOWN_LEVEL][index] - median, LEAST_STRAY * abs(median))
    return bool(abs(new[index] - median) > band)


def _alarms(known: Forecast, before: Forecast, margin_s: float) -> bool:
    """Return whether there is another level shift than before; a known one that is dated anew is none.

    A shift that is no longer found was a long burst that ended: what stands on its level must go at once.
    """
    if known.shift_at is None or before.shift_at is None:
        return known.shift_at != before.shift_at
    return abs(known.shift_at - before.shift_at) > margin_s


_EMPTY = Series(np.empty(0), 0.0, 1.0)


def _remember(
    forecast: Forecast,
    series: Series,
    last_slot: int,
    ask: ForecastSpec,
    tier: Effort,
    fitted_slot: int,
    whole_season: bool,
) -> ForecastMemory:
    outlook = draw_outlook(forecast, series, ask.quantile)
    return ForecastMemory(forecast, outlook, last_slot, tier, fitted_slot, whole_season)
