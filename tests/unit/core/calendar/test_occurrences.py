"""When entries of a calendar are, in zones whose clocks change."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice, pairwise

import pytest

from presage.core.calendar.occurrences import find_next, find_spans
from presage.core.calendar.spec import Calendar
from tests.unit.core.calendar.calendars import (
    BERLIN,
    EVERY_DAY,
    LORD_HOWE,
    NEW_YORK,
    again,
    at,
    calendar,
    holiday_calendar,
    once,
)


def spans(known: Calendar, since: str, until: str) -> list[tuple[float, float]]:
    return [(span.start, span.end) for span in find_spans(known, at(since), at(until))]


# Each: zone, time of day, duration, the day, when it is in force (with the offset of that moment).
CHANGES = {
    # Berlin 2026-03-29: 02:00 becomes 03:00. 2026-10-25: 03:00 becomes 02:00.
    "a day of 23 hours": (BERLIN, "00:00", 86_400, "2026-03-29", "T00:00+01:00", "2026-03-30T00:00+02:00"),
    "a day of 25 hours": (BERLIN, "00:00", 86_400, "2026-10-25", "T00:00+02:00", "2026-10-26T00:00+01:00"),
    "from before the gap": (BERLIN, "01:00", 7_200, "2026-03-29", "T01:00+01:00", "2026-03-29T03:00+02:00"),
    "from the gap's first second": (BERLIN, "02:00", 7_200, "2026-03-29", "T03:00+02:00", "2026-03-29T04:00+02:00"),
    "from within the gap": (BERLIN, "02:30", 3_600, "2026-03-29", "T03:00+02:00", "2026-03-29T03:30+02:00"),
    "into the gap": (BERLIN, "01:00", 5_400, "2026-03-29", "T01:00+01:00", "2026-03-29T03:30+02:00"),
    "wholly within the gap": (BERLIN, "02:10", 1_200, "2026-03-29", "T03:00+02:00", "2026-03-29T03:30+02:00"),
    "up to the doubled hour": (BERLIN, "01:00", 3_600, "2026-10-25", "T01:00+02:00", "2026-10-25T02:00+02:00"),
    "the gap itself": (BERLIN, "02:00", 3_600, "2026-03-29", "T03:00+02:00", "2026-03-29T04:00+02:00"),
    "from the gap's end": (BERLIN, "03:00", 3_600, "2026-03-29", "T03:00+02:00", "2026-03-29T04:00+02:00"),
    "into the doubled hour": (BERLIN, "01:00", 5_400, "2026-10-25", "T01:00+02:00", "2026-10-25T02:30+01:00"),
    "within the doubled hour": (BERLIN, "02:15", 1_800, "2026-10-25", "T02:15+02:00", "2026-10-25T02:45+01:00"),
    "the doubled hour": (BERLIN, "02:00", 3_600, "2026-10-25", "T02:00+02:00", "2026-10-25T03:00+01:00"),
    "over the doubled hour": (BERLIN, "01:30", 7_200, "2026-10-25", "T01:30+02:00", "2026-10-25T03:30+01:00"),
    # New York 2026-03-08: 02:00 becomes 03:00. 2026-11-01: 02:00 becomes 01:00.
    "gap in New York": (NEW_YORK, "02:30", 3_600, "2026-03-08", "T03:00-04:00", "2026-03-08T03:30-04:00"),
    "doubled hour in New York": (NEW_YORK, "01:00", 3_600, "2026-11-01", "T01:00-04:00", "2026-11-01T02:00-05:00"),
    "a day of New York": (NEW_YORK, "00:00", 86_400, "2026-11-01", "T00:00-04:00", "2026-11-02T00:00-05:00"),
    # Lord Howe 2026-10-04: 02:00 becomes 02:30. 2026-04-05: 02:00 becomes 01:30.
    "half an hour's gap": (LORD_HOWE, "02:15", 1_800, "2026-10-04", "T02:30+11:00", "2026-10-04T02:45+11:00"),
    "half an hour doubled": (LORD_HOWE, "01:30", 1_800, "2026-04-05", "T01:30+11:00", "2026-04-05T02:00+10:30"),
}


@pytest.mark.parametrize("case", CHANGES.values(), ids=CHANGES)
def test_a_recurrence_across_a_clock_change(case: tuple[str, str, int, str, str, str]) -> None:
    zone, clock, duration_s, day, begins, ends = case
    known = calendar(again(clock, duration_s, weekdays=EVERY_DAY), zone=zone)
    start, end = at(day + begins), at(ends)
    found = [s for s in find_spans(known, start - 86_400, end + 86_400) if start - 3600 < s.start < start + 3600]
    assert [(s.start, s.end) for s in found] == [(start, end)]
    written = calendar(once(f"{day}T{clock}", _add(f"{day}T{clock}", duration_s)), zone=zone)
    assert [(s.start, s.end) for s in find_spans(written, start, end)] == [(start, end)], "a window once is alike"


def _add(wall: str, seconds: int) -> str:
    return (datetime.fromisoformat(wall) + timedelta(seconds=seconds)).isoformat()


def test_a_daily_window_has_one_occurrence_a_day_over_a_year_of_clock_changes() -> None:
    for zone in (BERLIN, NEW_YORK, LORD_HOWE, "UTC", "Asia/Kolkata"):
        known = calendar(again("02:15", 600, weekdays=EVERY_DAY), zone=zone)
        found = spans(known, "2026-01-01T12:00Z", "2027-01-01T12:00Z")
        assert len(found) == 365, zone
        assert all(600 <= end - start <= 4200 for start, end in found), zone
        gaps = [later[0] - earlier[1] for earlier, later in pairwise(found)]
        assert min(gaps) > 80_000, zone


def test_offsets_are_taken_as_they_are() -> None:
    known = calendar(once("2026-11-27T08:00:00+05:30", "2026-11-27T08:00:00Z"), zone=NEW_YORK)
    assert spans(known, "2026-11-27T00:00Z", "2026-11-28T00:00Z") == [
        (at("2026-11-27T02:30Z"), at("2026-11-27T08:00Z"))
    ]


DAYS = {
    "days of the week": (again(weekdays=(1, 3)), ["2026-01-01", "2026-01-06", "2026-01-08", "2026-01-13"]),
    "days of the month": (again(month_days=(1, 15)), ["2026-01-01", "2026-01-15", "2026-02-01", "2026-02-15"]),
    "the last of the month": (again(month_days=(-1,)), ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]),
    "months with a 31st": (again(month_days=(31,)), ["2026-01-31", "2026-03-31", "2026-05-31", "2026-07-31"]),
    "the last twice over": (again(month_days=(31, -1)), ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]),
    "days of the year": (again(year_days=((12, 24), (1, 6))), ["2026-01-06", "2026-12-24", "2027-01-06"]),
    "leap days": (again(year_days=((2, 29),)), ["2028-02-29", "2032-02-29", "2036-02-29"]),
}


@pytest.mark.parametrize(("window", "want"), DAYS.values(), ids=DAYS)
def test_days_of_a_recurrence(window: object, want: list[str]) -> None:
    known = calendar(window)  # type: ignore[arg-type]  # the table's columns differ
    found = islice(find_spans(known, at("2026-01-01T00:00Z"), at(f"{want[-1]}T00:30Z")), 20)
    assert [span.start for span in found] == [at(day) for day in want]


def test_next_is_what_starts_next_of_all() -> None:
    known = calendar(
        again("09:00", weekdays=(4,), name="friday"),
        once("2026-11-26T08:00", "2026-11-26T09:00", name="thursday"),
        again(year_days=((2, 29),), name="leap"),
        zone=BERLIN,
    )
    asked = {"2026-11-24T12:00Z": "thursday", "2026-11-26T07:00Z": "friday", "2026-11-27T08:00Z": "friday"}
    for moment, name in asked.items():
        found = find_next(known, at(moment))
        assert found is not None
        assert (found.name, found.start > at(moment)) == (name, True)
    alone = find_next(calendar(again(year_days=((2, 29),))), at("2096-03-01T00:00Z"))
    assert alone is not None
    assert alone.start == at("2104-02-29T00:00Z"), "2100 is no leap year"
    assert find_next(calendar(once("2026-01-01T00:00", "2026-01-02T00:00")), at("2026-01-01T00:00Z")) is None


def test_what_lasts_for_long_is_found_from_within() -> None:
    known = calendar(again("12:00", 31 * 86_400, month_days=(1,), ramp_s=86_400))
    found = find_spans(known, at("2026-03-01T11:00Z"), at("2026-03-01T11:01Z"))
    assert [span.start for span in found] == [at("2026-02-01T12:00Z"), at("2026-03-01T12:00Z")]


def test_a_ramp_counts_as_being_in_force() -> None:
    known = calendar(once("2026-01-01T12:00", "2026-01-01T13:00", ramp_s=600))
    asked = {"11:50": 1, "13:09": 1, "13:10": 0}
    for clock, count in asked.items():
        assert len(find_spans(known, at(f"2026-01-01T{clock}"), at(f"2026-01-01T{clock}") + 1)) == count, clock
    assert find_spans(known, at("2026-01-01T11:00"), at("2026-01-01T11:50")) == ()


def test_a_holiday_is_a_whole_local_day() -> None:
    known = holiday_calendar("2026-10-25", zone=BERLIN)
    assert spans(known, "2026-10-24T00:00Z", "2026-10-27T00:00Z") == [
        (at("2026-10-25T00:00+02:00"), at("2026-10-26T00:00+01:00"))
    ]
    coming = find_next(known, at("2026-10-01T00:00Z"))
    assert coming is not None
    assert (coming.name, str(coming.effect)) == ("Holiday 2026-10-25", "LikeDay Sunday")


def test_a_zone_that_skips_a_day_skips_what_is_on_it() -> None:
    """Samoa went from the evening of 29 December 2011 to 31 December."""
    known = calendar(again("12:00", 3600, weekdays=EVERY_DAY), zone="Pacific/Apia")
    found = spans(known, "2011-12-28T12:00Z", "2012-01-02T12:00Z")
    assert all(end > start for start, end in found)
    assert all(end - start <= 90_000 for start, end in found)
