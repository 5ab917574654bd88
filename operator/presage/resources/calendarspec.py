"""The `calendar` block: what the user knows of days to come that no history shows."""

from __future__ import annotations

from datetime import datetime, time
from typing import Annotated, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from presage.core.calendar.spec import (
    WEEKDAYS,
    CalendarSpec,
    Effect,
    HolidayRule,
    Ignore,
    LikeDay,
    Minimum,
    Multiply,
    OneOff,
    Recurrence,
    Window,
)
from presage.resources.base import Model, Rule
from presage.resources.fields import DnsLabel, TimeZone
from presage.resources.public_holidays import MAX_NAME, subdivisions_of

MAX_WINDOWS = 64
_DATE = r"2[01][0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]"
_OFFSET = r":[0-5][0-9](Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
_NO_DATES = ("02-30", "02-31", "04-31", "06-31", "09-31", "11-31")

Weekday = Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
Factor = Annotated[
    str,
    Field(min_length=1, max_length=8),
    Rule(
        "self.matches('^[0-9]{1,3}([.][0-9]{1,4})?$') && double(self) >= 0.01 && double(self) <= 100.0",
        'multiply must be from 0.01 to 100, written as a string such as "1.8"',
        lambda text: _is_decimal(text) and 0.01 <= float(text) <= 100,
    ),
]
Moment = Annotated[str, Field(min_length=16, max_length=25, pattern=f"^{_DATE}T{_CLOCK}(:[0-5][0-9]|{_OFFSET})?$")]
TimeOfDay = Annotated[str, Field(min_length=5, max_length=5, pattern=f"^{_CLOCK}$")]
MonthDay = Annotated[
    int,
    Field(ge=-1, le=31),
    Rule("self != 0", "a day of the month must be from 1 to 31, or -1 for the last one", lambda day: day != 0),
]
YearDay = Annotated[
    str,
    Field(min_length=5, max_length=5, pattern="^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"),
    Rule(
        f"!(self in {list(_NO_DATES)})",
        'a day of the year must be one that there is, as month and day such as "12-24"',
        lambda text: text not in _NO_DATES,
    ),
]


def _is_decimal(text: str) -> bool:
    whole, point, part = text.partition(".")
    digits = whole + part
    return digits.isascii() and digits.isdecimal() and 1 <= len(whole) <= 3 and (1 <= len(part) <= 4 if point else True)


class EffectSpec(Model):
    """What an entry of the calendar does: exactly one of four things."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "[has(self.multiply), has(self.minimum), has(self.likeDay), has(self.ignore)].exists_one(given, given)",
            "effect must have exactly one of multiply, minimum, likeDay and ignore",
            lambda effect: sum(each is not None for each in effect.choices) == 1,
        ),
    )

    multiply: Factor | None = Field(
        default=None,
        description="The load is so many times what it would be, as a decimal from 0.01 to 100. Scales the forecast.",
        examples=["1.8"],
    )
    minimum: int | None = Field(
        default=None,
        ge=1,
        le=10_000,
        description="Fewest replicas, ready when the window begins, with or without data. Never above maxReplicas.",
        examples=[20],
    )
    like_day: Weekday | None = Field(
        default=None, description="The load is as on this day of the week.", examples=["Sunday"]
    )
    ignore: Literal[True] | None = Field(
        default=None,
        description="The load tells nothing: replicas follow the load observed, and nothing is learned from it.",
    )

    @property
    def choices(self) -> tuple[object, ...]:
        """The four fields, of which one is given."""
        return self.multiply, self.minimum, self.like_day, self.ignore

    def to_core(self) -> Effect:
        """Return the one effect that is given."""
        if self.multiply is not None:
            return Multiply(float(self.multiply))
        if self.minimum is not None:
            return Minimum(self.minimum)
        if self.like_day is not None:
            return LikeDay(WEEKDAYS.index(self.like_day))
        return Ignore()


class RecurrenceSpec(Model):
    """Days on which a window comes back, and its time on them."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "[has(self.weekly), has(self.monthly), has(self.yearly)].exists_one(given, given)",
            "recurrence must have exactly one of weekly, monthly and yearly",
            lambda when: sum(bool(each) for each in (when.weekly, when.monthly, when.yearly)) == 1,
        ),
    )

    weekly: tuple[Weekday, ...] | None = Field(
        default=None,
        min_length=1,
        max_length=7,
        description="Days of the week.",
        examples=[["Tuesday", "Thursday"]],
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    monthly: tuple[MonthDay, ...] | None = Field(
        default=None,
        min_length=1,
        max_length=31,
        description="Days of the month, 1 to 31, or -1 for the last one. Months without such a day are left out.",
        examples=[[1, -1]],
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    yearly: tuple[YearDay, ...] | None = Field(
        default=None,
        min_length=1,
        max_length=31,
        description='Days of the year as month and day. Quote them. "02-29" comes in leap years only.',
        examples=[["12-24"]],
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    at: TimeOfDay = Field(
        default="00:00", description="Time of day at which it begins, in the calendar's time zone. Quote it."
    )
    duration_seconds: int = Field(
        default=86_400,
        ge=60,
        le=31 * 86_400,
        description="How long it lasts on the clock on the wall, in seconds: 86400 is a whole day at any clock change.",
    )

    @field_validator("weekly", "monthly", "yearly", mode="after")
    @classmethod
    def _no_day_twice(cls, days: tuple[object, ...] | None) -> tuple[object, ...] | None:
        if days is not None and len(set(days)) < len(days):
            raise PydanticCustomError("duplicate", "a recurrence must not contain a day twice")
        return days

    def to_core(self) -> Recurrence:
        """Return the same recurrence in plain data."""
        return Recurrence(
            at=time.fromisoformat(self.at),
            duration_s=self.duration_seconds,
            weekdays=tuple(WEEKDAYS.index(day) for day in self.weekly or ()),
            month_days=self.monthly or (),
            year_days=tuple((int(day[:2]), int(day[3:])) for day in self.yearly or ()),
        )


class WindowSpec(Model):
    """A time that is not like others: once, or again and again."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.from) == has(self.to) && has(self.from) != has(self.recurrence)",
            "a window must have from and to, or recurrence",
            lambda window: (
                (window.from_ is None) == (window.to is None) and (window.from_ is None) != (window.recurrence is None)
            ),
        ),
        Rule(
            "!has(self.from) || !has(self.to) || "
            "self.from.matches('(Z|[+-][0-9]{2}:[0-9]{2})$') == self.to.matches('(Z|[+-][0-9]{2}:[0-9]{2})$')",
            "from and to must both have an offset, or neither",
            lambda window: (
                window.from_ is None or window.to is None or _has_offset(window.from_) == _has_offset(window.to)
            ),
        ),
        Rule(
            "!has(self.from) || !has(self.to) || "
            "(self.from.matches('(Z|[+-][0-9]{2}:[0-9]{2})$') && self.to.matches('(Z|[+-][0-9]{2}:[0-9]{2})$') "
            "? timestamp(self.from) < timestamp(self.to) : self.from < self.to)",
            "from must be before to",
            lambda window: window.in_order,
        ),
        Rule(
            "!has(self.rampSeconds) || self.rampSeconds == 0 || has(self.effect.multiply) || has(self.effect.minimum)",
            "rampSeconds needs effect multiply or minimum",
            lambda window: (
                window.ramp_seconds == 0 or window.effect.multiply is not None or window.effect.minimum is not None
            ),
        ),
    )

    name: DnsLabel = Field(description="Name of the window, unique in the calendar; status shows it.")
    from_: Moment | None = Field(
        default=None,
        alias="from",
        description=(
            "When it begins: a time in the calendar's time zone, or RFC 3339 with an offset. Needs to; not beside "
            "recurrence."
        ),
        examples=["2026-11-27T08:00"],
    )
    to: Moment | None = Field(
        default=None, description="When it is over, written like from.", examples=["2026-11-28T00:00"]
    )
    recurrence: RecurrenceSpec | None = Field(
        default=None, description="When it comes back again and again. Not beside from and to."
    )
    ramp_seconds: int = Field(
        default=0,
        ge=0,
        le=86_400,
        description="Time over which multiply or minimum rises before the start and fades after the end, in seconds.",
    )
    effect: EffectSpec = Field(description="What it does: exactly one of multiply, minimum, likeDay and ignore.")

    @field_validator("from_", "to", mode="after")
    @classmethod
    def _real_moment(cls, text: str | None) -> str | None:
        if text is not None:
            try:
                datetime.fromisoformat(text)
            except ValueError:
                raise PydanticCustomError("moment", "this date does not exist") from None
        return text

    @property
    def in_order(self) -> bool:
        """Whether `from` is before `to`, as far as both can be compared."""
        if self.from_ is None or self.to is None or _has_offset(self.from_) != _has_offset(self.to):
            return True
        return datetime.fromisoformat(self.from_) < datetime.fromisoformat(self.to)

    def to_core(self) -> Window:
        """Return the same window in plain data."""
        when: OneOff | Recurrence
        if self.recurrence is not None:
            when = self.recurrence.to_core()
        else:
            when = OneOff(datetime.fromisoformat(self.from_ or ""), datetime.fromisoformat(self.to or ""))
        return Window(self.name, when, self.ramp_seconds, self.effect.to_core())


def _has_offset(text: str) -> bool:
    return text.endswith("Z") or text[-6] in "+-"


class HolidaySettings(Model):
    """Whose public holidays count, and what they do."""

    country: str = Field(
        min_length=2, max_length=2, pattern="^[A-Z]{2}$", description="ISO 3166-1 code of a country.", examples=["DE"]
    )
    subdivision: str | None = Field(
        default=None,
        min_length=1,
        max_length=64,
        description="Code of a part of the country; its own holidays count too.",
        examples=["BY"],
    )
    effect: EffectSpec = Field(
        default_factory=lambda: EffectSpec(like_day="Sunday"),
        description="What a holiday does, from midnight to midnight. Left out, the load is like on a Sunday.",
        json_schema_extra={"default": {"likeDay": "Sunday"}},
    )

    @field_validator("country", mode="after")
    @classmethod
    def _known_country(cls, code: str) -> str:
        if code not in subdivisions_of():
            raise PydanticCustomError(
                "country", 'no holidays are known of this country: give an ISO 3166-1 code such as "DE"'
            )
        return code

    @field_validator("subdivision", mode="after")
    @classmethod
    def _known_part(cls, code: str | None, info: ValidationInfo) -> str | None:
        country = info.data.get("country")
        if code is not None and country is not None and code not in subdivisions_of()[country]:
            parts = ", ".join(sorted(subdivisions_of()[country])) or "none"
            raise PydanticCustomError(
                "subdivision",
                "{country} has no such subdivision; known are: {parts}",
                {"country": country, "parts": parts},
            )
        return code

    def to_core(self) -> HolidayRule:
        """Return the same rule in plain data."""
        return HolidayRule(self.country, self.subdivision, self.effect.to_core())


class CalendarSettings(Model):
    """What the user knows of days to come."""

    time_zone: TimeZone | None = Field(
        default=None,
        description="Time zone of all days and times here, as an IANA name. Left out, that of the forecast.",
        examples=["Europe/Berlin"],
    )
    holidays: HolidaySettings | None = Field(default=None, description="Public holidays; left out, none count.")
    windows: tuple[WindowSpec, ...] = Field(
        default=(),
        max_length=MAX_WINDOWS,
        description=(
            "Times that are not like others. Where they overlap, multipliers multiply and the largest minimum wins."
        ),
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )

    @field_validator("windows", mode="after")
    @classmethod
    def _no_name_twice(cls, windows: tuple[WindowSpec, ...]) -> tuple[WindowSpec, ...]:
        if len({each.name for each in windows}) < len(windows):
            raise PydanticCustomError("duplicate", "windows must not contain a name twice")
        return windows

    def to_core(self, time_zone: str | None) -> CalendarSpec:
        """Return the same calendar in plain data; `time_zone` counts where none of its own is given."""
        return CalendarSpec(
            time_zone=self.time_zone or time_zone or "UTC",
            holidays=self.holidays.to_core() if self.holidays else None,
            windows=tuple(window.to_core() for window in self.windows),
        )


class CalendarEntryStatus(Model):
    """One window or holiday."""

    name: str = Field(max_length=MAX_NAME, description="Name of the window or the holiday.")
    from_: str = Field(
        alias="from",
        description="When it begins (RFC 3339), without its ramp.",
        json_schema_extra={"format": "date-time"},
    )
    to: str = Field(
        description="When it is over (RFC 3339), without its ramp.", json_schema_extra={"format": "date-time"}
    )
    effect: str = Field(max_length=64, description='What it does, such as "Minimum 20".')


class CalendarStatus(Model):
    """What the calendar says now."""

    in_force: tuple[CalendarEntryStatus, ...] = Field(
        default=(), max_length=8, description="Entries in force now, ramps included."
    )
    next: CalendarEntryStatus | None = Field(default=None, description="The entry that begins next.")
    minimum: int | None = Field(
        default=None, ge=0, description="Fewest replicas that it asks for now, one lead time ahead of the window."
    )
