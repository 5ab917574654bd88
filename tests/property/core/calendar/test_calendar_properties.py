"""Properties of the calendar that no table can show."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from presage.core.calendar.agenda import agenda_at
from presage.core.calendar.effects import effects_of, floor_between
from presage.core.calendar.learning import learnable, plan_adjustment
from presage.core.calendar.occurrences import find_next, find_spans
from presage.core.calendar.spec import (
    Calendar,
    CalendarSpec,
    Effect,
    Ignore,
    LikeDay,
    Minimum,
    Multiply,
    OneOff,
    Recurrence,
    Window,
)

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia")
EPOCH, END = datetime(2024, 1, 1), datetime(2029, 1, 1)
moments = st.floats(EPOCH.replace(tzinfo=UTC).timestamp(), END.replace(tzinfo=UTC).timestamp())
walls = st.datetimes(EPOCH, END).map(lambda wall: wall.replace(microsecond=0))
minimums = st.builds(Minimum, st.integers(1, 100))
effects: st.SearchStrategy[Effect] = st.one_of(
    st.builds(Multiply, st.floats(0.01, 100)), minimums, st.builds(LikeDay, st.integers(0, 6)), st.just(Ignore())
)
lengths = st.one_of(st.integers(60, 7200), st.integers(60, 31 * 86_400), st.just(86_400))
year_days = st.tuples(st.integers(1, 12), st.integers(1, 28)) | st.just((2, 29))
clocks = st.times().map(lambda clock: time(clock.hour, clock.minute))
month_days = st.sampled_from([-1, *range(1, 32)])


def some(days: st.SearchStrategy[Any], most: int = 31) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(days, min_size=1, max_size=most, unique=True).map(tuple)


recurrences = st.one_of(
    st.builds(Recurrence, clocks, lengths, weekdays=some(st.integers(0, 6), 7)),
    st.builds(Recurrence, clocks, lengths, month_days=some(month_days)),
    st.builds(Recurrence, clocks, lengths, year_days=some(year_days, 4)),
)
once = st.builds(lambda start, length: OneOff(start, start + timedelta(seconds=length)), walls, lengths)


def windows(of: st.SearchStrategy[Effect] = effects) -> st.SearchStrategy[Window]:
    return st.builds(
        Window, st.sampled_from(["a", "b", "c", "d"]), once | recurrences, st.sampled_from([0, 600, 86_400]), of
    )


def calendars(of: st.SearchStrategy[Effect] = effects) -> st.SearchStrategy[Calendar]:
    listed = st.lists(windows(of), min_size=1, max_size=4, unique_by=lambda window: window.name).map(tuple)
    return st.builds(lambda zone, given: Calendar(CalendarSpec(zone, None, given)), st.sampled_from(ZONES), listed)


@given(calendars(), moments, st.floats(1, 86_400 * 10))
def test_spans_have_a_length_and_meet_what_was_asked(known: Calendar, since: float, length: float) -> None:
    for span in find_spans(known, since, since + length):
        assert span.start < span.end
        assert span.begins < since + length
        assert span.ceases > since


@given(calendars(), moments, st.floats(1, 86_400 * 3), st.floats(0, 1))
def test_a_time_asked_for_in_two_parts_has_the_same_spans(
    known: Calendar, since: float, length: float, share: float
) -> None:
    until, middle = since + length, since + length * share
    whole = set(find_spans(known, since, until))
    parts = {*find_spans(known, since, middle), *find_spans(known, middle, until)}
    assert parts == {span for span in whole if span.begins < until and span.ceases > since}


@given(calendars(), moments)
def test_nothing_starts_between_now_and_what_is_next(known: Calendar, now: float) -> None:
    coming = find_next(known, now)
    until = now + 20 * 86_400 if coming is None else min(coming.start, now + 20 * 86_400)
    assert [span for span in find_spans(known, now, until) if now < span.start < until] == []
    assert coming is None or coming.start > now
    assert agenda_at(known, now, 60).next == coming or coming is None


@given(st.sampled_from(ZONES), walls, lengths)
def test_a_window_covers_each_moment_at_which_the_wall_shows_its_time(zone: str, start: datetime, length: int) -> None:
    end = start + timedelta(seconds=length)
    known = Calendar(CalendarSpec(zone, None, (Window("a", OneOff(start, end), 0, Ignore()),)))
    near = start.replace(tzinfo=UTC).timestamp()
    (span,) = find_spans(known, near - 3 * 86_400, near + length + 3 * 86_400)
    for shift in np.linspace(-86_400 * 1.2, length + 86_400 * 1.2, 200):
        at = float(np.floor(near + shift))
        shown = datetime.fromtimestamp(at, ZoneInfo(zone)).replace(tzinfo=None)
        if start <= shown < end:
            assert span.start <= at < span.end


@given(calendars(minimums), moments, st.floats(0, 3600), st.floats(0, 3600))
def test_a_floor_is_the_highest_of_its_moments(known: Calendar, now: float, lead: float, more: float) -> None:
    spans = find_spans(known, now, now + 7200)
    floor = floor_between(spans, now, now + lead)
    each = [floor_between(spans, at, at).replicas for at in np.linspace(now, now + lead, 50)]
    assert max(each) <= floor.replicas <= max((w.effect.replicas for w in known.spec.windows), default=0)  # type: ignore[union-attr]  # minimums only
    assert floor_between(spans, now, now + lead + more).replicas >= floor.replicas
    assert (floor.replicas == 0) == (floor.name == "")


@given(calendars(), moments, st.sampled_from([1.0, 60.0, 300.0, 3600.0]), st.integers(0, 300), st.integers(0, 300))
def test_slots_do_not_depend_on_where_the_array_starts(
    known: Calendar, start: float, step_s: float, count: int, skipped: int
) -> None:
    start = float(np.floor(start))
    end = start + (count + skipped) * step_s
    spans = find_spans(known, start, max(end, start + 1))
    whole = effects_of(spans, start, step_s, skipped + count)
    part = effects_of(spans, start + skipped * step_s, step_s, count)
    np.testing.assert_allclose(whole.factor[skipped:], part.factor, rtol=1e-6)
    np.testing.assert_array_equal(whole.weekday[skipped:], part.weekday)
    assert np.all((whole.factor > 0) & np.isfinite(whole.factor))


@given(calendars(st.builds(Multiply, st.floats(0.1, 10))), moments, st.sampled_from([60.0, 300.0, 3600.0]))
def test_what_was_multiplied_is_divided_by_the_same(known: Calendar, start: float, step_s: float) -> None:
    start, base = float(np.floor(start)), np.linspace(1, 100, 200)
    made = plan_adjustment(known, start, step_s, 200, np.empty(0, np.float32), 0.0).apply(base[None, :], start)
    learned = learnable(known, made[0].astype(np.float32), start, step_s)
    np.testing.assert_allclose(learned, base, rtol=1e-4)


@given(calendars(), moments, st.integers(1, 50), st.integers(0, 50))
def test_no_calendar_makes_a_forecast_of_what_is_no_number(
    known: Calendar, start: float, count: int, history: int
) -> None:
    curves = np.stack([np.linspace(0, 10, count), np.linspace(1, 20, count)])
    values = np.where(np.arange(history) % 3 == 0, np.nan, 5.0).astype(np.float32)
    made = plan_adjustment(known, start, 300.0, count, values, start - history * 300.0).apply(curves, start)
    assert np.isfinite(made).all()
    assert (made >= 0).all()
    assert (made[1] >= made[0]).all()


@given(calendars(), moments)
def test_a_holder_of_no_windows_changes_nothing(known: Calendar, now: float) -> None:
    empty = Calendar(replace(known.spec, windows=()))
    assert agenda_at(empty, now, 60) == agenda_at(Calendar(), now, 60)
