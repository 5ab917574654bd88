"""Tables of the replica decision."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from presage.core.scaling.decision import Demand, ScalingMemory, decide_replicas, remember_outcome
from presage.core.scaling.policy import ScalingPolicy
from tests.builders import policy

NOW = 10_000.0
LEAD, HEADROOM = 60.0, 0.1
SEASONED = ScalingMemory(since=0.0, wanted=((NOW - 15, 1),))


def demand(observed: float | None, soon: float | None, later: float | None = None, *, shrink: bool = True) -> Demand:
    return Demand(observed, soon, soon if later is None else later, shrink, LEAD, HEADROOM)


@pytest.mark.parametrize(
    ("current", "given", "want", "binding"),
    [
        pytest.param(4, demand(100, 390), 8, "Forecast", id="forecast asks for more"),
        pytest.param(4, demand(390, 100), 9, "Reactive", id="load above the forecast still counts"),
        pytest.param(4, demand(None, 390, shrink=False), 8, "Forecast", id="without data the forecast still raises"),
        pytest.param(4, demand(None, None, shrink=False), 4, "Hold", id="nothing known: stay"),
        pytest.param(4, demand(0, 0, shrink=False), 4, "Hold", id="zero load without permission to shrink: stay"),
        pytest.param(4, demand(2000, 2000), 20, "Maximum", id="never above the maximum"),
        pytest.param(1, demand(None, None, shrink=False), 2, "Hold", id="never below the minimum"),
        pytest.param(30, demand(None, None, shrink=False), 20, "Hold", id="the maximum holds without data too"),
        pytest.param(4, demand(190, 150), 5, "Reactive", id="no tolerance upwards: it would eat the headroom"),
        pytest.param(4, demand(180, 150), 4, "Reactive", id="load and headroom just fit"),
        pytest.param(4, demand(100, 201), 5, "Forecast", id="a need just above the current counts"),
        pytest.param(10, demand(100, 100), 8, "Stabilization", id="down in steps of a fifth"),
        pytest.param(10, demand(100, 100, 500), 10, "Stabilization", id="a later need keeps replicas"),
        pytest.param(10, demand(100, 470), 10, "Forecast", id="what is needed is what there is"),
        pytest.param(20, demand(100, 930), 20, "Stabilization", id="within tolerance downwards: stay"),
        pytest.param(3, demand(10, 10), 2, "Minimum", id="a step down is at least one pod"),
    ],
)
def test_decision(current: int, given: Demand, want: int, binding: str) -> None:
    got = decide_replicas(policy(), current, given, SEASONED, NOW)
    assert (got.replicas, got.binding) == (want, binding)


@pytest.mark.parametrize(
    ("current", "given", "memory", "want"),
    [
        pytest.param(4, demand(100, 390), SEASONED, ("", 8), id="more is wanted"),
        pytest.param(4, demand(180, 150), SEASONED, ("", 4), id="as many are wanted as there are"),
        pytest.param(3, demand(10, 10), SEASONED, ("", 2), id="all that is too much may go"),
        pytest.param(10, demand(100, 100, shrink=False), SEASONED, ("Data", 10), id="data allows no removal"),
        pytest.param(10, demand(100, 100), ScalingMemory(), ("Window", 10), id="no window was seen"),
        pytest.param(20, demand(100, 930), SEASONED, ("Tolerance", 20), id="not far enough below"),
        pytest.param(10, demand(100, 100, 470), SEASONED, ("Later", 10), id="more is needed soon after"),
        pytest.param(
            10, demand(100, 100), replace(SEASONED, wanted=((NOW - 15, 9),)), ("Earlier", 9), id="more was wanted"
        ),
        pytest.param(10, demand(100, 100), SEASONED, ("Step", 8), id="a fifth at most"),
    ],
)
def test_what_keeps_replicas_is_named(
    current: int, given: Demand, memory: ScalingMemory, want: tuple[str, int]
) -> None:
    got = decide_replicas(policy(), current, given, memory, NOW)
    assert (got.brake, got.replicas) == want
    assert got.demand == given


@pytest.mark.parametrize(
    ("headroom", "observed", "planned"),
    [
        pytest.param(0.2, 100, 120, id="a share of the load"),
        pytest.param(0.0, 100, 100, id="none"),
        pytest.param(1.5, 100, 250, id="more than the load itself"),
        pytest.param(0.2, None, None, id="no load"),
    ],
)
def test_the_headroom_is_that_of_the_rule_in_force(
    headroom: float, observed: float | None, planned: float | None
) -> None:
    """The user's own reaches it through that rule."""
    got = decide_replicas(policy(headroom=0.9), 4, replace(demand(observed, 50), headroom=headroom), SEASONED, NOW)
    assert got.observed == planned


def play(
    rule: ScalingPolicy, current: int, ticks: Iterable[tuple[float, float]], memory: ScalingMemory = SEASONED
) -> list[int]:
    """Decide at each (seconds after NOW, load) and follow every decision; return the replicas after each."""
    seen = []
    for seconds, load in ticks:
        got = decide_replicas(rule, current, demand(load, load), memory, NOW + seconds)
        memory = remember_outcome(got.memory, current, got.replicas, NOW + seconds)
        current = got.replicas
        seen.append(current)
    return seen


def every(period: int, until: int, load: float, start: int = 0) -> list[tuple[float, float]]:
    return [(float(second), load) for second in range(start, until + 1, period)]


def test_a_restart_never_lowers_before_a_whole_window() -> None:
    seen = play(policy(), 10, every(15, 300, 100), ScalingMemory())
    assert seen == [10] * 20 + [8]


@pytest.mark.parametrize("gap", [300, 7200])
def test_a_gap_between_decisions_is_no_observation(gap: int) -> None:
    """Mode Off for a while, a source or an operator away: what happened meanwhile nobody knows."""
    seen = play(policy(), 10, [(0.0, 450.0), (float(gap), 100.0), (gap + 15.0, 100.0)])
    assert seen == [10, 10, 10]


def test_a_raise_by_another_hand_holds_for_a_whole_window() -> None:
    rule = policy(stabilization_s=60.0)
    calm = decide_replicas(rule, 5, demand(230, 230), SEASONED, NOW)
    memory = remember_outcome(calm.memory, 5, calm.replicas, NOW)
    seen = play(rule, 20, every(15, 90, 230, start=15), memory)
    assert seen[:4] == [20] * 4
    assert seen[-1] < 20


def test_what_was_seen_of_incomplete_data_removes_nothing_later() -> None:
    """Half of the pods are not scraped; once they are again, their rates still need a window to fill."""
    rule = policy(stabilization_s=60.0)
    memory, seen = SEASONED, []
    for second in range(0, 181, 15):
        asked = demand(230, 100) if second < 90 else demand(230 if second < 105 else 470, 100)
        asked = replace(asked, may_shrink=second >= 90)
        got = decide_replicas(rule, 10, asked, memory, NOW + second)
        memory = remember_outcome(got.memory, 10, got.replicas, NOW + second)
        seen.append(got.replicas)
    assert min(seen) >= 10


def test_what_was_not_done_is_not_booked() -> None:
    """DryRun asks the same question at each tick and must get the same answer."""
    memory, seen = SEASONED, []
    for tick in range(0, 120, 15):
        got = decide_replicas(policy(stabilization_s=0.0), 20, demand(100, 100), memory, NOW + tick)
        memory = remember_outcome(got.memory, 20, 20, NOW + tick)
        seen.append(got.replicas)
    assert seen == [16] * 8


def test_a_peak_within_the_window_keeps_replicas() -> None:
    seen = play(policy(), 10, [(0.0, 450.0), *every(15, 315, 100, start=15)])
    assert seen == [10] * 20 + [8, 8]


def test_steps_down_add_up_over_the_period() -> None:
    assert play(policy(stabilization_s=0.0), 20, every(15, 75, 10)) == [16, 16, 16, 16, 13, 13]


@pytest.mark.parametrize("load", [float("inf"), float("nan"), 1e308])
def test_a_load_beyond_all_numbers_is_unknown(load: float) -> None:
    got = decide_replicas(policy(per_pod=1e-9), 4, demand(load, None, shrink=False), SEASONED, NOW)
    assert got.replicas == 4
