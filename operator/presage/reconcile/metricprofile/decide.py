"""Decide: conditions, replicas and status of one MetricProfile. Pure: same input, same answer."""

from __future__ import annotations

from dataclasses import dataclass, replace

from presage.core.conditions import Condition, Status
from presage.core.scaling.decision import Demand, ReplicaDecision, decide_replicas, remember_outcome
from presage.core.scaling.ladder import Judgement, Reading, Reporting, judge
from presage.core.scaling.lead_time import LeadTime, decide_lead_time, watch_starts
from presage.core.scaling.outlook import Peak, find_peak, find_spread
from presage.core.scaling.trust import Trust, judge_forecast
from presage.reconcile.kind import Decision
from presage.reconcile.metricprofile.forecast_status import carry_reasons
from presage.reconcile.metricprofile.inputs import ProfileInput, ProfileMemory, ScalePlan, TargetState
from presage.reconcile.metricprofile.level_shift import judge_shift
from presage.reconcile.metricprofile.status import Facts, build_gauges, build_status

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
    scaling = _judge_scaling(given)
    shift, notes = judge_shift(memory.shift, given.forecast, given.spec.forecast, given.spec.target, given.now)
    memory = replace(memory, forecast=given.forecast, shift=shift)
    if judgement.rung == "Live" and given.target and given.target.settled:
        memory = replace(memory, reporting_share=pods / len(given.target.settled))
    facts = Facts(given, lead, memory.starts, judgement, trust, memory.reporting_share, None, None)
    plan = None
    if given.target is not None and policy.mode != "Off":
        decision, peak = _decide_replicas(given, given.target, memory, lead, judgement, trust)
        facts = replace(facts, decision=decision, peak=peak)
        current = given.target.replicas
        after = decision.replicas if scaling.reason == "Active" else current
        memory = replace(memory, scaling=remember_outcome(decision.memory, current, after, given.now))
        if after != current:
            plan = ScalePlan(given.spec.target, current, after, decision.binding)
    return Decision(
        plan=plan,
        conditions=_build_conditions(given, judgement, trust, scaling),
        status=build_status(facts),
        next_in_s=policy.decision_period_s if scaling.reason in ("Active", "DryRun") else IDLE_PERIOD_S,
        memory=memory,
        gauges=build_gauges(facts),
        binding=facts.decision.binding if facts.decision else "",
        notes=notes,
    )


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


def _judge_scaling(given: ProfileInput) -> _Verdict:
    """Return whether replicas may be written; the first obstacle found names it."""
    name = given.spec.target
    if given.target is None:
        return _Verdict("False", "TargetNotFound", f"There is no Deployment {name} in this namespace to scale.")
    if given.spec.scaling.mode == "Off":
        return _Verdict("False", "Off", "spec.scaling.mode is Off: nothing is decided or written.")
    if given.paused:
        return _Verdict("False", "Paused", "Paused: decisions are shown and not written.")
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
    if given.target.replicas == 0:
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
) -> tuple[ReplicaDecision, Peak | None]:
    policy, now = given.spec.scaling, given.now
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
