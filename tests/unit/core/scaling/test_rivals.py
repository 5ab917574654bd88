"""The rivals: each follows its rule, and the HPA's is that of the scorer."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from presage.core.scaling.rivals import (
    SYNC_S,
    Target,
    clairvoyant,
    cron_plan,
    hpa_rule,
    yesterday_floor,
)
from presage.core.scaling.world import FloatArray, account, observe, play
from tests.unit.core.scaling.scorer import load_scorer

DAY = round(86_400 / SYNC_S)
HOUR = DAY // 24
TARGET = Target(capacity=10.0, startup_s=60.0, min_replicas=2, max_replicas=60)
SCORER = load_scorer()


def ask(load: float, times: int, current: int, utilization: float = 0.8) -> list[int]:
    """Return how the HPA moves from `current` while it sees one load."""
    rule = hpa_rule(TARGET, utilization)
    course = [current]
    for _ in range(times):
        course.append(rule(load, course[-1], course[-1]))
    return course[1:]


@pytest.mark.parametrize(
    ("load", "current", "course"),
    [
        pytest.param(87.0, 10, [10, 10], id="within the tolerance"),
        pytest.param(89.0, 10, [12, 12], id="above it"),
        pytest.param(400.0, 10, [20, 40, 50, 50], id="at most doubled in a period"),
        pytest.param(400.0, 2, [6, 12, 24, 48, 48], id="or four more where that is more"),
        pytest.param(9_000.0, 50, [60, 60], id="never above the most"),
        pytest.param(0.0, 3, [2, 2], id="never below the least"),
    ],
)
def test_the_hpa_rule(load: float, current: int, course: list[int]) -> None:
    assert ask(load, len(course), current) == course


def test_the_hpa_goes_down_after_five_minutes() -> None:
    rule = hpa_rule(TARGET, 0.8)
    assert rule(160.0, 20, 20) == 20
    course = list(itertools.accumulate(range(25), lambda current, _: rule(40.0, current, current), initial=20))
    assert course.index(5) == 20, "the wish for 20 counts for 20 syncs"
    assert set(course) == {20, 5}


def test_a_floor_is_a_least_number() -> None:
    rule = hpa_rule(TARGET, 0.8, [4, 12, 3, 99])
    assert [rule(8.0, 4, 4) for _ in range(4)] == [4, 8, 4, 8], "and the speed of rises holds for it too"


def wave(days: int, seed: int = 1) -> FloatArray:
    draw = np.random.default_rng(seed)
    noise = draw.normal(0, 8, days * DAY)
    return np.maximum(0, 120 - 100 * np.cos(np.arange(days * DAY) * math.tau / DAY) + noise)


@pytest.mark.parametrize("startup_s", [60, 180, 600])
@pytest.mark.parametrize("utilization", [0.7, 0.8, 0.9])
def test_the_hpa_is_that_of_the_scorer(utilization: float, startup_s: int) -> None:
    load = wave(2)
    rule = hpa_rule(Target(10.0, startup_s, 1, 200), utilization)
    outcome = play(load, 10.0, SYNC_S, startup_s, rule)
    got = (outcome.unmet_share, outcome.under_ticks / len(load), outcome.replica_hours, outcome.changes)
    assert 0 < got[1] < 0.5
    if SCORER is not None:
        assert got == SCORER.run(load, 10.0, SCORER.hpa(10.0, utilization), startup_s)


def test_yesterday_is_looked_at_until_pods_are_ready() -> None:
    seen = np.full(3 * DAY, 16.0)
    seen[DAY + 1_000] = 400.0
    floor = yesterday_floor(seen, DAY, TARGET, 0.8)
    raised = np.flatnonzero(floor > 2) + DAY
    ahead = round((60 + 15 + 60) / SYNC_S)
    assert raised.tolist() == list(range(2 * DAY + 1_000 - ahead, 2 * DAY + 1_001))
    assert set(floor[raised - DAY].tolist()) == {50}


def test_an_unknown_yesterday_is_no_floor() -> None:
    seen = np.full(2 * DAY, 160.0)
    seen[1_000:2_000] = np.nan
    floor = yesterday_floor(seen, DAY // 2, TARGET, 0.8)
    assert floor[: DAY // 2].tolist() == [2] * (DAY // 2), "before the first day is over"
    assert (floor[DAY // 2 :] == 2).sum() == 1_000 - round(135 / SYNC_S)


def make_hours(days: int, first_weekday: int = 0) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    ticks = np.arange(days * DAY + 100)
    weekend = (ticks // DAY + first_weekday) % 7 >= 5
    return np.asarray(ticks // HOUR % 24 + 24 * weekend, np.int64)


def test_a_schedule_has_the_most_of_each_hour() -> None:
    seen = np.full(9 * DAY, 15.0)
    seen[9 * HOUR : 10 * HOUR] = 95.0  # Monday
    seen[2 * DAY + 9 * HOUR + 5] = 215.0  # Wednesday
    seen[5 * DAY + 20 * HOUR + 5] = 115.0  # Saturday
    seen[7 * DAY + 3 * HOUR] = 999.0  # in the window: not known to who writes it
    plan = cron_plan(seen, make_hours(9), 7 * DAY, TARGET)
    assert plan is not None
    lead = round(60 / SYNC_S)
    first_day = [2] * (9 * HOUR - lead) + [22] * (HOUR + lead) + [2] * (14 * HOUR)
    assert plan.tolist() == first_day * 2


def test_an_hour_that_no_weekend_knows_is_that_of_working_days() -> None:
    seen = np.full(6 * DAY, 45.0)
    seen[: 5 * DAY] = np.repeat(np.arange(120) % 24 * 10.0, HOUR)
    plan = cron_plan(seen, make_hours(6), 5 * DAY, TARGET)
    assert plan is not None
    assert plan[HOUR // 2 :: HOUR].tolist() == [2, 2, *range(2, 24)]


def test_no_schedule_without_a_day_of_history() -> None:
    assert cron_plan(np.full(2 * DAY, 45.0), make_hours(2), DAY - HOUR, TARGET) is None


def test_who_knows_the_load_serves_it_with_the_least() -> None:
    load = np.zeros(400)
    load[100:120], load[124:150] = 95.0, 95.0  # a lull no longer than a start takes
    load[300] = 55.0
    outcome = clairvoyant(load, TARGET, 0.0, initial=2)
    want = np.full(400, 2)
    want[96:150], want[296:301] = 10, 6
    assert outcome.replicas.tolist() == want.tolist()
    assert outcome.unmet_share == 0


def test_who_knows_the_load_uses_the_objective_up() -> None:
    load = wave(2)
    whole = clairvoyant(load, TARGET, 0.0, initial=10)
    outcome = clairvoyant(load, TARGET, 0.005, initial=10)
    assert 0.0045 < outcome.unmet_share <= 0.005
    assert outcome.replica_hours < whole.replica_hours
    hpa = play(load, 10.0, SYNC_S, 60.0, hpa_rule(TARGET, 0.7))
    assert outcome.replica_hours < 0.8 * hpa.replica_hours


def test_nobody_serves_more_than_the_most_can() -> None:
    load = np.full(400, 700.0)
    outcome = clairvoyant(load, TARGET, 0.001, initial=60)
    assert set(outcome.replicas.tolist()) == {60}
    assert outcome.unmet_share == account(load, [60] * 400, 10.0, SYNC_S, 60.0, initial=60).unmet_share > 0.1


def test_yesterday_helps_where_days_repeat() -> None:
    steps = np.where(np.arange(3 * DAY) % DAY // HOUR % 12 < 6, 40.0, 300.0)
    seen = observe(steps, SYNC_S)
    window = steps[DAY:]
    bare = play(window, 10.0, SYNC_S, 60.0, hpa_rule(TARGET, 0.8))
    floor = yesterday_floor(seen, DAY, TARGET, 0.8).tolist()
    floored = play(window, 10.0, SYNC_S, 60.0, hpa_rule(TARGET, 0.8, floor))
    assert bare.unmet_share > 0.001
    assert floored.unmet_share == 0
