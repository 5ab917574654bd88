"""`status.profiles` and `status.injection`, what a restart takes from them, and the series of recording."""

from __future__ import annotations

import math
from collections.abc import Mapping

from presage.core.recording.budget import INTERVAL, Raise, RaiseKey
from presage.core.recording.choice import ChoiceMemory
from presage.core.recording.decision import EventDecision, EventMemory, RecordingDecision, RecordingMemory, summarise
from presage.core.recording.escalation import EscalationMemory
from presage.core.recording.rollout import Rollout
from presage.core.recording.types import DEBUG, MINIMAL, STANDARD
from presage.core.units import parse_time, to_time
from presage.reconcile.kind import GaugeValue, Note
from presage.reconcile.metricprofile.rounding import round_load, show
from presage.reconcile.ports import Json

RECORDING_VOLATILE = ("profiles.predicted",)
"""What changes with every step of the forecast rides along with other writes."""

RECORDING_GAUGES: Mapping[str, str] = {
    "recording_level": "How an event type is to be recorded: 0 Minimal, 1 Standard, 2 Debug, 3 a profile of its own.",
    "recording_predicted": "Events per second by which an event type's profile is chosen.",
    "recording_generation": "Generation of the document that tells what to record.",
    "recording_pods_applied": "Ready pods that are known to record by that generation.",
    "recording_pods_injected": "Pods that have the reference to the document.",
    "recording_cpu_share": "Share of the pods' CPU that recording is reckoned to take.",
    "recording_bytes_per_second": "Bytes that the pods are reckoned to export.",
}
"""The series of recording: name without prefix → help."""

RECORDING_LABELS: Mapping[str, str] = {"recording_level": "event_type", "recording_predicted": "event_type"}

_MOST_TOLD = 8  # event types in one event, whose note is bounded
_LEVELS = (MINIMAL, STANDARD, DEBUG)


def build_recording(
    decision: RecordingDecision, at: Rollout, generation: int, applied: Mapping[str, str]
) -> dict[str, object]:
    """Return the fields of status.

    Args:
        decision: What is chosen.
        at: Where the document stands.
        generation: Of the document that is stored, or is about to be; 0 while there is none.
        applied: Profile that pods were last seen to record by, by event type.
    """
    known = {} if at.applied is None else {"podsApplied": at.applied}
    shared: dict[str, object] = {**({"generation": generation} if generation else {}), **known}
    return {
        "profiles": [
            {
                **_build_event(each),
                **_named("applied", applied.get(each.event_type)),
                **shared,
                "podsTotal": len(at.ready),
            }
            for each in decision.events
        ],
        **_named("recording", summarise(decision.events) or None),
        "injection": {"injected": len(at.injected), "total": len(at.pods), **_mechanism(at)},
    }


def _mechanism(at: Rollout) -> dict[str, object]:
    return {} if at.mechanism == "Unknown" else {"mechanism": at.mechanism}


def _named(name: str, value: object | None) -> dict[str, object]:
    return {} if value is None else {name: value}


def _build_event(event: EventDecision) -> dict[str, object]:
    return {
        "eventType": event.event_type,
        "wanted": event.profile,
        "reason": event.reason,
        **_named("predicted", None if event.predicted is None else show(round_load(event.predicted))),
        **_named("since", to_time(event.since) if math.isfinite(event.since) else None),
        **_named("escalatedUntil", None if event.escalated_until is None else to_time(event.escalated_until)),
        **_named("raised", [_build_raise(each) for each in event.raises] or None),
    }


def _build_raise(raised: Raise) -> dict[str, object]:
    metric = {} if raised.metric == INTERVAL else {"metric": raised.metric}
    return {"profile": raised.profile, **metric, "asked": raised.asked, "given": raised.given}


def recall_choice(status: Json) -> RecordingMemory:
    """Return what status holds for the next choice."""
    events, raised = {}, dict[RaiseKey, int]()
    for entry in _entries(status):
        name, wanted = entry.get("eventType"), entry.get("wanted")
        if not isinstance(name, str) or not isinstance(wanted, str):
            continue
        since, until = parse_time(entry.get("since")), parse_time(entry.get("escalatedUntil"))
        choice = ChoiceMemory(wanted, -math.inf if since is None else since)
        escalation = None if until is None else EscalationMemory(until, str(entry.get("reason", "")))
        events[name] = EventMemory(choice, escalation)
        raised |= _recall_raises(name, entry.get("raised"))
    return RecordingMemory(events, raised)


def _recall_raises(event_type: str, found: object) -> dict[RaiseKey, int]:
    listed = [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []
    return {
        (event_type, str(each.get("profile")), str(each.get("metric", INTERVAL))): each["given"]
        for each in listed
        if isinstance(each.get("given"), int)
    }


def recall_generation(status: Json) -> int:
    """Return the highest generation that status holds; 0 without one."""
    found = [each.get("generation") for each in _entries(status)]
    return max((each for each in found if isinstance(each, int)), default=0)


def recall_applied(status: Json) -> dict[str, str]:
    """Return the profile that status says an event type's pods were last seen to record by, by event type."""
    pairs = ((each.get("eventType"), each.get("applied")) for each in _entries(status))
    return {name: applied for name, applied in pairs if isinstance(name, str) and isinstance(applied, str)}


def _entries(status: Json) -> list[Mapping[str, object]]:
    found = status.get("profiles")
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def build_recording_gauges(decision: RecordingDecision, at: Rollout, generation: int) -> dict[str, GaugeValue]:
    """Return the series of recording; unknown values are left out."""
    values: dict[str, GaugeValue | None] = {
        "recording_level": {each.event_type: float(_rank(each.profile)) for each in decision.events},
        "recording_predicted": {e.event_type: e.predicted for e in decision.events if e.predicted is not None},
        "recording_generation": generation or None,
        "recording_pods_applied": at.applied,
        "recording_pods_injected": len(at.injected),
        "recording_cpu_share": decision.guarded.cpu_share,
        "recording_bytes_per_second": decision.guarded.bytes_per_second,
    }
    return {name: value for name, value in values.items() if value is not None}


def _rank(profile: str) -> int:
    return _LEVELS.index(profile) if profile in _LEVELS else len(_LEVELS)


def tell_changes(before: RecordingMemory, decision: RecordingDecision, now: float) -> tuple[Note, ...]:
    """Return what is worth an event: other profiles, and instances that record more for a while.

    One note of each sort at most: of those that come together, an object's events show the first alone.
    """
    chosen, escalated = [], []
    for each in decision.events:
        known = before.events.get(each.event_type, EventMemory())
        last = known.choice.profile if known.choice else ""
        load = "without a forecast" if each.predicted is None else f"{show(round_load(each.predicted))}/s predicted"
        if each.profile != last:
            come = f"from {last} to {each.profile}" if last else each.profile
            chosen.append(f"{each.event_type} {come} ({each.reason}, {load})")
        until, told = each.escalated_until, known.escalation.until if known.escalation else -math.inf
        if until is not None and now < until and told < now:
            escalated.append(f"{each.event_type} until {to_time(until)} ({each.reason}, {load})")
    notes = []
    if chosen:
        notes.append(Note("ProfileChosen", f"What is recorded: {_join(chosen)}."))
    if escalated:
        notes.append(Note("RecordingEscalated", f"Some instances record more: {_join(escalated)}."))
    return tuple(notes)


def _join(parts: list[str]) -> str:
    more = f"; and {len(parts) - _MOST_TOLD} more" if len(parts) > _MOST_TOLD else ""
    return "; ".join(parts[:_MOST_TOLD]) + more
