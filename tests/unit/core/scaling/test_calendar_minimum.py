"""The calendar's minimum in the replica decision: the user's word, with or without data."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presage.core.scaling.decision import Demand, ScalingMemory, decide_replicas
from tests.builders import policy

NOW = 10_000.0
SEASONED = ScalingMemory(since=0.0, wanted=((NOW - 15, 1),))


def called(calendar: int, observed: float | None, soon: float | None, *, shrink: bool = True) -> Demand:
    return Demand(observed, soon, soon, shrink, 60.0, 0.1, calendar)


@pytest.mark.parametrize(
    ("current", "asked", "want", "binding"),
    [
        pytest.param(4, called(9, 100, 100), 9, "Calendar", id="the calendar asks for more"),
        pytest.param(4, called(9, None, None, shrink=False), 9, "Calendar", id="and does without data"),
        pytest.param(12, called(9, None, None, shrink=False), 12, "Hold", id="which lowers nothing"),
        pytest.param(4, called(9, 100, 500), 10, "Forecast", id="the load asks for more than the calendar"),
        pytest.param(4, called(99, 100, 100), 20, "Calendar", id="the maximum holds for the calendar too"),
        pytest.param(4, called(2, 10, 10), 3, "Stabilization", id="what the minimum gives is not the calendar's"),
        pytest.param(2, called(2, 10, 10), 2, "Minimum", id="nor named after it"),
        pytest.param(20, called(9, 10, 10), 16, "Stabilization", id="down to it in steps"),
        pytest.param(10, called(9, 10, 10), 9, "Calendar", id="and not below"),
    ],
)
def test_decision(current: int, asked: Demand, want: int, binding: str) -> None:
    got = decide_replicas(policy(), current, asked, SEASONED, NOW)
    assert (got.replicas, got.binding) == (want, binding)


loads = st.none() | st.floats(0, 1e6, allow_nan=False)
demands = st.builds(Demand, loads, loads, loads, st.booleans(), st.floats(1, 600), st.floats(0, 1), st.integers(0, 99))


@given(st.integers(1, 30), st.integers(0, 30), st.integers(0, 80), demands, st.integers(0, 50), st.booleans())
def test_it_only_ever_raises_and_holds_whatever_is_known(
    low: int, more: int, current: int, asked: Demand, later: int, seasoned: bool
) -> None:
    rule = policy(min_replicas=low, max_replicas=low + more)
    memory = SEASONED if seasoned else ScalingMemory()
    got = decide_replicas(rule, current, asked, memory, NOW)
    assert min(asked.calendar, rule.max_replicas) <= got.replicas <= rule.max_replicas
    raised = decide_replicas(rule, current, replace(asked, calendar=asked.calendar + later), memory, NOW)
    assert raised.replicas >= got.replicas
    if got.binding == "Calendar":
        assert got.replicas == min(asked.calendar, rule.max_replicas) > rule.min_replicas
