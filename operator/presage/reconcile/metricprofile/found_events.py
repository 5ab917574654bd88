"""What becomes of the event types that are found from a label: remembered, told, and shown in status. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from presage.core.conditions import Condition
from presage.core.profile import EventsByLabel, ProfileSpec
from presage.core.recording.found import Found, FoundEvent, list_names, take_in
from presage.core.units import parse_time, to_time
from presage.reconcile.kind import Note
from presage.reconcile.metricprofile.inputs import Problem, ProfileInput

CONDITION = "EventTypesFound"


def recall_found(known: Found | None, spec: ProfileSpec, status: Mapping[str, Any]) -> Found:
    """Return what may still be remembered: nothing that was found by another label, load or source.

    Args:
        known: From the previous decision; None after a restart.
        spec: The wish.
        status: What a restart finds of this very spec; else empty.
    """
    by_label = spec.by_label
    if by_label is None:
        return Found()
    basis = (spec.source, by_label.label, by_label.load)
    if known is not None and known.basis is not None:
        kept = tuple(e for e in known.events if e.name not in spec.names)  # what is given by now is no longer found
        return replace(known, events=kept) if known.basis == basis else Found(basis)
    stored = status.get("eventTypesFound")
    entries = [e for e in stored if isinstance(e, Mapping)] if isinstance(stored, Sequence) else []
    events = (_recall_event(e.get("name"), e.get("value"), e.get("foundTime")) for e in entries)
    return Found(basis, tuple(e for e in events if e is not None))


def _recall_event(name: object, value: object, found_at: object) -> FoundEvent | None:
    if not isinstance(name, str) or not isinstance(value, str):
        return None
    return FoundEvent(name, value, parse_time(found_at) or 0.0)


def judge_found(given: ProfileInput) -> tuple[Found, tuple[Note, ...]]:
    """Return what is known of the label's values now, and the event that tells of new ones."""
    known, seen, by_label = given.memory.found, given.label_values, given.spec.by_label
    if by_label is None or seen is None:
        return known, ()
    if isinstance(seen, Problem):
        return replace(known, looked_at=given.now, fault=seen.message), ()
    after, new = take_in(known, seen, by_label, given.spec.names, given.now)
    if not new:
        return after, ()
    what = "Event type was" if len(new) == 1 else "Event types were"
    return after, (Note("EventTypeFound", f"{what} found by label {by_label.label}: {list_names(new)}."),)


def build_found(found: Found) -> dict[str, object]:
    """Return `status.eventTypesFound`, or nothing where none were."""
    listed = [{"name": e.name, "value": e.value, "foundTime": to_time(e.found_at)} for e in found.events]
    return {"eventTypesFound": listed} if listed else {}


def judge_label(given: ProfileInput, found: Found) -> tuple[Condition, ...]:
    """Return the condition of a label that event types are found from; none where all are given."""
    by_label = given.spec.by_label
    if by_label is None:
        return ()
    return (_judge(by_label, found, given.generation),)


def _judge(by_label: EventsByLabel, found: Found, generation: int) -> Condition:
    label = by_label.label
    if found.left_out:
        said = (
            f"Label {label} has more values than the {by_label.most} that may be event types: some are left out. "
            "Narrow the matchers of eventTypesFrom, or raise its max."
        )
        return Condition(CONDITION, "False", "TooManyEventTypes", said, generation)
    if found.events:
        said = f"Event types are found by the values of label {label}."
        return Condition(CONDITION, "True", "Found", said, generation)
    if found.fault:
        return Condition(CONDITION, "Unknown", "SourceUnavailable", found.fault, generation)
    said = f"No series of eventTypesFrom.load has a value of label {label} to name an event type by: check both."
    return Condition(CONDITION, "Unknown", "NoValues", said, generation)
