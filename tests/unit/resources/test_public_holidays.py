"""Public holidays: what is known, what is asked for, and what the import costs whom."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

import pytest

from presage.core.calendar.spec import CalendarSpec, Holiday, HolidayRule, LikeDay
from presage.resources.public_holidays import MAX_NAME, find_holidays, open_calendar, subdivisions_of

NOW = 1_795_000_000.0  # in November 2026


def names(country: str, part: str | None = None, year: int = 2026) -> dict[date, str]:
    return {holiday.day: holiday.name for holiday in find_holidays(country, part, year)}


def test_days_of_a_country_and_of_its_parts() -> None:
    assert names("DE")[date(2026, 10, 3)] == "German Unity Day"
    assert date(2026, 1, 6) not in names("DE")
    assert names("DE", "BY")[date(2026, 1, 6)] == "Epiphany"
    assert names("US")[date(2026, 11, 26)].startswith("Thanksgiving")
    assert date(2027, 4, 3) not in names("DE", year=2027), "Easter moves"
    assert date(2027, 3, 26) in names("DE", year=2027)


@pytest.mark.parametrize(("country", "part"), [("XX", None), ("DE", "XX"), ("", "")])
def test_what_is_not_known_has_no_days_and_raises_nothing(country: str, part: str | None) -> None:
    assert find_holidays(country, part, 2026) == ()


def test_every_country_gives_days_in_order_with_names_that_fit() -> None:
    codes = [code for code in subdivisions_of() if len(code) == 2]
    assert len(codes) > 200
    for code in codes:
        found = find_holidays(code, None, 2026)
        assert [each.day for each in found] == sorted({each.day for each in found}), code
        assert all(0 < len(each.name) <= MAX_NAME for each in found), code


def test_a_calendar_holds_three_years() -> None:
    rule = HolidayRule("DE", None, LikeDay(6))
    opened = open_calendar(CalendarSpec(holidays=rule), NOW)
    assert {each.day.year for each in opened.holidays} == {2025, 2026, 2027}
    assert Holiday(date(2026, 12, 25), "Christmas Day") in opened.holidays
    assert open_calendar(CalendarSpec(holidays=rule), NOW + 86_400) == opened, "it is the same all year"
    assert not open_calendar(CalendarSpec(), NOW)


def test_only_a_calendar_with_holidays_pays_for_them() -> None:
    program = (
        "import sys; from presage.resources.metricprofile import MetricProfile as M\n"
        "spec = {'target': {'name': 'a'}, 'sourceRef': {'name': 'b'}, 'scaling': {'perPod': '1', 'maxReplicas': 2},\n"
        "  'eventTypes': [{'name': 'a', 'load': {'gauge': {'metric': 'm'}}}], 'calendar': {'windows': []}}\n"
        "M.parse({'metadata': {'name': 'a'}, 'spec': spec}); assert 'holidays' not in sys.modules\n"
        "spec['calendar']['holidays'] = {'country': 'DE'}\n"
        "M.parse({'metadata': {'name': 'a'}, 'spec': spec}); assert 'holidays' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
