"""Decide: conditions, replicas and status of one MetricProfile. Pure: same input, same answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from presage.core.conditions import Condition, Status
from presage.core.profile import MeasureName
from presage.core.scaling.lead_time import LeadTime, decide_lead_time, watch_starts
from presage.core.scaling.manual import Hand
from presage.core.scaling.measures import combine_decisions, find_worst_data, find_worst_trust
from presage.reconcile.kind import Decision, Note
from presage.reconcile.metricprofile.binding_event import judge_binding
from presage.reconcile.metricprofile.calendar_status import judge_calendar
from presage.reconcile.metricprofile.found_events import build_found, judge_found, judge_label
from presage.reconcile.metricprofile.inputs import (
    BindingMemory,
    ProfileInput,
    ProfileMemory,
    ProfilePlan,
    TargetState,
)
from presage.reconcile.metricprofile.learning import judge_capacity
from presage.reconcile.metricprofile.monitors import add_monitors
from presage.reconcile.metricprofile.recording.deciding import add_recording
from presage.reconcile.metricprofile.retention import judge_tiers
from presage.reconcile.metricprofile.status import Facts, build_gauges, build_status, explain, say_why
from presage.reconcile.metricprofile.steering import Bounds, Steered, explain_steered, find_bounds, steer
from presage.reconcile.metricprofile.viewing import (
    MeasureView,
    begin_acting_on,
    decide_measure,
    remember_target,
    view_measure,
)

IDLE_PERIOD_S = 15.0  # how often an object is looked at that cannot act; its watches wake it earlier


@dataclass(frozen=True, slots=True)
class _Verdict:
    """Status and reason a condition will carry."""

    status: Status
    reason: str
    message: str


def decide(given: ProfileInput) -> Decision[ProfilePlan, ProfileMemory]:
    """Return conditions, status, plan and memory for one input."""
    return add_monitors(given, add_recording(given, _decide_scaling(given)))


def _decide_scaling(given: ProfileInput) -> Decision[ProfilePlan, ProfileMemory]:
    memory, policy = given.memory, given.spec.scaling
    if given.target is not None:
        memory = replace(memory, starts=watch_starts(memory.starts, given.target.pods))
    lead = decide_lead_time(memory.starts, policy.lead_time_s, policy.decision_period_s)
    views = {each.measure.name: view_measure(given, each) for each in given.measures}
    judgement = find_worst_data({name: view.judgement for name, view in views.items()})
    trust = find_worst_trust({name: view.trust for name, view in views.items()})
    load = memory.measures["load"].basis
    capacity, learned = judge_capacity(memory.capacity, load, policy.per_pod, given.spec.target, given.now)
    memory = replace(memory, capacity=capacity)
    bounds = find_bounds(given, memory, judgement, views, lead)
    scaling = _judge_scaling(given, own_zero=bounds.own_zero)
    acting = scaling.reason == "Active"
    facts = Facts(given, lead, memory.starts, bounds.judgement, trust, views, zeroed=bounds.own_zero, capacity=capacity)
    facts = replace(facts, accounts=views["load"].given.gate.accounts, agenda=bounds.agenda)
    in_force, turns = judge_calendar(memory.in_force, bounds.agenda)
    found, came = judge_found(given)
    memory = replace(memory, zero=replace(bounds.zero, meant=bounds.own_zero), in_force=in_force, found=found)
    notes = (*turns, *came, *(note for view in views.values() for note in view.notes))
    plan = None
    if given.target is not None and policy.mode != "Off":
        current = given.target.replicas
        views, steered = _steer(given, given.target, memory, views, lead, bounds, acting=acting)
        facts = replace(facts, views=views, decision=steered.decision, zeroed=steered.zero.meant)
        facts = replace(facts, kept=steered.hand.kept, held_by=explain_steered(bounds.floor, steered))
        memory = replace(memory, zero=steered.zero, hand=steered.hand)
        notes = (*notes, *steered.notes)
        if steered.replicas != current:
            plan = ProfilePlan(given.spec.target, current, steered.replicas, say_why(facts, steered.decision))
        if acting and facts.held_by:
            scaling = replace(scaling, message=f"{scaling.message.removesuffix('.')}{facts.held_by}.")
    else:
        memory = replace(memory, hand=Hand())
    memory = replace(memory, measures={name: view.memory for name, view in views.items()})
    told, news = _tell_binding(facts, memory, told=scaling.reason in ("Active", "DryRun"))
    return Decision(
        plan=plan,
        conditions=(
            *_build_conditions(facts, scaling),
            *judge_label(given, found),
            judge_tiers(given.retention, given.generation),
        ),
        status={**build_status(facts), **build_found(found)},
        next_in_s=policy.decision_period_s if scaling.reason in ("Active", "DryRun", "Paused") else IDLE_PERIOD_S,
        memory=replace(memory, binding=told),
        gauges=build_gauges(facts),
        binding=facts.decision.binding if facts.decision else "",
        notes=(*notes, *learned, *news),
    )


def _steer(
    given: ProfileInput,
    target: TargetState,
    memory: ProfileMemory,
    views: Mapping[MeasureName, MeasureView],
    lead: LeadTime,
    bounds: Bounds,
    *,
    acting: bool,
) -> tuple[dict[MeasureName, MeasureView], Steered]:
    """Return each measure decided on, and what becomes of all of them together."""
    if acting:
        views = {name: begin_acting_on(view, memory.hand) for name, view in views.items()}
    called = bounds.agenda.floor.replicas
    decided = {name: decide_measure(given, target, view, lead, bounds.floor, called) for name, view in views.items()}
    decision = combine_decisions({name: view.decision for name, view in decided.items() if view.decision is not None})
    steered = steer(given, memory.hand, decision, bounds, target.replicas, acting=acting)
    anew = steered.decision.memory.since != decision.memory.since
    remembered = {
        name: remember_target(view, target.replicas, steered.replicas, given.now, window_anew=anew)
        for name, view in decided.items()
    }
    return remembered, steered


def _tell_binding(facts: Facts, memory: ProfileMemory, *, told: bool) -> tuple[BindingMemory, tuple[Note, ...]]:
    decision = facts.decision if told else None
    after, before = judge_binding(memory.binding, decision.binding if decision else "", facts.given.now)
    if decision is None or not before:
        return after, ()
    said = f"{decision.binding} decides now, instead of {before}: {explain(facts, decision)}"
    return after, (Note("BindingChanged", said),)


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
            "False",
            "TargetOwned",
            f"{' and '.join(given.owners)} already scales Deployment {name}: it is left alone until that is removed.",
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


def _build_conditions(facts: Facts, scaling: _Verdict) -> tuple[Condition, ...]:
    given, judgement, trust = facts.given, facts.judgement, facts.trust
    name = given.spec.target
    found = (
        _Verdict("True", "Found", f"Deployment {name} exists.")
        if given.target
        else _Verdict("False", "TargetNotFound", f"There is no Deployment {name} in this namespace: create it.")
    )
    paused = (
        _Verdict("True", "Paused", "Asked for by spec.paused or the annotation presage.dev/paused.")
        if given.paused
        else _Verdict("False", "NotPaused", "Neither spec.paused nor the annotation presage.dev/paused asks for it.")
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
