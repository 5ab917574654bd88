"""The whole chain as one function, and that its defaults are those of the resources."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from presage.core.forecast.spec import ForecastSpec
from presage.core.scaling.api import FORECAST, replay_rule
from presage.core.scaling.pilot import Pilot
from presage.core.scaling.policy import DEFAULTS
from presage.core.scaling.world import play
from presage.resources.forecastspec import ForecastSettings
from presage.resources.scalingpolicy import ScalingSettings

DAY = 96
ASK = ForecastSpec(5, 2400, 120, (480,), None, None)
POLICY = replace(DEFAULTS, max_replicas=60, per_pod=50.0, lead_time_s=15.0, decision_period_s=5.0, stabilization_s=20.0)


def wave(days: int, seed: int = 0) -> np.ndarray:
    at = np.arange(days * DAY)
    return 500 + 300 * np.sin(2 * np.pi * at / DAY) + np.random.default_rng(seed).normal(0, 20, len(at))


def run(history: np.ndarray, load: np.ndarray) -> list[int]:
    pilot = Pilot(history, 0.0, 5.0, POLICY, ASK)
    outcome = play(load, 50.0, 5.0, 15.0, pilot.decide, max_replicas=60, before=float(history[-1]))
    return [int(x) for x in outcome.replicas]


def test_defaults_are_those_of_the_resources() -> None:
    assert ScalingSettings(max_replicas=1, per_pod="1").to_core() == DEFAULTS
    assert ForecastSettings().to_core() == FORECAST


def test_equal_input_gives_equal_output() -> None:
    load = wave(5)
    assert run(load[: 4 * DAY], load[4 * DAY :]) == run(load[: 4 * DAY], load[4 * DAY :])


def test_nothing_of_the_future_is_used() -> None:
    load = wave(5)
    other = load.copy()
    other[4 * DAY + 40 :] = 3000.0
    one, two = (run(x[: 4 * DAY], x[4 * DAY :]) for x in (load, other))
    assert one[:41] == two[:41]
    assert one[41:] != two[41:]


def test_it_is_ahead_of_a_daily_rise() -> None:
    """The last value needs 4 pods at the bottom of the day; those for the rise are there before it."""
    load = wave(6)
    history, day = load[: 5 * DAY], load[5 * DAY :]
    pilot = Pilot(history, 0.0, 5.0, POLICY, ASK)
    outcome = play(day, 50.0, 5.0, 15.0, pilot.decide, max_replicas=60, before=float(history[-1]))
    assert outcome.unmet_share < 0.01
    assert outcome.replica_hours < 1.5 * float(np.ceil(day / 50).sum()) * 5 / 3600


def test_the_first_call_repeats_the_end_of_the_history() -> None:
    """So it adds no tick: what it is told then is in no forecast afterwards."""
    history = wave(4)
    one, two = (Pilot(history, 0.0, 5.0, POLICY, ASK) for _ in range(2))
    one.decide(float(history[-1]), 10, 10)
    two.decide(2500.0, 10, 10)
    for load in wave(1, seed=1)[:30].tolist():
        one_asked, two_asked = one.decide(load, 1, 1), two.decide(load, 1, 1)
    assert one_asked == two_asked


def test_the_startup_time_must_be_given() -> None:
    with pytest.raises(ValueError, match="start-up time"):
        Pilot(wave(2), 0.0, 5.0, DEFAULTS, ASK)


@pytest.mark.parametrize(
    ("tick", "capacity", "startup", "objective"),
    [(0, 50, 60, 0.01), (15, 0, 60, 0.01), (15, 50, -1, 0.01), (15, 50, 60, 0), (15, 50, 60, 1), (15, 50, 60, np.nan)],
)
def test_arguments_out_of_range(tick: float, capacity: float, startup: float, objective: float) -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        replay_rule(np.ones(10), tick, capacity, startup, objective)


def test_the_one_function_decides() -> None:
    decide = replay_rule(np.full(400, 100.0), 60.0, 50.0, 60.0, 0.01)
    asked = [decide(100.0, 3, 3) for _ in range(3)]
    assert all(2 <= number <= 4 for number in asked)
    assert decide(5000.0, 3, 3) >= 100
