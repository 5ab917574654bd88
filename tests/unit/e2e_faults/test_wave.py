from __future__ import annotations

from e2e.faults.wave import (
    DAY_SECONDS,
    HISTORY_DAYS,
    PLAN,
    PLAYED_PEAK_ENDS,
    USUAL_PEAK_ENDS,
    Clock,
    build_history,
    build_live,
)


def test_the_played_day_differs_from_the_history_in_the_length_of_its_peak_only() -> None:
    load, live = build_history(), build_live()
    assert load.history_days == HISTORY_DAYS
    played = live[PLAN.warmup_seconds :][:DAY_SECONDS]
    assert (load.played == played).all()
    differs = (load.rates[0] != played).nonzero()[0]
    assert (differs[0], differs[-1]) == (USUAL_PEAK_ENDS, PLAYED_PEAK_ENDS - 1)


def test_the_live_part_begins_as_the_history_ends() -> None:
    load, live = build_history(), build_live()
    assert (live[: PLAN.warmup_seconds] == load.tail_of_history(PLAN.warmup_seconds)).all()


def test_the_clock_tells_the_need_of_each_moment() -> None:
    clock = Clock(1_000.0)
    assert clock.second(clock.at(42)) == 42
    needs = [clock.need(clock.at(second)) for second in (-1, 0, 15, 111.9, 112)]
    assert needs == [2, 3, 7, 7, 2]
    assert clock.need(clock.at(-100)) == clock.need(clock.at(1_000)) == 0


def test_the_forecast_reaches_over_lead_time_and_stabilization() -> None:
    assert PLAN.horizon_seconds >= PLAN.stabilization_seconds + 5 + PLAN.step_seconds
    assert PLAN.max_replicas * PLAN.capacity > build_live().max() * 1.1
