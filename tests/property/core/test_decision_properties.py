"""Properties of the replica decision that no table can show."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from presage.core.scaling.decision import Demand, ReplicaDecision, ScalingMemory, decide_replicas
from presage.core.scaling.policy import ScalingPolicy
from tests.builders import policy

loads = st.none() | st.floats(0, 1e6, allow_nan=False)
NOW = 1_000_000.0


@st.composite
def policies(draw: st.DrawFn) -> ScalingPolicy:
    low = draw(st.integers(0, 50))
    return policy(
        min_replicas=low,
        max_replicas=max(1, low) + draw(st.integers(0, 100)),
        per_pod=draw(st.floats(0.01, 1000)),
        tolerance=draw(st.floats(0, 0.5)),
        stabilization_s=draw(st.sampled_from([0.0, 15.0, 300.0])),
        max_down=draw(st.floats(0.01, 1)),
    )


@st.composite
def memories(draw: st.DrawFn) -> ScalingMemory:
    ages = st.floats(0, 1000)
    entries = st.lists(st.tuples(ages, st.integers(1, 60)), max_size=5)
    wanted = tuple((NOW - age, n) for age, n in draw(entries))
    removed = tuple((NOW - age, n) for age, n in draw(entries))
    return ScalingMemory(draw(st.none() | st.floats(0, NOW)), wanted, removed)


leads = st.floats(1, 600)
headrooms = st.floats(0, 3)
demands = st.builds(Demand, loads, loads, loads, st.booleans(), leads, headrooms)
currents = st.integers(0, 200)


def decide(rule: ScalingPolicy, current: int, asked: Demand, memory: ScalingMemory) -> ReplicaDecision:
    return decide_replicas(rule, current, asked, memory, NOW)


@given(policies(), currents, demands, memories())
def test_within_limits(rule: ScalingPolicy, current: int, asked: Demand, memory: ScalingMemory) -> None:
    got = decide(rule, current, asked, memory)
    assert rule.min_replicas <= got.replicas <= rule.max_replicas


@given(policies(), currents, demands, memories(), st.floats(0, 1e6), st.sampled_from(["observed", "soon", "later"]))
def test_monotone_in_load(
    rule: ScalingPolicy, current: int, asked: Demand, memory: ScalingMemory, more: float, which: str
) -> None:
    base = {"observed": asked.observed or 0.0, "soon": asked.soon or 0.0, "later": asked.later or 0.0}
    low = decide(rule, current, replace(asked, **base), memory)
    high = decide(rule, current, replace(asked, **{**base, which: base[which] + more}), memory)
    assert high.replicas >= low.replicas


@given(policies(), currents, loads, loads, memories())
def test_missing_data_never_lowers(
    rule: ScalingPolicy, current: int, observed: float | None, soon: float | None, memory: ScalingMemory
) -> None:
    got = decide(rule, current, Demand(observed, soon, soon, may_shrink=False, lead_s=60.0, headroom=0.1), memory)
    assert got.replicas >= min(current, rule.max_replicas)


@given(policies(), currents, demands)
def test_a_restart_never_lowers_at_once(rule: ScalingPolicy, current: int, asked: Demand) -> None:
    got = decide(rule, current, asked, ScalingMemory())
    if rule.stabilization_s > 0:
        assert got.replicas >= min(current, rule.max_replicas)


@given(policies(), currents, demands, memories())
def test_same_input_same_answer(rule: ScalingPolicy, current: int, asked: Demand, memory: ScalingMemory) -> None:
    assert decide(rule, current, asked, memory) == decide(rule, current, asked, memory)


@given(policies(), currents, demands, memories())
def test_no_step_is_larger_than_allowed(
    rule: ScalingPolicy, current: int, asked: Demand, memory: ScalingMemory
) -> None:
    got = decide(rule, current, asked, memory)
    if got.replicas < min(current, rule.max_replicas):
        recent = sum(n for at, n in memory.removed if at > NOW - rule.down_period_s)
        assert current - got.replicas <= max(1, (current + recent) * rule.max_down)


@given(policies(), currents, demands, memories(), headrooms)
def test_monotone_in_headroom(
    rule: ScalingPolicy, current: int, asked: Demand, memory: ScalingMemory, more: float
) -> None:
    low = decide(rule, current, asked, memory)
    high = decide(rule, current, replace(asked, headroom=asked.headroom + more), memory)
    assert high.replicas >= low.replicas
