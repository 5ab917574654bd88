"""The replay of past days: the same answers as the decision itself, tick by tick, and nothing of the future in them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from presage.core.forecast.api import Series
from presage.core.scaling.curves import OBSERVED, PAST, quantile_curve
from presage.core.scaling.decision import Demand, ScalingMemory, decide_replicas, remember_outcome
from presage.core.scaling.policy import ScalingPolicy
from presage.core.scaling.replay import FloatArray, Past, look_ahead, play_rules, replay_day
from presage.core.scaling.rule import Rule
from presage.core.scaling.world import play
from tests.builders import policy

STEP, DAY = 5.0, 96
LEAD_S, TICK_S = 20.0, 5.0
RULES = (Rule(OBSERVED, 0.1), Rule(PAST[0], 0.0), Rule(PAST[1], 0.2), Rule(quantile_curve(0.95), 0.05))
LIMITS = policy(
    min_replicas=1, max_replicas=60, stabilization_s=30.0, down_period_s=10.0, decision_period_s=TICK_S, tolerance=0.05
)


def made_past(scale: float = 1.0, days: int = 6) -> Past:
    at = np.arange(days * DAY)
    noise = np.random.default_rng(7).normal(0, 20, len(at))
    values = scale * np.maximum(500 + 300 * np.sin(2 * np.pi * at / DAY) + noise, 0.0)
    return Past(Series(values, 0.0, STEP, (480,)), values.copy(), 0.0, TICK_S, 20 * DAY)


def step_by_step(
    rule: ScalingPolicy, tick_s: float, needed: FloatArray, later: FloatArray, known: list[bool], first: int
) -> list[int]:
    """Decide tick by tick as the operator does, from a start at which a whole window was seen of the first need."""
    start = 1e6
    asked = decide_replicas(rule, 0, Demand(needed[0], None, None, True, 60.0, 0.0), ScalingMemory(), 0.0).wanted
    memory, current, seen = ScalingMemory(since=0.0, wanted=((start - tick_s, asked),)), first, []
    for tick, load in enumerate(needed):
        now = start + tick * tick_s
        asked_for = Demand(load, None, None if np.isnan(later[tick]) else later[tick], known[tick], 60.0, 0.0)
        got = decide_replicas(rule, current, asked_for, memory, now)
        memory = remember_outcome(got.memory, current, got.replicas, now)
        current = got.replicas
        seen.append(current)
    return seen


@st.composite
def plays(draw: st.DrawFn) -> tuple[ScalingPolicy, float, FloatArray, FloatArray, list[bool]]:
    tick_s, low = draw(st.sampled_from([5.0, 15.0, 60.0])), draw(st.integers(0, 5))
    rule = policy(
        min_replicas=low,
        max_replicas=max(1, low) + draw(st.integers(0, 40)),
        tolerance=draw(st.sampled_from([0.0, 0.1, 0.35])),
        stabilization_s=draw(st.sampled_from([0.0, 7.0, 60.0, 100.0, 300.0])),
        max_down=draw(st.sampled_from([0.01, 0.2, 0.5, 1.0])),
        down_period_s=draw(st.sampled_from([1.0, 40.0, 60.0, 200.0])),
        decision_period_s=tick_s,
    )
    count = draw(st.integers(8, 30))
    loads = st.integers(0, 2000).map(lambda load: load + 0.37)  # never on the edge of a pod or of the tolerance
    needed = draw(st.lists(loads, min_size=count, max_size=count))
    later = draw(st.lists(loads | st.just(float("nan")), min_size=count, max_size=count))
    known = draw(st.lists(st.sampled_from([True, True, True, False]), min_size=count, max_size=count))
    return rule, tick_s, np.array(needed), np.array(later), known


@settings(max_examples=200)
@given(plays())
def test_every_tick_is_decided_as_the_operator_decides_it(
    given: tuple[ScalingPolicy, float, FloatArray, FloatArray, list[bool]],
) -> None:
    rule, tick_s, needed, later, known = given
    got = play_rules(rule, tick_s, needed[None], later[None], np.array(known))[0]
    window = max(1, -(-int(rule.stabilization_s) // int(tick_s)))
    warm = int(np.ceil(needed[:window].max() / rule.per_pod))
    first = min(rule.max_replicas, max(rule.min_replicas, warm))
    assert got.tolist() == step_by_step(rule, tick_s, needed, later, known, first)


def test_rules_do_not_see_each_other() -> None:
    needed = np.random.default_rng(3).uniform(0, 2000, (4, 50))
    later, known = needed[::-1] * 0.8, np.arange(50) % 7 > 0
    together = play_rules(LIMITS, TICK_S, needed, later, known)
    for number in range(4):
        alone = play_rules(LIMITS, TICK_S, needed[number : number + 1], later[number : number + 1], known)
        assert together[number].tolist() == alone[0].tolist()


@pytest.mark.parametrize("number", range(len(RULES)), ids=[str(rule) for rule in RULES])
def test_the_sums_are_those_of_the_closed_loop(number: int) -> None:
    past, rule, start = made_past(), RULES[number], 4 * DAY * STEP
    day = replay_day(past, start, LIMITS, LEAD_S, RULES)
    ahead = look_ahead(past, start, DAY, [rule.curve], LEAD_S, LIMITS.stabilization_s)
    load, tick, memory = past.load[4 * DAY : 5 * DAY], 0, ScalingMemory(since=-1e6)

    def decide(observed: float, current: int, ready: int) -> int:
        nonlocal tick, memory
        soon, later = (None if np.isnan(x) else float(x) for x in (ahead.soon[0, tick], ahead.later[0, tick]))
        now = tick * TICK_S
        if not memory.wanted:
            memory = replace(memory, wanted=((now - TICK_S, 0),))
        got = decide_replicas(LIMITS, current, Demand(observed, soon, later, True, LEAD_S, rule.headroom), memory, now)
        memory, tick = remember_outcome(got.memory, current, got.replicas, now), tick + 1
        return got.replicas

    seen = np.concatenate([[past.load[4 * DAY - 1]], load[:5]]) * (1 + rule.headroom)
    first = int(np.ceil(np.fmax(seen, ahead.soon[0, :6]).max() / LIMITS.per_pod))
    first = max(first, 1)
    if rule.curve is OBSERVED:
        observed = [past.load[4 * DAY - 1], *(load[max(0, i - 12) : i].mean() for i in range(1, 6))]
        first = int(np.ceil(max(observed) * 1.1 / LIMITS.per_pod))
    outcome = play(
        load, LIMITS.per_pod, TICK_S, LEAD_S - TICK_S, decide,
        min_replicas=1, max_replicas=60, initial=first, before=float(past.load[4 * DAY - 1]),
    )  # fmt: skip
    assert day.replica_hours[number] == pytest.approx(outcome.replica_hours)
    assert day.unmet[number] == pytest.approx(outcome.unmet.sum())
    assert (day.load, day.hours) == (pytest.approx(load.sum()), pytest.approx(DAY * STEP / 3600))


def test_nothing_of_the_future_enters_a_curve() -> None:
    past, start, cut = made_past(), 4 * DAY * STEP, 40
    curves = [OBSERVED, *PAST, quantile_curve(0.9), quantile_curve(0.99, 2.0)]
    values = np.array(past.series.values)
    values[4 * DAY + cut :] = np.random.default_rng(0).uniform(0, 1e6, 2 * DAY - cut)
    other = replace(past, series=replace(past.series, values=values))
    told = look_ahead(past, start, DAY, curves, LEAD_S, 30.0)
    changed = look_ahead(other, start, DAY, curves, LEAD_S, 30.0)
    for one, two in ((told.soon, changed.soon), (told.later, changed.later)):
        np.testing.assert_array_equal(one[:, : cut + 1], two[:, : cut + 1])
        assert np.nanmax(abs(one[1:, cut + 1 :] - two[1:, cut + 1 :])) > 1000, "and what is past by then does"


def test_what_is_needed_later_changes_nothing_before() -> None:
    needed = np.random.default_rng(5).uniform(0, 2000, (3, 60))
    known = np.ones(60, bool)
    whole = play_rules(LIMITS, TICK_S, needed, needed, known)
    assert play_rules(LIMITS, TICK_S, needed[:, :20], needed[:, :20], known[:20]).tolist() == whole[:, :20].tolist()


def test_another_unit_is_another_unit() -> None:
    start = 4 * DAY * STEP
    one = replay_day(made_past(), start, LIMITS, LEAD_S, RULES)
    other = replay_day(made_past(1000.0), start, replace(LIMITS, per_pod=50_000.0), LEAD_S, RULES)
    assert one.replica_hours.min() > 0
    assert other.replica_hours.tolist() == one.replica_hours.tolist()
    assert other.unmet == pytest.approx(1000 * one.unmet)
    assert other.load == pytest.approx(1000 * one.load)


def test_hours_without_a_load_count_for_nothing() -> None:
    past = made_past()
    load = past.load.copy()
    load[4 * DAY + 10 : 4 * DAY + 20] = np.nan
    day = replay_day(replace(past, load=load), 4 * DAY * STEP, LIMITS, LEAD_S, RULES)
    assert day.hours == pytest.approx((DAY - 10) * STEP / 3600)
    assert day.load == pytest.approx(np.nansum(load[4 * DAY : 5 * DAY]))
    assert np.isfinite(day.unmet).all()
