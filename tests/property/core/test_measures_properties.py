"""Properties of decisions over several measures that no table can show."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from presage.core.scaling.decision import Demand, ReplicaDecision, ScalingMemory, decide_replicas
from presage.core.scaling.measures import find_binding
from presage.core.scaling.policy import ScalingPolicy
from tests.property.core.test_decision_properties import NOW, currents, demands, memories, policies

capacities = st.floats(0.01, 1e7)


def decide(
    rule: ScalingPolicy, current: int, load: tuple[Demand, ScalingMemory], volume: tuple[Demand, ScalingMemory, float]
) -> ReplicaDecision:
    asked, memory, per_pod = volume
    decisions = {
        "load": decide_replicas(rule, current, *load, NOW),
        "bytes": decide_replicas(replace(rule, per_pod=per_pod), current, asked, memory, NOW),
    }
    return decisions[find_binding(decisions)]  # type: ignore[arg-type,index]  # names of measures


loads = st.tuples(demands, memories())
volumes = st.tuples(demands, memories(), capacities)


@given(policies(), currents, loads, volumes)
def test_one_more_measure_never_lowers(
    rule: ScalingPolicy,
    current: int,
    load: tuple[Demand, ScalingMemory],
    volume: tuple[Demand, ScalingMemory, float],
) -> None:
    alone = decide_replicas(rule, current, *load, NOW)
    assert decide(rule, current, load, volume).replicas >= alone.replicas


@given(policies(), currents, loads, volumes, st.floats(0, 1e6), st.sampled_from(["observed", "soon", "later"]))
def test_monotone_in_each(
    rule: ScalingPolicy,
    current: int,
    load: tuple[Demand, ScalingMemory],
    volume: tuple[Demand, ScalingMemory, float],
    more: float,
    which: str,
) -> None:
    asked, *rest = volume
    base = {"observed": asked.observed or 0.0, "soon": asked.soon or 0.0, "later": asked.later or 0.0}
    low = decide(rule, current, load, (replace(asked, **base), *rest))  # type: ignore[arg-type]
    high = decide(rule, current, load, (replace(asked, **{**base, which: base[which] + more}), *rest))  # type: ignore[arg-type]
    assert high.replicas >= low.replicas


@given(policies(), currents, loads, volumes)
def test_a_measure_without_good_data_keeps_what_there_is(
    rule: ScalingPolicy,
    current: int,
    load: tuple[Demand, ScalingMemory],
    volume: tuple[Demand, ScalingMemory, float],
) -> None:
    asked, memory, per_pod = volume
    got = decide(rule, current, load, (replace(asked, may_shrink=False), memory, per_pod))
    assert min(current, rule.max_replicas) <= got.replicas <= rule.max_replicas
