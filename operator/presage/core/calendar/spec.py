"""What a calendar says, in plain data: windows of time, public holidays, and what each of them does."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time


@dataclass(frozen=True, slots=True)
class Multiply:
    """The load is `factor` times what it would be without the window."""

    factor: float

    def __str__(self) -> str:
        return f"Multiply {self.factor:g}"


@dataclass(frozen=True, slots=True)
class Minimum:
    """At least so many replicas are wanted, whatever is known of the load."""

    replicas: int

    def __str__(self) -> str:
        return f"Minimum {self.replicas}"


@dataclass(frozen=True, slots=True)
class LikeDay:
    """The load is as on another day of the week; 0 = Monday."""

    weekday: int

    def __str__(self) -> str:
        return f"LikeDay {WEEKDAYS[self.weekday]}"


@dataclass(frozen=True, slots=True)
class Ignore:
    """The load tells nothing: no forecast of it, and nothing is learned from it."""

    def __str__(self) -> str:
        return "Ignore"


WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
Effect = Multiply | Minimum | LikeDay | Ignore


@dataclass(frozen=True, slots=True)
class OneOff:
    """From one moment to another; without an offset they are times of the calendar's zone."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Recurrence:
    """Again and again, from a time of day on, as long as `duration_s` on the clock on the wall.

    Exactly one of the three says on which days.

    Attributes:
        at: Time of day at which it begins.
        duration_s: From 1 minute to 31 days.
        weekdays: 0 = Monday.
        month_days: 1 to 31, or -1 for the last day of the month. Months without such a day are left out.
        year_days: (month, day). Years without such a day are left out.
    """

    at: time
    duration_s: int
    weekdays: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
    year_days: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Window:
    """One named entry.

    Attributes:
        name: Unique in the calendar.
        when: Once, or again and again.
        ramp_s: Seconds over which the effect rises before the start, and fades after the end.
        effect: What it does.
    """

    name: str
    when: OneOff | Recurrence
    ramp_s: int
    effect: Effect


@dataclass(frozen=True, slots=True)
class HolidayRule:
    """Whose public holidays count, and what they do.

    Attributes:
        country: ISO 3166-1 alpha-2 code.
        subdivision: Part of the country; None = the days that all of it keeps.
        effect: Of each of these days, from midnight to midnight.
    """

    country: str
    subdivision: str | None
    effect: Effect


@dataclass(frozen=True, slots=True)
class CalendarSpec:
    """The validated calendar of one profile; empty by default.

    Attributes:
        time_zone: IANA name; days and times without an offset are meant there.
        holidays: None = none count.
        windows: Unique names.
    """

    time_zone: str = "UTC"
    holidays: HolidayRule | None = None
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True)
class Holiday:
    """One public holiday."""

    day: date
    name: str


@dataclass(frozen=True, slots=True)
class Calendar:
    """A calendar together with the days that its holidays fall on, as far as they can matter now."""

    spec: CalendarSpec = field(default_factory=CalendarSpec)
    holidays: tuple[Holiday, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.spec.windows or self.holidays)
