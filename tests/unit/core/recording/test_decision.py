"""A decision about all event types of a function: what it is told, what status shows, what is remembered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from presage.core.recording import reasons
from presage.core.recording.catalogue import merge_catalogues
from presage.core.recording.choice import ChoiceMemory
from presage.core.recording.decision import (
    Circumstances,
    EventMemory,
    RecordingDecision,
    RecordingMemory,
    decide_recording,
    summarise,
)
from presage.core.recording.document import parse_document, render_document
from presage.core.recording.loads import EventLoad
from presage.core.recording.spec import Budget, EscalationPolicy, Level, RecordedEvent, RecordingSpec
from presage.core.recording.types import MetricSettings, RecordingProfile

NOW = 10_000.0
LEVELS = (Level("Minimal"), Level("Standard", 50.0), Level("Debug", 200.0))
SPEC = RecordingSpec((RecordedEvent("order", LEVELS), RecordedEvent("pay", critical=True)))
CATALOGUE = merge_catalogues()


def at(now: float = NOW, *, cores: float | None = 1.0, burning: bool = False, **loads: float | None) -> Circumstances:
    known = {name: EventLoad(name, predicted, predicted) for name, predicted in loads.items()}
    return Circumstances(now, 600.0, 10, cores, known, burning)


def decide(spec: RecordingSpec, given: Circumstances, memory: RecordingMemory | None = None) -> RecordingDecision:
    return decide_recording("shop", "checkout", spec, CATALOGUE, given, memory or RecordingMemory())


def surprised(given: Circumstances, name: str) -> Circumstances:
    return replace(given, loads={**given.loads, name: replace(given.loads[name], surprise=True)})


def test_each_event_type_is_decided_by_itself() -> None:
    got = decide(SPEC, at(order=60.0))
    assert [(e.event_type, e.profile, e.reason, e.predicted) for e in got.events] == [
        ("order", "Standard", reasons.PREDICTED_LOAD, 60.0),
        ("pay", "Debug", reasons.CRITICAL, None),
    ]
    assert got.recording.event_types["order"].profile == CATALOGUE["Standard"]
    assert got.recording.event_types["pay"].profile == CATALOGUE["Debug"]
    assert got.recording.default == CATALOGUE["Minimal"]
    assert not got.problem


def test_what_functions_are_told_reads_as_it_was_decided() -> None:
    spec = replace(SPEC, escalation=EscalationPolicy())
    got = decide(spec, surprised(at(order=60.0, pay=9.0), "order"))
    assert parse_document(render_document(got.recording, 7).encode()).recording == got.recording


def test_without_event_types_there_is_nothing_to_decide() -> None:
    got = decide(RecordingSpec(), at())
    assert not RecordingSpec().active
    assert (got.events, got.recording.event_types, got.memory) == ((), {}, RecordingMemory())


def test_the_budget_thins_what_is_told_and_is_remembered() -> None:
    got = decide(SPEC, at(cores=0.05, order=300.0))
    (raised,) = [each for each in got.events[0].raises if each.metric == "latency"]
    assert raised.given > raised.asked == 1
    told = got.recording.event_types["order"].profile.metrics["latency"]
    assert told.every_events == raised.given == got.memory.raised["order", "Debug", "latency"]
    assert not got.events[1].raises, "no load is predicted for it: nothing to save"
    again = decide(SPEC, at(cores=0.05, order=290.0), got.memory)
    assert again.recording == got.recording


def test_data_volume_enters_the_budget() -> None:
    spec = replace(SPEC, budget=Budget(cpu_share=1.0, bytes_share=0.01))
    given = at(order=300.0)
    given = replace(given, loads={"order": replace(given.loads["order"], bytes_per_second=100_000.0)})
    assert not decide(spec, at(order=300.0)).guarded.raises
    assert decide(spec, given).guarded.raises


def test_a_surprise_is_looked_into_by_some_for_a_while() -> None:
    spec = replace(SPEC, escalation=EscalationPolicy("Debug", 0.1, 600.0, 3600.0))
    begun = decide(spec, surprised(at(order=60.0), "order"))
    up = begun.recording.event_types["order"].escalation
    assert up is not None
    assert (up.profile.name, up.share, up.until) == ("Debug", 0.1, NOW + 600)
    assert [e.reason for e in begun.events] == [reasons.SURPRISE, reasons.CRITICAL]
    assert begun.events[0].profile == "Standard", "most instances go on as before"
    goes_on = decide(spec, at(NOW + 599, order=60.0), begun.memory)
    assert goes_on.recording == begun.recording
    over = decide(spec, surprised(at(NOW + 600, order=60.0), "order"), goes_on.memory)
    assert over.recording.event_types["order"].escalation is None
    assert (over.events[0].reason, over.events[0].escalated_until) == (reasons.PREDICTED_LOAD, NOW + 600)
    anew = decide(spec, surprised(at(NOW + 4200, order=60.0), "order"), over.memory)
    assert anew.recording.event_types["order"].escalation is not None


def test_a_burning_objective_escalates_all_but_those_that_have_it_already() -> None:
    got = decide(replace(SPEC, escalation=EscalationPolicy()), at(burning=True, order=300.0, pay=1.0))
    assert all(each.escalation is None for each in got.recording.event_types.values())
    got = decide(replace(SPEC, escalation=EscalationPolicy()), at(burning=True, order=3.0, pay=1.0))
    assert got.recording.event_types["order"].escalation is not None
    assert got.events[0].reason == reasons.OBJECTIVE_BURN


def test_an_escalation_counts_in_the_budget_by_its_share() -> None:
    spec = replace(SPEC, event_types=SPEC.event_types[:1], escalation=EscalationPolicy(share=0.5))
    calm = decide(spec, at(order=40.0))
    begun = decide(spec, surprised(at(order=40.0), "order"))
    assert calm.guarded.cpu_share is not None
    assert begun.guarded.cpu_share is not None
    assert begun.guarded.cpu_share > 2 * calm.guarded.cpu_share


def test_names_that_nobody_knows_are_reported() -> None:
    own = RecordingProfile("Own", {"requests": MetricSettings(), "cart_size": MetricSettings()})
    spec = RecordingSpec(
        (RecordedEvent("order", (Level("Own"), Level("Debugg", 50.0))),), escalation=EscalationPolicy("Loud")
    )
    got = decide_recording("shop", "checkout", spec, merge_catalogues([own]), at(order=1.0), RecordingMemory())
    assert got.unknown_profiles == ("Debugg", "Loud")
    assert got.undeclared_metrics == ("cart_size",)


def test_a_recording_too_large_for_a_document_is_a_problem() -> None:
    attributes = tuple("a" * 60 + f"{i:03}" for i in range(16))
    huge = RecordingProfile("Huge", {f"{'m' * 60}{i:03}": MetricSettings(1, attributes) for i in range(64)})
    spec = RecordingSpec(tuple(RecordedEvent(f"e{i}", (Level("Huge"),)) for i in range(16)))
    got = decide_recording("shop", "checkout", spec, merge_catalogues([huge]), at(), RecordingMemory())
    assert not got.problem, "there is no forecast, so Standard holds"
    got = decide_recording(
        "shop", "checkout", spec, merge_catalogues([huge]), at(**{f"e{i}": 1.0 for i in range(16)}), RecordingMemory()
    )
    assert "of at most 262144" in got.problem


@pytest.mark.parametrize("now", [NOW, NOW + 100_000])
def test_a_restart_that_knows_what_status_holds_decides_the_same(now: float) -> None:
    spec = replace(SPEC, escalation=EscalationPolicy())
    before = decide(spec, surprised(at(NOW - 60, cores=0.05, order=300.0), "order"))
    before = decide(spec, at(NOW - 45, cores=0.05, order=300.0), before.memory)
    recalled = RecordingMemory(
        {
            e.event_type: EventMemory(ChoiceMemory(e.profile, e.since), before.memory.events[e.event_type].escalation)
            for e in before.events
        },
        {raised.key: raised.given for e in before.events for raised in e.raises},
    )
    given = at(now, cores=0.05, order=170.0)
    went_on, restarted = decide(spec, given, before.memory), decide(spec, given, recalled)
    assert restarted.recording == went_on.recording
    assert restarted.events == went_on.events


def test_a_line_for_a_person() -> None:
    assert summarise(decide(SPEC, at(order=60.0)).events) == "order Standard, pay Debug"
    assert summarise(decide(SPEC, at(order=600.0)).events) == "Debug"
    assert summarise(()) == ""
    many = RecordingSpec(tuple(RecordedEvent(f"e{i}", critical=bool(i % 2), levels=LEVELS) for i in range(32)))
    assert len(summarise(decide(many, at()).events)) == 256
