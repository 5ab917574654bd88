"""What a calendar does in slots and moments: ramps, overlaps, rounding."""

from __future__ import annotations

import numpy as np
import pytest

from presage.core.calendar.agenda import agenda_at
from presage.core.calendar.effects import SlotEffects, effects_of, floor_between, in_force
from presage.core.calendar.occurrences import find_spans
from presage.core.calendar.spec import Calendar, Ignore, LikeDay, Minimum, Multiply
from tests.unit.core.calendar.calendars import EVERY_DAY, again, at, calendar, holiday_calendar, once

NOON, ONE = "2026-01-05T12:00", "2026-01-05T13:00"


def slots(known: Calendar, first: str, count: int, step_s: float = 600) -> SlotEffects:
    start = at(first)
    return effects_of(find_spans(known, start, start + count * step_s), start, step_s, count)


def test_a_factor_rises_and_fades_over_its_ramp() -> None:
    known = calendar(once(NOON, ONE, Multiply(3.0), ramp_s=1200))
    found = slots(known, "2026-01-05T11:30", 14).factor
    # 11:30, then the ramp: 2 slots with mean shares of 1/4 and 3/4; 6 slots of the window; the same down; 13:20
    want = [1, 1.5, 2.5, *[3] * 6, 2.5, 1.5, 1, 1, 1]
    np.testing.assert_allclose(found, want)


def test_a_slot_that_a_window_covers_in_part_has_part_of_its_factor() -> None:
    known = calendar(once("2026-01-05T12:05", "2026-01-05T12:20", Multiply(3.0)))
    np.testing.assert_allclose(slots(known, NOON, 3).factor, [2, 3, 1])
    np.testing.assert_allclose(slots(known, NOON, 1, step_s=3600).factor, [1.5])


def test_a_window_longer_than_all_slots_covers_them() -> None:
    known = calendar(once("2026-01-01T00:00", "2026-02-01T00:00", Multiply(0.5)))
    np.testing.assert_allclose(slots(known, NOON, 5).factor, 0.5)
    assert slots(known, NOON, 0).factor.shape == (0,)


def test_overlaps() -> None:
    known = calendar(
        once(NOON, ONE, Multiply(2.0), name="a"),
        once("2026-01-05T12:30", "2026-01-05T13:30", Multiply(3.0), name="b"),
        once("2026-01-05T12:30", "2026-01-05T12:40", Ignore(), name="c"),
        once("2026-01-05T12:40", ONE, LikeDay(6), name="d"),
        once(NOON, "2026-01-05T14:00", LikeDay(5), name="e"),
    )
    found = slots(known, NOON, 12)
    np.testing.assert_allclose(found.factor, [2, 2, 2, 6, 6, 6, 3, 3, 3, 1, 1, 1])
    assert list(np.flatnonzero(found.ignored)) == [3]
    assert list(found.weekday) == [5, 5, 5, 5, 6, 6, 5, 5, 5, 5, 5, 5], "the first in the calendar wins"


def test_a_window_does_not_meet_itself() -> None:
    known = calendar(again("12:00", 3 * 86_400, effect=Multiply(2.0), weekdays=EVERY_DAY, ramp_s=3600))
    np.testing.assert_allclose(slots(known, NOON, 20, step_s=7200).factor, 2.0)


def test_a_window_wins_over_a_holiday() -> None:
    days = holiday_calendar("2026-01-05")
    known = Calendar(calendar(once(NOON, ONE, LikeDay(5))).spec, days.holidays)
    both = Calendar(type(known.spec)("UTC", days.spec.holidays, known.spec.windows), days.holidays)
    assert list(slots(both, "2026-01-05T11:50", 3).weekday) == [6, 5, 5]


def test_any_part_of_a_slot_is_ignored() -> None:
    known = calendar(once("2026-01-05T12:09", "2026-01-05T12:21", Ignore()))
    assert list(slots(known, NOON, 4).ignored) == [True, True, True, False]
    touching = calendar(once("2026-01-05T12:10", "2026-01-05T12:20", Ignore()))
    assert list(slots(touching, NOON, 4).ignored) == [False, True, False, False]


FLOORS = {
    # now, lead, want; the window is 12:00 to 13:00 with a minimum of 10 and a ramp of 10 minutes
    "long before": ("11:00", 60, 0),
    "the ramp is one lead time away": ("11:49:00", 60, 0),
    "its first part is": ("11:49:30", 60, 1),
    "half of the ramp": ("11:54:00", 60, 5),
    "rounded up": ("11:54:05", 60, 6),
    "the window is one lead time away": ("11:59:00", 60, 10),
    "just before that": ("11:58:59", 60, 10),
    "within": ("12:30", 60, 10),
    "its last second": ("12:59:59", 60, 10),
    "fading": ("13:05", 60, 5),
    "over": ("13:10", 60, 0),
    "a window within the lead time": ("11:00", 7200, 10),
}


@pytest.mark.parametrize(("now", "lead_s", "want"), FLOORS.values(), ids=FLOORS)
def test_a_minimum_rises_one_lead_time_ahead(now: str, lead_s: float, want: int) -> None:
    known = calendar(once(NOON, ONE, Minimum(10), ramp_s=600))
    moment = at(f"2026-01-05T{now}")
    assert agenda_at(known, moment, lead_s).floor.replicas == want
    spans = find_spans(known, moment, moment + lead_s + 1)
    assert floor_between(spans, moment, moment + lead_s).replicas == want


def test_the_largest_minimum_wins_and_is_named() -> None:
    known = calendar(
        once(NOON, ONE, Minimum(10), name="a"), once(NOON, ONE, Minimum(30), name="b"), once(NOON, ONE, Minimum(20))
    )
    floor = agenda_at(known, at(NOON), 60).floor
    assert (floor.replicas, floor.name) == (30, "b")


def test_an_agenda_knows_what_is_in_force_and_what_is_next_at_any_moment() -> None:
    known = calendar(
        once(NOON, ONE, name="lunch", ramp_s=600),
        once("2026-01-05T12:30", ONE, Ignore(), name="quiet"),
        once("2026-03-01T00:00", "2026-03-02T00:00", name="far"),
    )
    asked = {
        "11:49": ([], "lunch"),
        "11:55": (["lunch"], "lunch"),
        "12:00": (["lunch"], "quiet"),
        "12:30": (["lunch", "quiet"], "far"),
        "13:05": (["lunch"], "far"),
        "13:10": ([], "far"),
    }
    for clock, (current, coming) in asked.items():
        agenda = agenda_at(known, at(f"2026-01-05T{clock}"), 60)
        assert [span.name for span in agenda.current] == current, clock
        assert agenda.next is not None
        assert agenda.next.name == coming, clock
    assert agenda_at(known, at("2026-03-01T00:00"), 60).next is None
    assert agenda_at(Calendar(), at(NOON), 60) == agenda_at(calendar(), at(NOON), 60)


def test_of_overlapping_occurrences_one_is_in_force() -> None:
    known = calendar(again("12:00", 2 * 86_400, weekdays=EVERY_DAY))
    spans = find_spans(known, at(ONE), at(ONE) + 1)
    assert len(spans) == 2
    assert [span.start for span in in_force(spans, at(ONE))] == [at(NOON)], "the latest"
