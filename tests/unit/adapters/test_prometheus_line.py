"""The breaker: who may ask a source that failed, and what the others hear."""

from __future__ import annotations

import pytest

from presage.adapters.prometheus_line import Breaker
from presage.adapters.prometheus_session import QueryFault
from presage.core.faults import SourceFault

DOWN = SourceFault("Unreachable", "no connection")


class Clock:
    """The monotonic clock, set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("presage.adapters.prometheus_line.time", clock)
    return clock


@pytest.fixture
def opened(clock: Clock) -> Breaker:
    breaker = Breaker(trial_s=20)
    for _ in range(5):
        breaker.record(breaker.admit(), DOWN)
    return breaker


def refuses(breaker: Breaker) -> bool:
    try:
        breaker.check()
    except SourceFault as fault:
        return (fault.reason, fault.message) == (DOWN.reason, DOWN.message)
    return False


def test_the_last_fault_is_said_again(opened: Breaker) -> None:
    assert refuses(opened)
    with pytest.raises(SourceFault, match="no connection"):
        opened.admit()


def test_one_trial_at_a_time(opened: Breaker, clock: Clock) -> None:
    clock.now += 6
    trial = opened.admit()
    assert refuses(opened)
    opened.record(trial, DOWN)
    clock.now += 4
    assert refuses(opened)
    clock.now += 2
    opened.record(opened.admit(), None)
    assert not refuses(opened)


def test_a_trial_without_a_result_gives_way(opened: Breaker, clock: Clock) -> None:
    clock.now += 6
    opened.admit()
    clock.now += 21
    assert not refuses(opened)


def test_a_refused_query_shows_that_the_source_is_back(opened: Breaker, clock: Clock) -> None:
    clock.now += 6
    opened.record(opened.admit(), QueryFault("QueryFailed", "query refused"))
    assert not refuses(opened)


def test_what_was_asked_before_it_opened_is_not_counted(clock: Clock) -> None:
    breaker = Breaker(trial_s=20)
    tickets = [breaker.admit() for _ in range(7)]
    for ticket in tickets[:5]:
        breaker.record(ticket, DOWN)
    breaker.record(tickets[5], None)
    assert refuses(breaker)
    clock.now += 6
    breaker.admit()
    breaker.record(tickets[6], DOWN)
    clock.now += 6
    assert refuses(breaker), "the trial is still under way"
