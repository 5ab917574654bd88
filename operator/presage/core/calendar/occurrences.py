"""When the entries of a calendar are: spans of time, out of days, times of day and time zones."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from presage.core.calendar.spec import Calendar, Effect, OneOff, Recurrence, Window
from presage.core.calendar.walltime import extent_of, wall_of, zone_of

DAY = timedelta(days=1)
LONGEST_WAIT_DAYS = 8 * 366  # the 29th of February comes back within eight years


@dataclass(frozen=True, slots=True)
class Span:
    """One time an entry is in force.

    Attributes:
        name: Of the window or the holiday.
        effect: What it does.
        start: Epoch second at which it is fully in force.
        end: Epoch second at which it no longer is.
        ramp_s: Seconds before `start` and after `end` over which it rises and fades.
    """

    name: str
    effect: Effect
    start: float
    end: float
    ramp_s: float = 0.0

    @property
    def begins(self) -> float:
        """Epoch second at which any of it is in force."""
        return self.start - self.ramp_s

    @property
    def ceases(self) -> float:
        """Epoch second at which nothing of it is in force any more."""
        return self.end + self.ramp_s


def find_spans(known: Calendar, since: float, until: float) -> tuple[Span, ...]:
    """Return what is in force, in part at least, in [since, until): windows in their order, then holidays."""
    zone = zone_of(known.spec.time_zone)
    walks = (*(_walk(window, zone, since) for window in known.spec.windows), _holidays(known, zone))
    return tuple(span for walk in walks for span in _between(walk, since, until))


def find_next(known: Calendar, after: float) -> Span | None:
    """Return the span that starts next after a moment; None if none does."""
    zone = zone_of(known.spec.time_zone)
    walks = (*(_walk(window, zone, after) for window in known.spec.windows), _holidays(known, zone))
    coming = (next((span for span in walk if span.start > after), None) for walk in walks)
    return min((span for span in coming if span is not None), key=lambda span: span.start, default=None)


def _between(spans: Iterable[Span], since: float, until: float) -> Iterator[Span]:
    """Yield those of spans in order that are in force in [since, until)."""
    for span in spans:
        if span.begins >= until:
            return
        if span.ceases > since:
            yield span


def _walk(window: Window, zone: ZoneInfo, since: float) -> Iterator[Span]:
    """Yield the spans of a window in order, from one on that ceases before `since` if there is any."""
    if isinstance(window.when, OneOff):
        begin, finish = window.when.start, window.when.end
        start, end = (begin.timestamp(), finish.timestamp()) if begin.tzinfo else extent_of(begin, finish, zone)
        yield Span(window.name, window.effect, start, end, window.ramp_s)
        return
    length = timedelta(seconds=window.when.duration_s)
    reach = timedelta(seconds=window.when.duration_s + window.ramp_s) + 2 * DAY
    first = (wall_of(since, zone) - reach).date()
    for day in _days(window.when, first):
        wall = datetime.combine(day, window.when.at)
        yield Span(window.name, window.effect, *extent_of(wall, wall + length, zone), window.ramp_s)


def _days(when: Recurrence, first: date) -> Iterator[date]:
    """Yield the days of a recurrence from `first` on, in order."""
    day, left = first, LONGEST_WAIT_DAYS
    while left and day < date.max - timedelta(days=64):
        if _falls_on(when, day):
            yield day
            left = LONGEST_WAIT_DAYS
        day, left = day + DAY, left - 1


def _falls_on(when: Recurrence, day: date) -> bool:
    if when.weekdays:
        return day.weekday() in when.weekdays
    if when.month_days:
        last = -1 in when.month_days and day.day == calendar.monthrange(day.year, day.month)[1]
        return last or day.day in when.month_days
    return (day.month, day.day) in when.year_days


def _holidays(known: Calendar, zone: ZoneInfo) -> Iterator[Span]:
    if known.spec.holidays is None:
        return
    for holiday in known.holidays:
        midnight = datetime.combine(holiday.day, time())
        yield Span(holiday.name, known.spec.holidays.effect, *extent_of(midnight, midnight + DAY, zone))
