"""When past days are replayed, and what becomes of a replay."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from presage.core.forecast.api import Series
from presage.core.forecast.spec import ForecastSpec
from presage.core.scaling.gate import GateMemory, Setting, due_span, make_setting, plan_job, take_replay
from presage.core.scaling.objective import KEPT_DAYS, ReplayedDay
from presage.core.scaling.replay import Past
from tests.builders import policy

DAY = 86_400.0
ASK = ForecastSpec(300, 21 * 86_400, 3600, (), None, None)
SETTING = make_setting(policy(headroom=None), ASK, 75.0)
OTHER = make_setting(policy(headroom=None, max_replicas=21), ASK, 75.0)
SLOWER = make_setting(policy(headroom=None), ASK, 200.0)
END, OLDEST = 30 * DAY, 0.0


@dataclass(frozen=True)
class Asked:
    """A replay in the state that a test gives it."""

    days: tuple[ReplayedDay, ...] | None
    ended: bool = True

    def done(self) -> bool:
        return self.ended

    def result(self) -> tuple[ReplayedDay, ...] | None:
        return self.days


def days(*starts: float, setting: Setting = SETTING) -> tuple[ReplayedDay, ...]:
    zero = np.zeros(len(setting.rules))
    return tuple(ReplayedDay(start * DAY, 24.0, 1000.0, zero, zero + 10) for start in starts)


def replayed(until: float = END, setting: Setting = SETTING) -> GateMemory:
    last = until / DAY
    return GateMemory(setting, days(*(last - KEPT_DAYS + i for i in range(KEPT_DAYS))), until)


@pytest.mark.parametrize(
    ("gate", "setting", "end", "oldest", "want"),
    [
        pytest.param(GateMemory(), SETTING, END, OLDEST, (END - 7 * DAY, END), id="the first time: all that count"),
        pytest.param(GateMemory(), SETTING, END, END - 4.5 * DAY, (END - 2 * DAY, END), id="two days before the first"),
        pytest.param(GateMemory(), SETTING, END, END - 2.9 * DAY, None, id="too short a history"),
        pytest.param(replayed(), SETTING, END + DAY - 300, OLDEST, None, id="less than a day later"),
        pytest.param(replayed(), SETTING, END + DAY, OLDEST, (END, END + DAY), id="a day later: that day"),
        pytest.param(replayed(), SETTING, END + 2.5 * DAY, OLDEST, (END, END + 2 * DAY), id="whole days only"),
        pytest.param(replayed(), SETTING, END + 20 * DAY, OLDEST, (END + 13 * DAY, END + 20 * DAY), id="after a while"),
        pytest.param(
            replayed(), OTHER, END + 300, OLDEST, (END + 300 - 7 * DAY, END + 300), id="a new policy: at once"
        ),
        pytest.param(replayed(), SLOWER, END + 300, OLDEST, None, id="another start-up time: not at once"),
        pytest.param(replayed(), SLOWER, END + DAY, OLDEST, (END - 6 * DAY, END + DAY), id="but all days the next day"),
    ],
)
def test_span(gate: GateMemory, setting: Setting, end: float, oldest: float, want: tuple[float, float] | None) -> None:
    assert due_span(gate, setting, end, oldest) == want


def test_nothing_is_asked_for_twice() -> None:
    under_way = GateMemory(until=END, asked=(Asked(None, ended=False), SETTING))
    assert take_replay(under_way, 0.01) is under_way
    assert due_span(under_way, SETTING, END + 2 * DAY, OLDEST) is None
    assert due_span(under_way, OTHER, END + 300, OLDEST) == (END + 300 - 7 * DAY, END + 300)


def test_a_replay_is_taken_over() -> None:
    done = GateMemory(until=END, asked=(Asked(days(28, 29)), SETTING))
    taken = take_replay(done, 0.01)
    assert (taken.setting, taken.asked, taken.until) == (SETTING, None, END)
    assert [day.start for day in taken.days] == [28 * DAY, 29 * DAY]
    assert taken.choice is not None
    assert (taken.choice.days, taken.choice.reached) == (2, True)
    assert take_replay(taken, 0.01) is taken


def test_new_days_go_behind_the_old_ones_and_the_oldest_go() -> None:
    gate = replace(replayed(), asked=(Asked(days(30, 31)), SETTING))
    assert [day.start / DAY for day in take_replay(gate, 0.01).days] == [25, 26, 27, 28, 29, 30, 31]


def test_days_of_another_setting_go() -> None:
    gate = replace(replayed(), asked=(Asked(days(29, setting=OTHER)), OTHER))
    taken = take_replay(gate, 0.01)
    assert ([day.start / DAY for day in taken.days], taken.setting) == ([29], OTHER)


def test_a_replay_that_failed_leaves_what_was_and_is_asked_for_again() -> None:
    first = take_replay(GateMemory(until=END, asked=(Asked(days(29)), SETTING)), 0.01)
    failed = take_replay(replace(first, until=END + DAY, asked=(Asked(None), SETTING)), 0.01)
    assert (failed.days, failed.choice, failed.asked) == (first.days, first.choice, None)
    assert due_span(failed, SETTING, END + DAY, OLDEST) is not None


def test_another_objective_chooses_at_once_on_the_same_days() -> None:
    """It asks for no replay, and there may be none for a day."""
    unmet, hours = np.full(len(SETTING.rules), 100.0), np.full(len(SETTING.rules), 90.0)
    unmet[1], hours[1] = 1.0, 40.0
    unmet[2], hours[2] = 100.0, 30.0
    (day,) = days(29)
    found = (replace(day, unmet=unmet, replica_hours=hours),)
    strict = take_replay(GateMemory(until=END, asked=(Asked(found), SETTING)), 0.002)
    assert strict.choice is not None
    assert strict.choice.rule == SETTING.rules[1]
    loose = take_replay(strict, 0.1)
    assert loose.choice is not None
    assert (loose.choice.rule, loose.days, loose.until) == (SETTING.rules[2], strict.days, END)
    assert take_replay(loose, 0.1) is loose
    assert due_span(loose, SETTING, END + 300, OLDEST) is None


def test_days_without_load_leave_the_choice() -> None:
    first = take_replay(GateMemory(until=END, asked=(Asked(days(29)), SETTING)), 0.01)
    quiet = tuple(replace(day, load=0.0) for day in days(30, setting=OTHER))
    assert take_replay(replace(first, asked=(Asked(quiet), OTHER)), 0.01).choice == first.choice


def test_what_the_choice_alone_uses_is_no_other_setting() -> None:
    assert make_setting(policy(headroom=None, unmet_load=0.2, mode="DryRun", lead_time_s=60.0), ASK, 75.0) == SETTING
    assert (SETTING.tick_s, SETTING.lead_s, SETTING.day_s) == (60.0, 120.0, DAY)
    assert make_setting(policy(), replace(ASK, step_s=5), 75.0).tick_s == 15.0


def test_a_job_has_a_start_for_each_day() -> None:
    past = Past(Series(np.empty(0), 0.0, 300.0), np.empty(0), 0.0, 60.0, 6048)
    job = plan_job(past, (28 * DAY, 30 * DAY), SETTING)
    assert (job.starts, job.setting) == ((28 * DAY, 29 * DAY), SETTING)
