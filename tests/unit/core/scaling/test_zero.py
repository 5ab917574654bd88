"""Tables of zero: when a target may be there, and what holds it above."""

from __future__ import annotations

from dataclasses import replace

import pytest

from presage.core.scaling.decision import Demand
from presage.core.scaling.zero import (
    VANISHED_S,
    Floor,
    Stillness,
    ZeroMemory,
    decide_floor,
    remember_data,
    round_to_zero,
)
from tests.builders import policy

NOW = 10_000.0
ZERO = policy(min_replicas=0, stabilization_s=300.0, max_sample_age_s=60.0, fallback_replicas=4)
STILL = Stillness(current=1, live=True, observed=0.0, upper=0.0, own=False, settled=1, blind_s=0.0)


@pytest.mark.parametrize(
    ("still", "want", "why"),
    [
        pytest.param(STILL, 0, "", id="nothing to do, now and soon"),
        pytest.param(replace(STILL, upper=0.5), 0, "", id="a hundredth of a pod's load foreseen is none"),
        pytest.param(replace(STILL, upper=0.51), 1, "load may come", id="more than that is load"),
        pytest.param(replace(STILL, upper=None), 1, "no forecast", id="without a forecast"),
        pytest.param(replace(STILL, live=False), 1, "fresh and complete", id="absence is no zero load"),
        pytest.param(replace(STILL, observed=None), 1, "fresh and complete", id="an unknown load is no zero load"),
        pytest.param(replace(STILL, own=True), 1, "own pods measure", id="the metric would go with the pods"),
        pytest.param(replace(STILL, settled=0), 1, "long enough", id="whose metric it is is not known yet"),
        pytest.param(replace(STILL, vanished=True), 1, "went away", id="the metric went with the pods before"),
        pytest.param(replace(STILL, current=0, settled=0), 0, "", id="at 0 with data"),
        pytest.param(replace(STILL, current=0, settled=0, upper=None), 0, "", id="at 0 only load wakes"),
        pytest.param(replace(STILL, current=0, live=False, blind_s=300.0), 0, "", id="at 0 without data for a while"),
        pytest.param(replace(STILL, current=0, live=False, blind_s=301.0), 1, "no data at 0", id="and for longer"),
        pytest.param(replace(STILL, current=0, own=True), 1, "own pods measure", id="at 0 with its own metric"),
    ],
)
def test_floor(still: Stillness, want: int, why: str) -> None:
    floor = decide_floor(ZERO, still, fallback_due=False)
    assert floor.replicas == want
    assert (why in floor.why) if why else not floor.why


def test_a_minimum_of_one_or_more_asks_nothing() -> None:
    assert decide_floor(policy(min_replicas=2), replace(STILL, own=True), fallback_due=False) == Floor(2)


def test_the_fallback_raises_the_floor_and_nothing_else() -> None:
    blind = replace(STILL, current=0, live=False, blind_s=9999.0)
    assert decide_floor(ZERO, blind, fallback_due=True).replicas == 4
    assert decide_floor(policy(min_replicas=6, fallback_replicas=4), blind, fallback_due=True) == Floor(6)
    assert decide_floor(policy(min_replicas=2), blind, fallback_due=True) == Floor(2)


def test_next_to_nothing_foreseen_is_nothing_only_where_zero_is_given() -> None:
    demand = Demand(0.0, 0.5, 0.5, may_shrink=True, lead_s=60.0, headroom=0.1)
    got = round_to_zero(ZERO, Floor(0), demand)
    assert (got.soon, got.later) == (0.0, 0.0)
    assert round_to_zero(ZERO, Floor(1), demand) == demand
    load = replace(demand, observed=1.0, soon=0.51)
    assert round_to_zero(ZERO, Floor(0), load) == replace(load, later=0.0)


def test_how_long_there_was_no_data() -> None:
    memory = remember_data(ZeroMemory(), NOW, live=False, gone_at_zero=False, patience_s=300)
    memory = remember_data(memory, NOW + 200, live=False, gone_at_zero=False, patience_s=300)
    assert memory.blind_since == NOW
    assert remember_data(memory, NOW + 215, live=True, gone_at_zero=False, patience_s=300).blind_since is None


def test_series_that_went_with_the_pods_are_remembered_for_a_day() -> None:
    memory = ZeroMemory(meant=True, blind_since=NOW - 300)
    assert remember_data(memory, NOW, live=False, gone_at_zero=True, patience_s=300).vanished_at is None
    gone = remember_data(memory, NOW + 1, live=False, gone_at_zero=True, patience_s=300)
    back = remember_data(gone, NOW + VANISHED_S, live=True, gone_at_zero=False, patience_s=300)
    assert back.vanished_at == NOW + 1
    assert remember_data(back, NOW + VANISHED_S + 2, live=True, gone_at_zero=False, patience_s=300).vanished_at is None
