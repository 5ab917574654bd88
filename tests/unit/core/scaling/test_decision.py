"""Tables of the replica decision."""

from __future__ import annotations

from dataclasses import replace

import pytest

from presage.core.scaling.decision import Demand, ScalingMemory, decide_replicas
from tests.builders import policy

NOW = 10_000.0
SEASONED = ScalingMemory(since=0.0)


def demand(observed: float | None, soon: float | None, later: float | None = None, *, shrink: bool = True) -> Demand:
    return Demand(observed, soon, soon if later is None else later, shrink)


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
        pytest.param(4, demand(190, 150), 4, "Reactive", id="within tolerance upwards: stay"),
        pytest.param(4, demand(100, 201), 5, "Forecast", id="no tolerance where the need exceeds the current"),
        pytest.param(10, demand(100, 100), 8, "Stabilization", id="down in steps of a fifth"),
        pytest.param(10, demand(100, 100, 500), 10, "Stabilization", id="a later need keeps replicas"),
        pytest.param(10, demand(100, 470), 10, "Forecast", id="within tolerance downwards: stay"),
        pytest.param(3, demand(10, 10), 2, "Minimum", id="a step down is at least one pod"),
    ],
)
def test_decision(current: int, given: Demand, want: int, binding: str) -> None:
    got = decide_replicas(policy(), current, given, SEASONED, NOW)
    assert (got.replicas, got.binding) == (want, binding)


def test_a_restart_never_lowers_before_a_whole_window() -> None:
    calm = demand(100, 100)
    first = decide_replicas(policy(), 10, calm, ScalingMemory(), NOW)
    almost = decide_replicas(policy(), 10, calm, first.memory, NOW + 299)
    after = decide_replicas(policy(), 10, calm, almost.memory, NOW + 300)
    assert (first.replicas, almost.replicas, after.replicas) == (10, 10, 8)


def test_a_peak_within_the_window_keeps_replicas() -> None:
    high = decide_replicas(policy(), 10, demand(480, 480), SEASONED, NOW)
    soon = decide_replicas(policy(), 10, demand(100, 100), high.memory, NOW + 200)
    late = decide_replicas(policy(), 10, demand(100, 100), soon.memory, NOW + 301)
    assert (soon.replicas, late.replicas) == (10, 8)


def test_steps_down_add_up_over_the_period() -> None:
    quick = replace(policy(), stabilization_s=0.0)
    memory, current, seen = SEASONED, 20, []
    for tick in range(0, 90, 15):
        got = decide_replicas(quick, current, demand(10, 10), memory, NOW + tick)
        memory, current = got.memory, got.replicas
        seen.append(current)
    assert seen == [16, 16, 16, 16, 13, 13]
