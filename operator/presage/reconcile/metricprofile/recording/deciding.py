"""Decide what is written about recording, and what status tells of it. Pure: same input, same answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from presage.core.conditions import Condition
from presage.core.recording.catalogue import merge_catalogues
from presage.core.recording.decision import Circumstances, RecordingDecision, decide_recording
from presage.core.recording.decision import RecordingMemory as ChoiceMemory
from presage.core.recording.document import render_document
from presage.core.recording.escalation import is_burning
from presage.core.recording.loads import DWELL_SLOTS
from presage.core.recording.marks import config_map_name
from presage.core.recording.numbering import Numbered, number_recording
from presage.core.recording.rollout import (
    MAX_TOUCHED,
    Rollout,
    find_restart,
    find_untouched,
    judge_applied,
    judge_injected,
)
from presage.reconcile.kind import Decision, GaugeValue, Note
from presage.reconcile.metricprofile.inputs import ProfileInput, ProfileMemory, ProfilePlan
from presage.reconcile.metricprofile.recording.inputs import (
    RecordingInput,
    RecordingMemory,
    RecordingPlan,
)
from presage.reconcile.metricprofile.recording.reporting import build_recording, build_recording_gauges, tell_changes


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a decision about recording comes to.

    Attributes:
        memory: For the next one.
        plan: What is written; None = nothing.
        conditions: `ProfileApplied` and `Injected`; none where nothing is asked for.
        status: Fields of status.
        gauges: Per-object series.
        notes: What is worth an event.
    """

    memory: RecordingMemory
    plan: RecordingPlan | None = None
    conditions: tuple[Condition, ...] = ()
    status: Mapping[str, object] = field(default_factory=dict)
    gauges: Mapping[str, GaugeValue] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()


def add_recording(
    given: ProfileInput, decision: Decision[ProfilePlan, ProfileMemory]
) -> Decision[ProfilePlan, ProfileMemory]:
    """Return the decision with what is recorded added; as it is where recording is not asked for."""
    if given.recording is None:
        return decision
    current = given.target.replicas if given.target else 0
    replicas = decision.plan.replicas if decision.plan else current
    live = any(each.type == "DataAvailable" and each.status == "True" for each in decision.conditions)
    recorded = _decide(given, given.recording, replicas, live=live)
    plan = decision.plan
    if recorded.plan is not None:
        plan = plan or ProfilePlan(given.spec.target, current, current, "")
        plan = replace(plan, recording=recorded.plan)
    return replace(
        decision,
        plan=plan,
        conditions=(*decision.conditions, *recorded.conditions),
        status={**decision.status, **recorded.status},
        memory=replace(decision.memory, recording=recorded.memory),
        gauges={**decision.gauges, **recorded.gauges},
        notes=(*decision.notes, *recorded.notes),
    )


def _decide(given: ProfileInput, known: RecordingInput, replicas: int, *, live: bool) -> Recorded:
    wish, memory, name = given.spec.recording, given.memory.recording, config_map_name(known.name)
    if not wish.active:
        obsolete = known.stored is not None and not given.paused
        return Recorded(RecordingMemory(), RecordingPlan(name, obsolete=True) if obsolete else None)
    chosen = decide_recording(
        known.namespace,
        known.name,
        wish,
        merge_catalogues(wish.profiles),
        _describe(given, known, replicas, live=live),
        memory.choice or ChoiceMemory(),
    )
    acting = not given.paused and not chosen.problem
    stored = known.stored.document if known.stored else None
    document = _number(given, known, chosen) if acting else stored or Numbered(known.recalled, "")
    at = _locate(given, known, chosen, document)
    plan = _plan(name, chosen, document, stored, at, restarts=wish.enforce == "Restart") if acting else None
    applied = _judge(given, chosen, at)
    reached = applied.reason == "Applied"
    by_event = {each.event_type: each.profile for each in chosen.events}
    memory = replace(
        memory,
        choice=chosen.memory,
        asked=document if acting else memory.asked,
        content=reached and at.applied == len(at.ready),
        applied=by_event if reached else memory.applied,
    )
    return Recorded(
        memory=memory,
        plan=plan,
        conditions=(applied, judge_injected(at, given.generation)),
        status=build_recording(chosen, at, document.generation, memory.applied),
        gauges=build_recording_gauges(chosen, at, document.generation),
        notes=tell_changes(given.memory.recording.choice or ChoiceMemory(), chosen, given.now),
    )


def _describe(given: ProfileInput, known: RecordingInput, replicas: int, *, live: bool) -> Circumstances:
    """Return what the decision rests on; without fresh and complete data nothing that is seen now is a surprise."""
    load, policy = given.measures[0], given.spec.scaling
    cores = [each for each in given.target.cores.values() if each is not None] if given.target else []
    ready = given.target.ready if given.target else 0
    return Circumstances(
        now=given.now,
        dwell_s=float(DWELL_SLOTS * given.spec.forecast.step_s),
        instances=max(replicas, len(known.pods)),
        cores=sum(cores) if cores else None,
        loads={each.name: replace(each, surprise=each.surprise and live) for each in given.event_loads},
        burning=is_burning(
            load.reading.observed if load.reading else None, ready * load.measure.per_pod, policy.unmet_load
        ),
    )


def _number(given: ProfileInput, known: RecordingInput, chosen: RecordingDecision) -> Numbered:
    stored = known.stored.document if known.stored else None
    return number_recording(chosen.recording, stored, given.memory.recording.asked, (known.recalled,), given.now)


def _locate(given: ProfileInput, known: RecordingInput, chosen: RecordingDecision, document: Numbered) -> Rollout:
    profiles = [each.profile for each in chosen.recording.event_types.values()]
    interval_s = max((each.export_interval_s for each in profiles), default=0)
    stored_at = None
    if known.stored is not None and known.stored.document == document:
        stored_at = given.now if known.stored.at is None else known.stored.at
    return Rollout(
        profile=known.name,
        target=given.spec.target,
        asks=known.asks,
        replicas=known.replicas,
        pods=known.pods,
        mechanism=known.mechanism,
        generation=document.generation,
        stored_at=stored_at,
        sighting=known.sighting,
        settle_s=given.spec.scaling.max_sample_age_s + interval_s,
        now=given.now,
    )


def _plan(
    name: str, chosen: RecordingDecision, document: Numbered, stored: Numbered | None, at: Rollout, *, restarts: bool
) -> RecordingPlan | None:
    untouched = find_untouched(at)
    victim = find_restart(at) if restarts else None
    plan = RecordingPlan(
        name=name,
        document="" if stored == document else render_document(chosen.recording, document.generation),
        generation=document.generation,
        touch=tuple(pod.name for pod in untouched[:MAX_TOUCHED]),
        more=len(untouched) > MAX_TOUCHED,
        restart=(victim.name, victim.uid) if victim else None,
    )
    return plan if plan.document or plan.touch or plan.restart else None


def _judge(given: ProfileInput, chosen: RecordingDecision, at: Rollout) -> Condition:
    if given.paused:
        message = "Paused: profiles are chosen and shown, and nothing is written."
        return Condition("ProfileApplied", "False", "Paused", message, given.generation)
    if chosen.problem:
        return Condition("ProfileApplied", "False", "TooLarge", f"Not written: {chosen.problem}.", given.generation)
    applied = judge_applied(at, given.generation)
    return replace(applied, message=" ".join([applied.message, *_list_oddities(chosen)]))


def _list_oddities(chosen: RecordingDecision) -> list[str]:
    """Return what of the wish is recorded otherwise than its author may think, as sentences."""
    said = []
    if chosen.unknown_profiles:
        said.append(f"Defined nowhere, so Standard stands in: profile {', '.join(chosen.unknown_profiles)}.")
    if chosen.undeclared_metrics:
        names = ", ".join(chosen.undeclared_metrics)
        said.append(f"Recorded only where the function declares it: metric {names}.")
    return said
