"""One decision about what a function records, from wish and circumstances to the document's content.

Order of calls, for whoever wires it:

1. `catalogue.merge_catalogues(<the installation's>, spec.profiles)`: the profiles that there are.
2. `decide_recording(...)`: for each event type `choice.choose` and `escalation.escalate`, then `budget.guard` over all
   of them, then the `Recording`.
3. `document.render_document(decision.recording, generation)`, if `decision.problem` is empty and the body differs from
   the one stored; the generation is one higher then.
4. Keep `decision.memory` for the next call. After a restart it is made again from `status.profiles`: `wanted`, `since`,
   `escalatedUntil` and `raised` of each event type are all that is needed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from presage.core.recording.budget import Guarded, Means, Planned, Raise, RaiseKey, guard
from presage.core.recording.catalogue import BUILT_IN
from presage.core.recording.choice import ChoiceMemory, choose
from presage.core.recording.document import MAX_BYTES, MAX_GENERATION, render_document
from presage.core.recording.escalation import EscalationMemory, Signs, escalate, is_under_way
from presage.core.recording.loads import EventLoad
from presage.core.recording.spec import RecordedEvent, RecordingSpec
from presage.core.recording.types import DEBUG, MINIMAL, Escalation, EventRecording, Recording, RecordingProfile

KNOWN_METRICS = frozenset(BUILT_IN[DEBUG].metrics)
"""Metrics that the SDK measures by itself; a function must declare any other."""

SUMMARY_LENGTH = 256


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a decision rests on, beside the wish.

    Attributes:
        now: Epoch seconds.
        dwell_s: Two steps of the forecast, seconds.
        instances: Pods that there are or soon will be; at least one is reckoned with.
        cores: CPU that one of them has; None = not known: then CPU is not guarded.
        loads: Of the event types, by name; one that is missing has no forecast.
        burning: Load goes unserved much faster than the objective allows.
    """

    now: float
    dwell_s: float
    instances: int
    cores: float | None
    loads: Mapping[str, EventLoad]
    burning: bool = False


@dataclass(frozen=True, slots=True)
class EventMemory:
    """What one decision leaves to the next about one event type."""

    choice: ChoiceMemory | None = None
    escalation: EscalationMemory | None = None


@dataclass(frozen=True, slots=True)
class RecordingMemory:
    """What one decision leaves to the next.

    Attributes:
        events: By name of the event type.
        raised: What the budget guard raised, and to what.
    """

    events: Mapping[str, EventMemory] = field(default_factory=dict)
    raised: Mapping[RaiseKey, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EventDecision:
    """What is decided of one event type, as status shows it.

    Attributes:
        event_type: Its name.
        profile: What most instances record by.
        reason: One of `reasons`; that of the escalation while there is one.
        since: Epoch second from which on the profile has been chosen.
        predicted: Events per second that it was chosen for; None = no forecast.
        escalated_until: Epoch second at which the last escalation ends or ended; None = there was none.
        raises: What the budget guard changed of it.
    """

    event_type: str
    profile: str
    reason: str
    since: float
    predicted: float | None
    escalated_until: float | None
    raises: tuple[Raise, ...]


@dataclass(frozen=True, slots=True)
class RecordingDecision:
    """The answer.

    Attributes:
        recording: What functions are to be told.
        events: In the order of the wish.
        guarded: What the budget guard says of all together; its profiles are those of `recording`.
        memory: To be given to the next decision.
        unknown_profiles: Names that levels or escalation ask for and nobody defines, sorted.
        undeclared_metrics: Metrics in use that the SDK does not measure by itself, sorted.
        problem: Why `recording` must not be written, for a person; empty if it may.
    """

    recording: Recording
    events: tuple[EventDecision, ...]
    guarded: Guarded
    memory: RecordingMemory
    unknown_profiles: tuple[str, ...] = ()
    undeclared_metrics: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Chosen:
    """One event type before the budget is looked at."""

    event: RecordedEvent
    predicted: float | None
    reason: str
    memory: EventMemory
    choice: ChoiceMemory
    base: RecordingProfile
    escalated: RecordingProfile | None


def decide_recording(
    namespace: str,
    name: str,
    spec: RecordingSpec,
    catalogue: Mapping[str, RecordingProfile],
    given: Circumstances,
    memory: RecordingMemory,
) -> RecordingDecision:
    """Return what a function is to record.

    Args:
        namespace: Of the MetricProfile.
        name: Of the MetricProfile.
        spec: The wish.
        catalogue: By name, the built-in three among them.
        given: What the decision rests on.
        memory: From the previous decision; empty before the first.
    """
    chosen = [_choose(event, spec, catalogue, given, memory) for event in spec.event_types]
    planned = [plan for each in chosen for plan in _plan(each, spec, given)]
    recording = Recording(namespace, name, {}, catalogue[MINIMAL])
    guarded = guard(planned, spec.budget, _find_means(given, chosen, recording.attribute_sets), memory.raised)
    recording = replace(recording, event_types=_compose(chosen, planned, guarded, spec))
    decided = tuple(_report(each, guarded) for each in chosen)
    return RecordingDecision(
        recording=recording,
        events=decided,
        guarded=guarded,
        memory=RecordingMemory(
            {each.event.name: each.memory for each in chosen}, {each.key: each.given for each in guarded.raises}
        ),
        unknown_profiles=_find_unknown(spec, catalogue),
        undeclared_metrics=tuple(sorted({m for plan in planned for m in plan.profile.metrics} - KNOWN_METRICS)),
        problem=_find_problem(recording),
    )


def summarise(events: Sequence[EventDecision]) -> str:
    """Return the profiles in one line for a person: one name where all have the same, empty without event types."""
    names = {each.profile for each in events}
    if len(names) < 2:
        return "".join(names)
    line = ", ".join(f"{each.event_type} {each.profile}" for each in events)
    return line if len(line) <= SUMMARY_LENGTH else f"{line[: SUMMARY_LENGTH - 1]}…"


def _choose(
    event: RecordedEvent,
    spec: RecordingSpec,
    catalogue: Mapping[str, RecordingProfile],
    given: Circumstances,
    memory: RecordingMemory,
) -> _Chosen:
    before, load = memory.events.get(event.name, EventMemory()), given.loads.get(event.name)
    predicted = load.predicted if load is not None else None
    if predicted is not None and math.isnan(predicted):
        predicted = None
    choice = choose(event, catalogue.keys(), predicted, before.choice, given.now, given.dwell_s)
    signs = Signs(load is not None and load.surprise, given.burning)
    escalation = escalate(spec.escalation, signs, before.escalation, given.now)
    base, escalated, reason = catalogue[choice.profile], None, choice.reason
    if spec.escalation is not None and escalation is not None and is_under_way(escalation, given.now):
        wanted = catalogue.get(spec.escalation.profile, catalogue[DEBUG])
        if wanted.name != base.name:
            escalated, reason = wanted, escalation.reason
    return _Chosen(event, predicted, reason, EventMemory(choice.memory, escalation), choice.memory, base, escalated)


def _plan(each: _Chosen, spec: RecordingSpec, given: Circumstances) -> list[Planned]:
    """Return what is recorded of one event type: its profile, and that of the escalation if there is one."""
    rate = each.predicted or 0.0
    if not math.isfinite(rate):
        rate = 0.0
    instances = float(max(1, given.instances))
    share = spec.escalation.share if spec.escalation is not None and each.escalated is not None else 0.0
    name = each.event.name
    plans = [Planned(name, each.base, rate * (1 - share), instances * (1 - share))]
    if each.escalated is not None:
        plans.append(Planned(name, each.escalated, rate * share, instances * share))
    return plans


def _find_means(given: Circumstances, chosen: Iterable[_Chosen], attribute_sets: int) -> Means:
    volumes = [load.bytes_per_second for each in chosen if (load := given.loads.get(each.event.name)) is not None]
    known = [volume for volume in volumes if volume is not None and math.isfinite(volume)]
    cores = None if given.cores is None else given.cores * max(1, given.instances)
    return Means(cores, attribute_sets, math.fsum(known) if known else None)


def _compose(
    chosen: Sequence[_Chosen], planned: Sequence[Planned], guarded: Guarded, spec: RecordingSpec
) -> dict[str, EventRecording]:
    found = {(plan.event_type, profile.name): profile for plan, profile in zip(planned, guarded.profiles, strict=True)}
    composed = {}
    for each in chosen:
        name, up = each.event.name, None
        ends = each.memory.escalation
        if spec.escalation is not None and each.escalated is not None and ends is not None:
            up = Escalation(found[name, each.escalated.name], spec.escalation.share, ends.until)
        composed[name] = EventRecording(found[name, each.base.name], up)
    return composed


def _report(each: _Chosen, guarded: Guarded) -> EventDecision:
    raises = tuple(raised for raised in guarded.raises if raised.event_type == each.event.name)
    ends = each.memory.escalation
    return EventDecision(
        event_type=each.event.name,
        profile=each.base.name,
        reason=each.reason,
        since=each.choice.since,
        predicted=each.predicted,
        escalated_until=None if ends is None else ends.until,
        raises=raises,
    )


def _find_unknown(spec: RecordingSpec, catalogue: Mapping[str, RecordingProfile]) -> tuple[str, ...]:
    named = {level.profile for event in spec.event_types for level in event.levels}
    if spec.escalation is not None:
        named.add(spec.escalation.profile)
    return tuple(sorted(named - catalogue.keys()))


def _find_problem(recording: Recording) -> str:
    size = len(render_document(recording, MAX_GENERATION).encode())
    if size <= MAX_BYTES:
        return ""
    return f"what is to be recorded takes {size} bytes of at most {MAX_BYTES}: name fewer metrics or attributes"
