"""Decide: conditions, replicas and status of one MetricProfile. Pure: same input, same answer."""

from __future__ import annotations

from dataclasses import dataclass, replace

from presage.core.conditions import Condition, Status
from presage.core.scaling.decision import Demand, ReplicaDecision, decide_replicas, remember_outcome
from presage.core.scaling.ladder import Judgement, Reading, Reporting, judge
from presage.core.scaling.lead_time import LeadTime, decide_lead_time, watch_starts
from presage.core.scaling.manual import Hand, begin_acting
from presage.core.scaling.outlook import Peak, find_peak, find_spread
from presage.core.scaling.trust import Trust, judge_forecast
from presage.core.scaling.zero import Floor, round_to_zero
from presage.reconcile.kind import Decision, Note
from presage.reconcile.metricprofile.binding_event import judge_binding
from presage.reconcile.metricprofile.forecast_status import carry_reasons
from presage.reconcile.metricprofile.inputs import (
    BindingMemory,
    ProfileInput,
    ProfileMemory,
    ScalePlan,
    TargetState,
)
from presage.reconcile.metricprofile.learning import judge_capacity
from presage.reconcile.metricprofile.level_shift import judge_shift
from presage.reconcile.metricprofile.status import Facts, build_gauges, build_status, explain
from presage.reconcile.metricprofile.steering import explain_steered, find_bounds, steer

IDLE_PERIOD_S = 15.0  # how often an object is looked at that cannot act; its watches wake it earlier


@dataclass(frozen=True, slots=True)
class _Verdict:
    """Status and reason a condition will carry."""

    status: Status
    reason: str
    message: str


def decide(given: ProfileInput) -> Decision[ScalePlan, ProfileMemory]:
    """Return conditions, status, plan and memory for one input."""
    given = replace(given, forecast=carry_reasons(given.memory.forecast, given.forecast))
    memory, policy = given.memory, given.spec.scaling
    if given.target is not None:
        memory = replace(memory, starts=watch_starts(memory.starts, given.target.pods))
    lead = decide_lead_time(memory.starts, policy.lead_time_s, policy.decision_period_s)
    outlook = given.forecast.outlook if given.forecast else None
    pods = _count_reporting(given)
    covers_now = outlook is not None and outlook.start <= given.now < outlook.end
    judgement = _judge_data(given, memory, covers_now=covers_now, pods=pods)
    last_good = given.forecast.forecast if given.forecast else None
    whole_season = given.forecast is None or given.forecast.whole_season
    trust = judge_forecast(last_good, given.history_fault, covers_now=covers_now, whole_season=whole_season)
    shift, notes = judge_shift(memory.shift, given.forecast, given.spec.forecast, given.spec.target, given.now)
    capacity, learned = judge_capacity(memory.capacity, memory.measure, policy.per_pod, given.spec.target, given.now)
    memory = replace(memory, forecast=given.forecast, shift=shift, capacity=capacity)
    if judgement.rung == "Live" and given.target and given.target.settled:
        memory = replace(memory, reporting_share=pods / len(given.target.settled))
    bounds = find_bounds(given, memory, judgement, lead)
    judgement, scaling = bounds.judgement, _judge_scaling(given, own_zero=bounds.own_zero)
    acting = scaling.reason == "Active"
    facts = Facts(given, lead, memory.starts, judgement, trust, memory.reporting_share, None, None, capacity=capacity)
    facts = replace(facts, zeroed=bounds.own_zero)
    memory = replace(memory, zero=replace(bounds.zero, meant=bounds.own_zero))
    plan = None
    if given.target is not None and policy.mode != "Off":
        current = given.target.replicas
        if acting:
            memory = replace(memory, scaling=begin_acting(memory.scaling, memory.hand))
        decision, peak = _decide_replicas(given, given.target, memory, lead, judgement, trust, bounds.floor)
        steered = steer(given, memory.hand, decision, bounds, current, acting=acting)
        facts = replace(facts, decision=steered.decision, peak=peak, zeroed=steered.zero.meant)
        facts = replace(facts, kept=steered.hand.kept, held_by=explain_steered(bounds.floor, steered))
        outcome = remember_outcome(steered.decision.memory, current, steered.replicas, given.now)
        memory = replace(memory, scaling=outcome, zero=steered.zero, hand=steered.hand)
        notes = (*notes, *steered.notes)
        if steered.replicas != current:
            plan = ScalePlan(given.spec.target, current, steered.replicas, steered.decision.binding)
        if acting and facts.held_by:
            scaling = replace(scaling, message=f"{scaling.message.removesuffix('.')}{facts.held_by}.")
    else:
        memory = replace(memory, hand=Hand())
    told, news = _tell_binding(facts, memory, told=scaling.reason in ("Active", "DryRun"))
    return Decision(
        plan=plan,
        conditions=_build_conditions(given, judgement, trust, scaling),
        status=build_status(facts),
        next_in_s=policy.decision_period_s if scaling.reason in ("Active", "DryRun") else IDLE_PERIOD_S,
        memory=replace(memory, binding=told),
        gauges=build_gauges(facts),
        binding=facts.decision.binding if facts.decision else "",
        notes=(*notes, *learned, *news),
    )


def _tell_binding(facts: Facts, memory: ProfileMemory, *, told: bool) -> tuple[BindingMemory, tuple[Note, ...]]:
    decision = facts.decision if told else None
    after, before = judge_binding(memory.binding, decision.binding if decision else "", facts.given.now)
    if decision is None or not before:
        return after, ()
    said = f"{decision.binding} decides now, instead of {before}: {explain(facts, decision)}"
    return after, (Note("BindingChanged", said),)


def _count_reporting(given: ProfileInput) -> int:
    """Return how many settled pods are among the scraped instances, by name or by address."""
    if given.target is None or given.reading is None:
        return 0
    return sum(bool({name, address} & given.reading.targets) for name, address in given.target.settled)


def _judge_data(given: ProfileInput, memory: ProfileMemory, *, covers_now: bool, pods: int) -> Judgement:
    if given.source_problem is not None:
        return Judgement("Hold", given.source_problem.reason, given.source_problem.message)
    settled = len(given.target.settled) if given.target else 0
    return judge(
        given.reading or Reading(None, None, frozenset()),
        now=given.now,
        max_age_s=given.spec.scaling.max_sample_age_s,
        pods=Reporting(pods, memory.reporting_share * settled),
        forecast_covers_now=covers_now,
    )


def _judge_scaling(given: ProfileInput, *, own_zero: bool) -> _Verdict:
    """Return whether replicas may be written; the first obstacle found names it."""
    name = given.spec.target
    if given.target is None:
        return _Verdict("False", "TargetNotFound", f"There is no Deployment {name} in this namespace to scale.")
    asleep = f" Deployment {name} is at 0 replicas and is not woken." if given.target.replicas == 0 else ""
    if given.spec.scaling.mode == "Off":
        return _Verdict("False", "Off", f"spec.scaling.mode is Off: nothing is decided or written.{asleep}")
    if given.paused:
        return _Verdict("False", "Paused", f"Paused: decisions are shown and not written.{asleep}")
    if given.owners:
        return _Verdict(
            "False", "TargetOwned", f"{' and '.join(given.owners)} already scales Deployment {name}: it is left alone."
        )
    if given.contenders:
        others = ", ".join(given.contenders)
        return _Verdict(
            "False", "TargetContested", f"MetricProfile {others} aims at Deployment {name} too: keep only one of them."
        )
    if given.spec.scaling.mode == "DryRun":
        return _Verdict("False", "DryRun", "spec.scaling.mode is DryRun: decisions are shown and not written.")
    if given.target.replicas == 0 and not own_zero:
        return _Verdict(
            "False", "ScaledToZero", f"Deployment {name} was scaled to 0 by someone: set 1 or more to hand it back."
        )
    return _Verdict("True", "Active", "Replicas follow the decision.")


def _decide_replicas(
    given: ProfileInput,
    target: TargetState,
    memory: ProfileMemory,
    lead: LeadTime,
    judgement: Judgement,
    trust: Trust,
    floor: Floor,
) -> tuple[ReplicaDecision, Peak | None]:
    policy, now = replace(given.spec.scaling, min_replicas=floor.replicas), given.now
    known = given.forecast.outlook if given.forecast else None
    outlook = known if trust.trusted else None
    until = now + lead.value_s + given.spec.forecast.step_s
    soon = find_peak(outlook, now, until)
    later = find_peak(outlook, now, now + lead.value_s + policy.stabilization_s)
    live, last_value_leads = judgement.rung == "Live", trust.reason == "NaiveIsBetter"
    demand = Demand(
        observed=given.reading.observed if given.reading else None,
        soon=soon.load if soon else None,
        later=later.load if later else None,
        may_shrink=live and (soon is not None if trust.trusted else last_value_leads),
        lead_s=lead.value_s,
        complete=live,
        spread=find_spread(known, now, until) if last_value_leads else 0.0,
    )
    demand = round_to_zero(policy, floor, demand)
    return decide_replicas(policy, target.replicas, demand, memory.scaling, now), soon


def _build_conditions(
    given: ProfileInput, judgement: Judgement, trust: Trust, scaling: _Verdict
) -> tuple[Condition, ...]:
    name = given.spec.target
    found = (
        _Verdict("True", "Found", f"Deployment {name} exists.")
        if given.target
        else _Verdict("False", "TargetNotFound", f"There is no Deployment {name} in this namespace: create it.")
    )
    paused = (
        _Verdict("True", "Paused", "Asked for by spec.paused or the annotation presage.dev/paused.")
        if given.paused
        else _Verdict("False", "NotPaused", "")
    )
    live: Status = "True" if judgement.rung == "Live" else "False"
    verdicts = {
        "TargetFound": found,
        "DataAvailable": _Verdict(live, judgement.reason, judgement.message),
        "ForecastTrusted": _Verdict("True" if trust.trusted else "False", trust.reason, trust.message),
        "ScalingActive": scaling,
        "Paused": paused,
    }
    return tuple(Condition(t, v.status, v.reason, v.message, given.generation) for t, v in verdicts.items())
