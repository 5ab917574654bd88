"""Public holidays of countries and their parts, from the package `holidays`.

It is imported when a calendar first names a country: that takes some tenths of a second and 20 MB.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache, lru_cache

from presage.core.calendar.spec import Calendar, CalendarSpec, Holiday

MAX_NAME = 100
_LANGUAGE = "en_US"  # where a country has it; else its own


@cache
def subdivisions_of() -> Mapping[str, frozenset[str]]:
    """Return the codes of all countries known, each with those of its parts."""
    import holidays  # dear to import, and few calendars need it

    return {country: frozenset(parts) for country, parts in holidays.list_supported_countries().items()}


@lru_cache(maxsize=1024)
def find_holidays(country: str, subdivision: str | None, year: int) -> tuple[Holiday, ...]:
    """Return the public holidays of one year in order, none for a country or part that is not known."""
    if subdivision not in (None, *subdivisions_of().get(country, ())):
        return ()
    if country not in subdivisions_of():
        return ()
    import holidays  # as above

    found = holidays.country_holidays(country, subdiv=subdivision, years=year, language=_LANGUAGE)
    return tuple(Holiday(day, str(found[day])[:MAX_NAME]) for day in sorted(found))


def open_calendar(spec: CalendarSpec, now: float) -> Calendar:
    """Return a calendar with the holidays of last year, this one and the next."""
    rule = spec.holidays
    if rule is None:
        return Calendar(spec)
    year = datetime.fromtimestamp(now, UTC).year
    years = (year - 1, year, year + 1)
    days = (day for each in years for day in find_holidays(rule.country, rule.subdivision, each))
    return Calendar(spec, tuple(days))
