"""Whether a level shift is news: told once, not again after a restart, and not more often than a person reads.

A shift is news if the forecast before it knew of none or of an earlier one. The first forecast of a load tells of the
past, so a shift in it is shown in status and is no news.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from presage.core.forecast.geometry import geometry_of
from presage.core.forecast.spec import ForecastSpec
from presage.core.scaling.foresight import ForecastMemory
from presage.core.units import parse_time, to_time
from presage.reconcile.kind import Note
from presage.reconcile.metricprofile.inputs import ShiftMemory

QUIET_S = 600.0  # one event per object in this time
SAME_SHIFT_DAYS = 1 / 24  # a later fit may date the same shift so much later


def recall_shift(forecast: Mapping[str, Any] | None) -> ShiftMemory:
    """Return what a forecast in status knows of shifts, so that a restart does not tell of the last one again."""
    if not isinstance(forecast, Mapping):
        return ShiftMemory()
    return ShiftMemory(known=True, at=parse_time(forecast.get("levelShiftTime")))


def judge_shift(
    before: ShiftMemory, memory: ForecastMemory | None, ask: ForecastSpec, what: str, now: float
) -> tuple[ShiftMemory, tuple[Note, ...]]:
    """Return what is known of shifts now, and the event to write if the last one is news.

    Args:
        before: What was told.
        memory: The forecast in force.
        ask: How it was asked for.
        what: What is forecast, such as `load of shop`.
        now: Epoch seconds.
    """
    if memory is None:
        return before, ()
    at = memory.forecast.shift_at
    after = replace(before, known=True, at=before.at if at is None else max(at, before.at or at))
    geometry = geometry_of(ask.step_s, ask.seasons_s or None)
    same = before.at is not None and at is not None and at <= before.at + geometry.slots(SAME_SHIFT_DAYS) * ask.step_s
    if at is None or not before.known or same:
        return after, ()
    if now - before.told_at < QUIET_S:
        return before, ()  # it will be told later
    said = (
        f"The {what} changed its level at {to_time(at)}: "
        "the forecast goes by what came since, with a wider band until it has seen enough."
    )
    return replace(after, told_at=now), (Note("LevelShifted", said),)
