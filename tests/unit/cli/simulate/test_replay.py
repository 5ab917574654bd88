"""The replay: how a load is cut, and what each rule is given."""

from __future__ import annotations

import math

import numpy as np
import pytest

from presage.cli.simulate.replay import Replay, TooShortError, cut_ticks, find_hours, find_start, replay
from presage.core.samples import FloatArray, Grid
from presage.core.scaling.rivals import Target, clairvoyant
from presage.core.scaling.world import Decide, Outcome, observe

DAY = 5_760  # ticks
TARGET = Target(10.0, 60.0, 1, 50)


def make_grid(values: list[float], step: float) -> Grid:
    return Grid(np.array(values), 0.0, step, 0, 0, 0)


@pytest.mark.parametrize(
    ("step", "ticks"),
    [
        pytest.param(15.0, [1, 2, 4], id="a tick each"),
        pytest.param(30.0, [1, 1, 2, 2, 4, 4], id="two"),
        pytest.param(20.0, [1, 2, 2, 4], id="no whole number"),
        pytest.param(40.0, [1, 1, 1, 2, 2, 4, 4, 4], id="nor here"),
    ],
)
def test_a_load_in_ticks(step: float, ticks: list[float]) -> None:
    assert cut_ticks(make_grid([1, 2, 4], step)).tolist() == ticks


def test_what_is_not_known_stays_unknown_and_nothing_is_below_zero() -> None:
    assert np.array_equal(cut_ticks(make_grid([math.nan, -3.0], 15.0)), [math.nan, 0.0], equal_nan=True)


@pytest.mark.parametrize(
    ("ticks", "last_s", "start"),
    [
        (21 * DAY, None, 14 * DAY),
        (8 * DAY, None, DAY),
        (3 * DAY, None, DAY),
        (3 * DAY, 86_400, 2 * DAY),
        (3 * DAY, 2 * 86_400, DAY),
        (DAY + 240, None, DAY),
    ],
)
def test_where_the_window_starts(ticks: int, last_s: float | None, start: int) -> None:
    assert find_start(ticks, last_s) == start


@pytest.mark.parametrize(("ticks", "last_s"), [(DAY + 239, None), (3 * DAY, 2 * 86_400 + 15), (3 * DAY, 3_599 - 15)])
def test_there_must_be_a_day_before_it(ticks: int, last_s: float | None) -> None:
    with pytest.raises(TooShortError, match="h of load, and"):
        find_start(ticks, last_s)


def test_hours_on_the_wall() -> None:
    friday = 1_700_236_800 - 4 * 15  # one minute before 16:00 UTC on 17 November 2023
    assert find_hours(friday, 8, None).tolist() == [15] * 4 + [16] * 4
    assert find_hours(friday, 8, "Asia/Kolkata").tolist() == [21] * 8
    assert find_hours(friday, 8, "Asia/Kathmandu").tolist() == [21] * 8
    assert find_hours(friday, 8, "Pacific/Auckland").tolist() == [24 + 4] * 4 + [24 + 5] * 4, "Saturday there"
    night = 1_698_541_200 - 60  # one minute before the clocks in Berlin are put back from 3:00 to 2:00
    assert find_hours(night, 8, "Europe/Berlin").tolist() == [24 + 2] * 8


def play_all(ticks: FloatArray, start: int) -> tuple[dict[str, Outcome | str], list[tuple[FloatArray, float]]]:
    """Return what came of each rule, and what presage's was given: history, and each load seen."""
    given: list[tuple[FloatArray, float]] = []

    def make_rule(history: FloatArray) -> Decide:
        def decide(observed: float, current: int, ready: int) -> int:
            given.append((history, observed))
            return 12

        return decide

    run = Replay(ticks, 0.0, start, TARGET, 0.01, 0.8, None)
    return dict(replay(run, ("hpa", "cron", "yesterday", "clairvoyant"), make_rule, lambda _: None)), given


def test_what_each_rule_is_given() -> None:
    ticks = np.where(np.arange(3 * DAY) % DAY < DAY // 2, 40.0, 90.0)
    outcomes, given = play_all(ticks, 2 * DAY)
    assert list(outcomes) == ["presage", "hpa", "cron", "yesterday", "clairvoyant"]
    assert all(np.array_equal(history, ticks[: 2 * DAY]) for history, _ in given[:2])
    assert [observed for _, observed in given[:2]] == [90.0, 40.0], "first the end of the history, then what came"
    assert len(given) == DAY
    played = {name: outcome for name, outcome in outcomes.items() if isinstance(outcome, Outcome)}
    assert set(played["presage"].replicas.tolist()) == {12}
    assert played["hpa"].unmet_share > 0, "it comes too late at noon"
    assert played["cron"].unmet_share == played["yesterday"].unmet_share == 0
    assert set(played["cron"].replicas.tolist()) == {4, 9}
    assert len({outcome.ready[0] <= 6 for outcome in played.values()}) == 1, "all start with the same pods"
    alone = clairvoyant(ticks[2 * DAY :], TARGET, 0.01, initial=6)
    assert played["clairvoyant"].replica_hours == alone.replica_hours


def test_a_schedule_needs_a_history_that_knows_each_hour() -> None:
    ticks = np.full(2 * DAY, 40.0)
    ticks[100:500] = math.nan
    outcomes, _ = play_all(ticks, DAY)
    assert outcomes["cron"] == "not every hour of the day is known from the history"


def follow_load(history: FloatArray) -> Decide:
    """Return a rule that remembers nothing but how long its history is."""
    most = len(history) // DAY
    return lambda observed, current, ready: math.ceil(observed / 8) + most


def test_halves_of_a_long_window_fit_together() -> None:
    ticks = 60 + 40 * np.sin(np.arange(6 * DAY) * math.tau / DAY) + np.random.default_rng(2).normal(0, 4, 6 * DAY)
    told: list[str] = []
    run = Replay(ticks, 0.0, 2 * DAY, TARGET, 0.01, 0.8, None)
    ((name, outcome),) = replay(run, (), follow_load, told.append)
    assert name == "presage"
    assert isinstance(outcome, Outcome)
    want = np.ceil(observe(ticks, 15.0)[2 * DAY :] / 8).astype(int) + 2
    want[2 * DAY :] += 1  # the second half begins after almost four days of history
    assert (outcome.replicas[4:] == want[4:]).mean() > 0.999
    assert told[-1] == "presage's decisions: 100%"
