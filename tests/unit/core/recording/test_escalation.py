"""Escalation begins by a sign, ends by the clock, and pauses."""

from __future__ import annotations

import pytest

from presage.core.recording import reasons
from presage.core.recording.escalation import EscalationMemory, Signs, escalate, is_burning, is_under_way
from presage.core.recording.spec import EscalationPolicy

NOW = 10_000.0
POLICY = EscalationPolicy(lasts_s=600.0, pause_s=3600.0)
QUIET, SURPRISED, BURNING = Signs(), Signs(surprise=True), Signs(burning=True)


def last(until: float, reason: str = reasons.SURPRISE) -> EscalationMemory:
    return EscalationMemory(until, reason)


@pytest.mark.parametrize(
    ("signs", "memory", "want"),
    [
        pytest.param(QUIET, None, None, id="nothing"),
        pytest.param(SURPRISED, None, last(NOW + 600), id="a surprise begins one"),
        pytest.param(BURNING, None, last(NOW + 600, reasons.OBJECTIVE_BURN), id="so does a burning objective"),
        pytest.param(
            Signs(surprise=True, burning=True), None, last(NOW + 600, reasons.OBJECTIVE_BURN), id="the graver one"
        ),
        pytest.param(QUIET, last(NOW + 1), last(NOW + 1), id="it lasts without the sign"),
        pytest.param(SURPRISED, last(NOW + 1), last(NOW + 1), id="and no longer with it"),
        pytest.param(SURPRISED, last(NOW), last(NOW), id="then there is a pause"),
        pytest.param(SURPRISED, last(NOW - 3599), last(NOW - 3599), id="to its end"),
        pytest.param(SURPRISED, last(NOW - 3600), last(NOW + 600), id="after which the next begins"),
        pytest.param(QUIET, last(NOW - 3600), last(NOW - 3600), id="or none"),
        pytest.param(QUIET, last(NOW + 9999), last(NOW + 600), id="a clock set back, or a shorter wish: never longer"),
    ],
)
def test_escalation(signs: Signs, memory: EscalationMemory | None, want: EscalationMemory | None) -> None:
    assert escalate(POLICY, signs, memory, NOW) == want


def test_its_end_is_one_that_status_can_hold() -> None:
    assert escalate(POLICY, SURPRISED, None, NOW + 0.7) == last(NOW + 600)


def test_without_a_policy_there_is_none_and_one_under_way_is_over() -> None:
    assert escalate(None, SURPRISED, last(NOW + 60), NOW) is None


def test_it_is_under_way_until_it_ends() -> None:
    assert is_under_way(last(NOW + 1), NOW)
    assert not is_under_way(last(NOW), NOW)
    assert not is_under_way(None, NOW)


@pytest.mark.parametrize(
    ("load", "served", "unmet", "want"),
    [
        pytest.param(100.0, 100.0, 0.005, False, id="all served"),
        pytest.param(100.0, 93.0, 0.005, False, id="7.0 % of at most 7.2 %"),
        pytest.param(100.0, 92.0, 0.005, True, id="8.0 %"),
        pytest.param(0.0, 0.0, 0.005, False, id="no load at no instance"),
        pytest.param(10.0, 0.0, 0.005, True, id="load at no instance"),
        pytest.param(10.0, 0.0, 0.1, False, id="an objective so wide that nothing burns it"),
        pytest.param(None, 5.0, 0.005, False, id="unknown load"),
        pytest.param(5.0, None, 0.005, False, id="unknown capacity"),
        pytest.param(float("nan"), 5.0, 0.005, False, id="no number"),
    ],
)
def test_burning(load: float | None, served: float | None, unmet: float, want: bool) -> None:
    assert is_burning(load, served, unmet) is want
