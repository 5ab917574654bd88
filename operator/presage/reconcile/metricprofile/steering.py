"""Between the replica decision and the write: zero and what wakes it, numbers set by hand, and what is ours to set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from presage.core.calendar.agenda import Agenda, agenda_at
from presage.core.conditions import parse_conditions
from presage.core.profile import MeasureName
from presage.core.scaling.decision import ReplicaDecision
from presage.core.scaling.ladder import Judgement, fall_back
from presage.core.scaling.lead_time import LeadTime
from presage.core.scaling.manual import Change, Hand, Kept, find_change, keep_manual, remember_asked
from presage.core.scaling.outlook import find_peak
from presage.core.scaling.rule import default_rule
from presage.core.scaling.zero import Floor, Stillness, ZeroMemory, decide_floor, remember_data
from presage.core.units import parse_time
from presage.reconcile.kind import Note
from presage.reconcile.metricprofile.inputs import ProfileInput, ProfileMemory
from presage.reconcile.metricprofile.viewing import MeasureView
from presage.reconcile.ports import Json


@dataclass(frozen=True, slots=True)
class Bounds:
    """What holds a decision from below.

    Attributes:
        judgement: The rung, fallback and all.
        floor: Fewest replicas.
        own_zero: The target is at 0, and presage itself set it there.
        zero: To be remembered.
        agenda: What the calendar says.
    """

    judgement: Judgement
    floor: Floor
    own_zero: bool
    zero: ZeroMemory
    agenda: Agenda


def find_bounds(
    given: ProfileInput,
    memory: ProfileMemory,
    judgement: Judgement,
    views: Mapping[MeasureName, MeasureView],
    lead: LeadTime,
) -> Bounds:
    """Return what holds the decision from below.

    Args:
        given: The input.
        memory: From the previous decision.
        judgement: The rung that this tick's data gives, of all measures.
        views: What was made of each measure.
        lead: Lead time in force.
    """
    policy, now, target = given.spec.scaling, given.now, given.target
    own_zero = target is not None and _is_own_zero(memory, target.replicas)
    patience_s = max(policy.stabilization_s, policy.max_sample_age_s)
    gone = own_zero and any(view.given.reading.missing for view in views.values() if view.given.reading is not None)
    zero = remember_data(memory.zero, now, live=judgement.rung == "Live", gone_at_zero=gone, patience_s=patience_s)
    blind_s = 0.0 if zero.blind_since is None else now - zero.blind_since
    horizon_s = float(given.spec.forecast.horizon_s)
    judgement = fall_back(judgement, blind_s=blind_s, horizon_s=horizon_s, replicas=policy.fallback_replicas)
    due = judgement.rung == "Fallback"
    floors = [
        decide_floor(
            replace(policy, per_pod=view.given.measure.per_pod),
            _look_for_stillness(given, view, zero, blind_s, now + lead.value_s + policy.stabilization_s),
            fallback_due=due,
        )
        for view in views.values()
    ]
    agenda = agenda_at(given.calendar, now, lead.value_s)
    return Bounds(judgement, max(floors, key=lambda floor: floor.replicas), own_zero, zero, agenda)


def _look_for_stillness(
    given: ProfileInput, view: MeasureView, zero: ZeroMemory, blind_s: float, until: float
) -> Stillness:
    """Return what one measure knows about whether the target is needed at all."""
    reading, memory = view.given.reading, view.given.forecast
    settled = given.target.settled if given.target else ()
    seen = frozenset[str]().union(*(sample.targets for sample in reading.samples)) if reading else frozenset[str]()
    curve = default_rule(given.spec.forecast.quantile, given.spec.scaling.headroom, foresees=True).curve
    peak = find_peak(memory.outlook if memory else None, curve, given.now, until)
    return Stillness(
        current=given.target.replicas if given.target else 0,
        live=view.judgement.rung == "Live",
        observed=view.observed,
        upper=peak.load if peak else None,
        own=view.memory.reporting_share > 0 or any({name, address} & seen for name, address in settled),
        settled=len(settled),
        blind_s=blind_s,
        vanished=zero.vanished_at is not None,
    )


def _is_own_zero(memory: ProfileMemory, current: int) -> bool:
    """Return whether a 0 that is found is presage's: it was meant, and asked for or there before."""
    hand = memory.hand
    return current == 0 and memory.zero.meant and (hand.found in (None, 0) or 0 in hand.asked)


@dataclass(frozen=True, slots=True)
class Steered:
    """What becomes of a replica decision.

    Attributes:
        decision: What is shown.
        replicas: What the target is set to now.
        zero: To be remembered.
        hand: To be remembered.
        notes: What is worth an event.
    """

    decision: ReplicaDecision
    replicas: int
    zero: ZeroMemory
    hand: Hand
    notes: tuple[Note, ...] = ()


def steer(
    given: ProfileInput, hand: Hand, decision: ReplicaDecision, bounds: Bounds, current: int, *, acting: bool
) -> Steered:
    """Return what the target is set to, and what is to be remembered and told.

    Zero takes two decisions: the first one puts into status that presage means the target to be at 0, and only when
    that is stored the second one writes it. So a crash in between never leaves a 0 that nobody knows to be ours.

    Args:
        given: The input.
        hand: Which numbers are ours, from the previous decision.
        decision: What the load and the brakes say.
        bounds: What held it from below.
        current: Replicas asked of the target at present.
        acting: Decisions are written.
    """
    decision = _name_floor(decision, bounds, current)
    if not acting:
        return Steered(decision, current, replace(bounds.zero, meant=bounds.own_zero), Hand())
    live = bounds.judgement.rung == "Live"
    policy, change = given.spec.scaling, find_change(hand, current)
    decision, kept = keep_manual(policy, hand, current, decision, given.now, may_judge=live)
    meant = bounds.own_zero or (current > 0 and decision.replicas == 0)
    waits = decision.replicas == 0 and not given.zero_written
    replicas = current if waits else decision.replicas
    return Steered(
        decision,
        replicas,
        replace(bounds.zero, meant=meant),
        remember_asked(hand, current, replicas, kept),
        _tell(given.spec.target, change, kept, decision),
    )


def _name_floor(decision: ReplicaDecision, bounds: Bounds, current: int) -> ReplicaDecision:
    """A number that only the floor explains is no number that is held."""
    if decision.binding != "Hold" or decision.replicas <= current:
        return decision
    return replace(decision, binding="Fallback" if bounds.judgement.rung == "Fallback" else "Minimum")


def _tell(target: str, change: Change | None, kept: Kept | None, decision: ReplicaDecision) -> tuple[Note, ...]:
    if change is None:
        return ()
    said = f"Somebody else set Deployment {target} from {change.ours} to {change.theirs} replicas"
    if kept is not None:
        end = f"the load asks for {decision.wanted}: kept until it asks for another number."
    elif decision.replicas > change.theirs:
        end = f"the load needs {decision.wanted}: corrected at once."
    elif decision.replicas < change.theirs:
        end = f"{decision.replicas} are the most that the spec allows."
    else:
        end = f"the load asks for {decision.wanted}: left as it is."
    return (Note("ScaledByHand", f"{said}; {end}"),)


def build_kept(kept: Kept) -> dict[str, object]:
    """Return `status.scaling.manual`."""
    return {"replicas": kept.replicas} if kept.wanted is None else {"replicas": kept.replicas, "need": kept.wanted}


def explain_steered(floor: Floor, steered: Steered) -> str:
    """Return what held the number besides load and limits, as the end of a sentence; empty if nothing did."""
    kept, decision = steered.hand.kept, steered.decision
    if decision.binding == "Manual" and kept is not None:
        return f"; {kept.replicas} set by somebody else, kept until the load asks for another number than {kept.wanted}"
    if floor.why and decision.binding in ("Minimum", "Fallback"):
        return f"; at least {floor.replicas}: {floor.why}"
    return ""


def is_zero_written(stored: Json, target: str) -> bool:
    """Return whether status says that presage means this very target to be at 0."""
    scaling = (stored.get("status") or {}).get("scaling") or {}
    return bool(scaling.get("zeroedTarget") == target)


def recall_zero(stored: Json, target: str) -> ZeroMemory:
    """Return what status knows of zero: whether presage means the target to be there, and since when data is away."""
    status = stored.get("status") or {}
    data = next((c for c in parse_conditions(status.get("conditions")) if c.type == "DataAvailable"), None)
    blind = data is not None and data.status == "False" and data.last_transition_time
    meant = is_zero_written(stored, target)
    return ZeroMemory(meant, parse_time(data.last_transition_time) if data is not None and blind else None)


def recall_hand(stored: Json) -> Hand:
    """Return which numbers status knows to be presage's own, if decisions were written at that time."""
    status = stored.get("status") or {}
    scaling = status.get("scaling") or {}
    acting = any(c.type == "ScalingActive" and c.status == "True" for c in parse_conditions(status.get("conditions")))
    found, desired = scaling.get("currentReplicas"), scaling.get("desiredReplicas")
    if not acting or not isinstance(found, int) or not isinstance(desired, int):
        return Hand()
    return Hand(found, (desired,) if desired != found else (), _recall_kept(scaling.get("manual")))


def _recall_kept(manual: object) -> Kept | None:
    if not isinstance(manual, Mapping) or not isinstance(manual.get("replicas"), int):
        return None
    need = manual.get("need")
    return Kept(manual["replicas"], need if isinstance(need, int) else None)
