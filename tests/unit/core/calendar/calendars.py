"""Builders of calendars for tests, and moments as people write them."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from presage.core.calendar.spec import (
    Calendar,
    CalendarSpec,
    Effect,
    Holiday,
    HolidayRule,
    LikeDay,
    Minimum,
    OneOff,
    Recurrence,
    Window,
)

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"


def at(text: str, zone: str = "UTC") -> float:
    """Return the epoch second of a moment, with its own offset or in a zone."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))).timestamp()


def once(start: str, end: str, effect: Effect | None = None, *, name: str = "sale", ramp_s: int = 0) -> Window:
    """Return a window that comes once; a minimum of 20 unless another effect is given."""
    when = OneOff(datetime.fromisoformat(start), datetime.fromisoformat(end))
    return Window(name, when, ramp_s, effect or Minimum(20))


def again(
    clock: str = "00:00",
    duration_s: int = 3600,
    *,
    effect: Effect | None = None,
    name: str = "again",
    ramp_s: int = 0,
    weekdays: tuple[int, ...] = (),
    month_days: tuple[int, ...] = (),
    year_days: tuple[tuple[int, int], ...] = (),
) -> Window:
    """Return a window that comes back."""
    when = Recurrence(time.fromisoformat(clock), duration_s, weekdays, month_days, year_days)
    return Window(name, when, ramp_s, effect or Minimum(20))


EVERY_DAY = tuple(range(7))


def calendar(*windows: Window, zone: str = "UTC") -> Calendar:
    """Return a calendar of windows."""
    return Calendar(CalendarSpec(zone, None, windows))


def holiday_calendar(*days: str, effect: Effect | None = None, zone: str = "UTC") -> Calendar:
    """Return a calendar of holidays."""
    rule = HolidayRule("DE", None, effect or LikeDay(6))
    return Calendar(CalendarSpec(zone, rule), tuple(Holiday(date.fromisoformat(day), f"Holiday {day}") for day in days))
