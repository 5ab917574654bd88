from __future__ import annotations

import numpy as np
import pytest

from e2e.demo.plan import Plan, history_counter, live_rates, warm_start
from e2e.demo.traces import compress, generate

PLAN = Plan(day_seconds=360)
LOAD = compress(generate(6, 3), 360, PLAN.peak_rate, 14)


def test_history_ends_where_the_live_part_begins() -> None:
    times, values = history_counter(LOAD, PLAN.warmup_seconds, end=2_000_000)
    assert times[-1] == 1_999_999
    assert len(times) == len(values) == 5 * 360 - 60
    assert (np.diff(values) >= 0).all()
    rates = LOAD.rates[:-1].ravel()
    # the last second of the counter is the one before the warm-up's first rate
    before = rates[: len(rates) - round(60 / LOAD.step_seconds)][-4:]
    assert np.diff(values)[-1] == pytest.approx(rates[len(rates) - round(60 / LOAD.step_seconds) - 8 :][:4].mean())
    assert before.shape == (4,)


def test_live_part_is_warm_up_and_the_played_day() -> None:
    rates = live_rates(PLAN, LOAD)
    assert len(rates) * LOAD.step_seconds == pytest.approx(60 + 360)
    assert np.array_equal(rates[-len(LOAD.played) :], LOAD.played)


def test_warm_start_covers_the_first_seconds() -> None:
    first = live_rates(PLAN, LOAD)[: round(10 / LOAD.step_seconds)].max()
    assert warm_start(PLAN, LOAD) * PLAN.capacity >= first


@pytest.mark.parametrize("day", [240, 360, 480, 720])
def test_times_scale_with_the_day(day: int) -> None:
    plan = Plan(day_seconds=day)
    assert plan.step_seconds * 24 <= day
    assert plan.horizon_seconds >= plan.stabilization_seconds + 3 * plan.step_seconds
    assert 0 <= plan.startup_seconds <= day * 900 / 86_400


def test_the_rival_gets_presages_settings() -> None:
    rule = PLAN.rival(3.9)
    assert rule.startup_seconds == 3.9
    assert rule.period_seconds == PLAN.decision_seconds
    assert rule.stabilization_seconds == PLAN.stabilization_seconds
    assert rule.window_seconds == PLAN.window_seconds
    assert (rule.min_replicas, rule.max_replicas) == (PLAN.min_replicas, PLAN.max_replicas)
