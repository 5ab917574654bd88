"""What is learned of a past with windows, and what they make of a forecast."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from presage.core.calendar.learning import learnable, plan_adjustment
from presage.core.calendar.spec import Calendar, Ignore, LikeDay, Minimum, Multiply
from tests.unit.core.calendar.calendars import BERLIN, EVERY_DAY, again, at, calendar, holiday_calendar, once

STEP = 3600
MONDAY = "2026-10-05T00:00"  # and three weeks of history before it
SLOTS = 21 * 24
START = at(MONDAY) - SLOTS * STEP


def weeks(sunday: float = 1.0) -> np.ndarray:
    """Return three weeks by the hour: 100 + the hour of the day, Sundays that times a factor."""
    hours = np.arange(SLOTS)
    load = 100.0 + hours % 24
    load[(hours // 24) % 7 == 6] *= sunday
    return load.astype(np.float32)


def hours(first: str, last: str) -> slice:
    return slice(round((at(first) - START) / STEP), round((at(last) - START) / STEP))


def forecast(count: int = 24) -> np.ndarray:
    """Return a median of 100 + the hour and a level 10 above it, of the Monday."""
    median = 100.0 + np.arange(count) % 24
    return np.stack([median, median + 10])


@dataclass
class Adjusted:
    curves: np.ndarray
    ignored: np.ndarray
    warnings: tuple[str, ...]


def adjust(
    known: Calendar, curves: np.ndarray, start: float, step_s: float, history: np.ndarray, history_start: float
) -> Adjusted:
    plan = plan_adjustment(known, start, step_s, curves.shape[1], history, history_start)
    return Adjusted(plan.apply(curves, start), plan.ignored, plan.warnings)


def test_without_a_calendar_nothing_changes() -> None:
    values = weeks()
    assert learnable(Calendar(), values, START, STEP) is values
    out = adjust(Calendar(), forecast(), at(MONDAY), STEP, values, START)
    np.testing.assert_array_equal(out.curves, forecast())
    assert out.warnings == ()


def test_what_was_multiplied_is_learned_without_its_factor() -> None:
    values, when = weeks(), hours("2026-09-30T08:00", "2026-09-30T12:00")
    values[when] *= 3
    known = calendar(once("2026-09-30T08:00", "2026-09-30T12:00", Multiply(3.0)))
    np.testing.assert_allclose(learnable(known, values, START, STEP), weeks(), rtol=1e-6)


def test_what_is_ignored_or_like_another_day_is_not_learned() -> None:
    known = calendar(
        once("2026-09-30T08:30", "2026-09-30T12:00", Ignore()),
        once("2026-09-28T00:00", "2026-09-29T00:00", LikeDay(6), name="like"),
        once("2026-09-20T00:00", "2026-09-21T00:00", LikeDay(6), name="a Sunday like a Sunday"),
        once("2026-09-22T00:00", "2026-09-23T00:00", Minimum(40), name="no matter of load"),
    )
    got = learnable(known, weeks(), START, STEP)
    unknown = np.zeros(SLOTS, bool)
    unknown[hours("2026-09-30T08:00", "2026-09-30T12:00")] = True
    unknown[hours("2026-09-28T00:00", "2026-09-29T00:00")] = True
    np.testing.assert_array_equal(np.isnan(got), unknown)
    np.testing.assert_array_equal(got[~unknown], weeks()[~unknown])


def test_a_forecast_is_multiplied_band_and_all() -> None:
    known = calendar(once("2026-10-05T08:00", "2026-10-05T12:00", Multiply(1.8), ramp_s=7200))
    out = adjust(known, forecast(), at(MONDAY), STEP, weeks(), START)
    factor = np.ones(24)
    factor[6:14] = [1.2, 1.6, 1.8, 1.8, 1.8, 1.8, 1.6, 1.2]
    np.testing.assert_allclose(out.curves, forecast() * factor)


def test_a_day_like_sunday_has_the_load_of_sundays_and_the_spread_of_the_forecast() -> None:
    out = adjust(holiday_calendar("2026-10-05"), forecast(48), at(MONDAY), STEP, weeks(sunday=0.25), START)
    sunday = 0.25 * (100 + np.arange(24))
    np.testing.assert_allclose(out.curves[0, :24], sunday)
    np.testing.assert_allclose(out.curves[1, :24], sunday + 10)
    np.testing.assert_allclose(out.curves[:, 24:], forecast(48)[:, 24:], err_msg="Tuesday is Tuesday")
    assert out.warnings == ()


def test_a_day_like_a_busier_one_strays_as_much_further() -> None:
    out = adjust(holiday_calendar("2026-10-05"), forecast(), at(MONDAY), STEP, weeks(sunday=3.0), START)
    np.testing.assert_allclose(out.curves[1] - out.curves[0], 30.0)


def test_a_level_below_the_median_never_becomes_negative() -> None:
    curves = np.stack([np.full(24, 100.0), np.full(24, 10.0)])
    out = adjust(holiday_calendar("2026-10-05"), curves, at(MONDAY), STEP, weeks(sunday=0.25), START)
    assert out.curves.min() == 0.0


def test_the_median_of_three_such_days_counts_and_unknown_ones_do_not() -> None:
    values = weeks()
    for day, load in (("2026-09-20", 10.0), ("2026-09-27", 20.0), ("2026-10-04", 900.0)):
        values[hours(f"{day}T00:00", f"{day}T23:00")] = load
    known = holiday_calendar("2026-10-05")
    assert adjust(known, forecast(), at(MONDAY), STEP, values, START).curves[0, 5] == 20.0
    values[hours("2026-10-04T05:00", "2026-10-04T06:00")] = np.nan
    assert adjust(known, forecast(), at(MONDAY), STEP, values, START).curves[0, 5] == 15.0


def test_a_factor_comes_on_top_of_a_day_like_another() -> None:
    both = Calendar(
        type(holiday_calendar().spec)(
            "UTC",
            holiday_calendar().spec.holidays,
            (once("2026-10-05T00:00", "2026-10-06T00:00", Multiply(2.0)),),
        ),
        holiday_calendar("2026-10-05").holidays,
    )
    out = adjust(both, forecast(), at(MONDAY), STEP, weeks(sunday=0.5), START)
    np.testing.assert_allclose(out.curves[0], 100 + np.arange(24))


@pytest.mark.parametrize("kept", [0, 24, 6 * 24 - 1])
def test_without_such_a_day_the_forecast_stays_and_a_warning_says_so(kept: int) -> None:
    values = weeks()[:kept] if kept == 0 else weeks()[-7 * 24 : -7 * 24 + kept]
    start = START + (SLOTS - 7 * 24) * STEP
    out = adjust(holiday_calendar("2026-10-05"), forecast(), at(MONDAY), STEP, values, start)
    np.testing.assert_array_equal(out.curves, forecast())
    assert out.warnings == ("LikeDay Sunday: no such day is in the history, so the forecast stays as it is.",)


def test_compressed_days_have_no_weekdays_and_do_no_harm() -> None:
    out = adjust(holiday_calendar("2026-10-05"), forecast(24), at("2026-10-05T12:00"), 5, np.ones(480, np.float32), 0)
    np.testing.assert_array_equal(out.curves, forecast(24))
    assert len(out.warnings) == 1


def test_the_same_time_on_the_wall_counts_across_a_clock_change() -> None:
    """Monday 26 October 2026 in Berlin follows a Sunday of 25 hours: its 08:00 is like Sunday's 08:00."""
    start, step = at("2026-10-24T00:00", BERLIN), 3600
    values = np.zeros(49 + 24, np.float32)
    values[round((at("2026-10-25T08:00", BERLIN) - start) / step)] = 77.0
    monday = at("2026-10-26T00:00", BERLIN)
    values = values[: round((monday - start) / step)]
    out = adjust(holiday_calendar("2026-10-26", zone=BERLIN), np.ones((1, 24)), monday, step, values, start)
    assert list(np.flatnonzero(out.curves[0] == 77.0)) == [8]


def test_an_adjustment_fits_a_forecast_from_another_moment() -> None:
    known = calendar(once("2026-10-05T08:00", "2026-10-05T12:00", Multiply(2.0)))
    plan = plan_adjustment(known, at(MONDAY), STEP, 24, weeks(), START)
    for shift in (-30, -3, 0, 5, 40):
        got = plan.apply(np.ones((1, 24)), at(MONDAY) + shift * STEP)[0]
        want = [2.0 if 8 <= hour < 12 and hour < 24 else 1.0 for hour in range(shift, shift + 24)]
        np.testing.assert_array_equal(got, want)


def test_what_is_ignored_is_marked_in_a_forecast() -> None:
    known = calendar(again("03:00", 3600, effect=Ignore(), weekdays=EVERY_DAY))
    out = adjust(known, forecast(), at(MONDAY), STEP, weeks(), START)
    assert list(np.flatnonzero(out.ignored)) == [3]
    assert list(np.flatnonzero((out.curves == 0).all(axis=0))) == [3], "nothing is asked for on its account"
