"""One measure of a MetricProfile, judged and decided on as if it were the only one. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from presage.core.scaling.decision import ReplicaDecision, decide_replicas, remember_outcome
from presage.core.scaling.demand import build_demand
from presage.core.scaling.foresight import adjust
from presage.core.scaling.ladder import Judgement, Reading, Reporting, judge
from presage.core.scaling.lead_time import LeadTime
from presage.core.scaling.manual import Hand, begin_acting
from presage.core.scaling.outlook import Peak
from presage.core.scaling.trust import Trust, find_evidence, judge_forecast
from presage.core.scaling.zero import Floor, round_to_zero
from presage.reconcile.kind import Note
from presage.reconcile.metricprofile.forecast_status import carry_reasons
from presage.reconcile.metricprofile.inputs import MeasureInput, MeasureMemory, ProfileInput, TargetState
from presage.reconcile.metricprofile.level_shift import judge_shift

_WHAT = {"load": "load", "bytes": "data volume"}


@dataclass(frozen=True, slots=True)
class MeasureView:
    """What is made of one measure.

    Attributes:
        given: What is known of it.
        judgement: How far its data may be trusted.
        trust: Whether its forecast may drive scaling.
        memory: For the next decision.
        notes: What was found out and is worth an event.
        decision: What the target should have for this measure alone; None where nothing is decided.
        peak: The highest load that the decision prepares for; None without a forecast in force.
    """

    given: MeasureInput
    judgement: Judgement
    trust: Trust
    memory: MeasureMemory
    notes: tuple[Note, ...] = ()
    decision: ReplicaDecision | None = None
    peak: Peak | None = None

    @property
    def observed(self) -> float | None:
        """What is measured now; None = unknown."""
        return self.given.reading.observed if self.given.reading else None


def view_measure(given: ProfileInput, one: MeasureInput) -> MeasureView:
    """Return what is made of one measure, before any decision."""
    one = replace(one, forecast=carry_reasons(one.memory.forecast, one.forecast))
    known, memory = one.forecast, one.memory
    evidence = find_evidence(known, one.gate.choice, given.now, one.history_fault)
    pods = _count_reporting(given.target, one.reading)
    judgement = _judge_data(given, one, covers_now=evidence.covers_now, pods=pods)
    trust = judge_forecast(evidence, given.spec.scaling, given.spec.forecast)
    what = f"{_WHAT[one.measure.name]} of {given.spec.target}"
    shift, notes = judge_shift(memory.shift, known, given.spec.forecast, what, given.now)
    memory = replace(memory, forecast=known, gate=one.gate, shift=shift)
    if judgement.rung != "Live":
        memory = replace(memory, blind_at=given.now)
    elif given.target and given.target.settled:
        memory = replace(memory, reporting_share=pods / len(given.target.settled))
    shown = replace(one, forecast=adjust(known) if known else None)
    return MeasureView(shown, judgement, trust, memory, notes)


def remember_target(
    view: MeasureView, current: int, replicas: int, now: float, *, window_anew: bool = False
) -> MeasureView:
    """Return the view that remembers that the target was set from `current` to `replicas`.

    Args:
        view: Decided on.
        current: Replicas asked of the target before.
        replicas: And after.
        now: Epoch seconds.
        window_anew: A whole stabilization window is ahead of the next replica that goes.
    """
    scaling = remember_outcome(view.memory.scaling, current, replicas, now)
    scaling = replace(scaling, since=now) if window_anew else scaling
    return replace(view, memory=replace(view.memory, scaling=scaling))


def _count_reporting(target: TargetState | None, reading: Reading | None) -> int:
    """Return how many settled pods are among the scraped instances, by name or by address."""
    if target is None or reading is None:
        return 0
    return sum(bool({name, address} & reading.targets) for name, address in target.settled)


def _judge_data(given: ProfileInput, one: MeasureInput, *, covers_now: bool, pods: int) -> Judgement:
    if given.source_problem is not None:
        return Judgement("Hold", given.source_problem.reason, given.source_problem.message)
    settled = len(given.target.settled) if given.target else 0
    return judge(
        one.reading or Reading(None, None, frozenset()),
        now=given.now,
        max_age_s=given.spec.scaling.max_sample_age_s,
        pods=Reporting(pods, one.memory.reporting_share * settled),
        forecast_covers_now=covers_now,
    )


def begin_acting_on(view: MeasureView, hand: Hand) -> MeasureView:
    """Return the view for a decision that is written."""
    return replace(view, memory=replace(view.memory, scaling=begin_acting(view.memory.scaling, hand)))


def decide_measure(
    given: ProfileInput, target: TargetState, view: MeasureView, lead: LeadTime, floor: Floor, calendar: int
) -> MeasureView:
    """Return the view with what the target should have for this measure alone; `calendar` are the calendar's fewest."""
    now, one, trust = given.now, view.given, view.trust
    policy = replace(given.spec.scaling, per_pod=one.measure.per_pod, min_replicas=floor.replicas)
    demand, soon = build_demand(
        policy,
        trust,
        one.forecast.outlook if one.forecast else None,
        view.observed,
        now=now,
        lead_s=lead.value_s,
        step_s=given.spec.forecast.step_s,
        live=view.judgement.rung == "Live",
    )
    whole = now - view.memory.blind_at >= one.measure.window_s
    demand = round_to_zero(policy, floor, replace(demand, calendar=calendar, whole=whole))
    decision = decide_replicas(policy, target.replicas, demand, view.memory.scaling, now)
    return replace(view, decision=decision, peak=soon, memory=replace(view.memory, scaling=decision.memory))
