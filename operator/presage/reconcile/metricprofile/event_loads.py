"""The load of each event type for which it decides what is recorded: now, and by a forecast of its own where needed.

Nothing is scaled by these forecasts, so no past day is replayed for them. What the measures have asked for already is
asked for once; an object whose recording is not decided by load asks for nothing at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from presage.core.faults import SourceFault
from presage.core.profile import EventsByLabel, EventType
from presage.core.query import CounterLoad, GaugeLoad, Selection
from presage.core.recording.found import MAX_VALUES, Found
from presage.core.recording.loads import EventLoad, Moment, read_load
from presage.core.scaling.foresight import ForecastMemory
from presage.core.source_reading import LabelValues, TickSample
from presage.reconcile.metricprofile.forecasting import Asker, update_forecast
from presage.reconcile.metricprofile.inputs import Basis, EventMemory, MeasureInput, Problem
from presage.reconcile.metricprofile.measuring import Asking, find_tenant
from presage.reconcile.ports import Source

Samples = Mapping[str, TickSample]
"""What was answered, by name of the event type; one that is not there was not asked for, or not answered."""


@dataclass(frozen=True, slots=True)
class FoundReading:
    """What was read of the event types that are found from a label.

    Attributes:
        values: Of the label, or why they are unknown; None where it was no time to look.
        event_types: For which their load decides what is recorded.
        samples: Their loads now.
        volumes: Their data volumes now.
    """

    values: LabelValues | Problem | None = None
    event_types: tuple[EventType, ...] = ()
    samples: Samples = field(default_factory=dict)
    volumes: Samples = field(default_factory=dict)


async def look_for_events(asking: Asking, source: Source | None, found: Found) -> FoundReading:
    """Return the values of the label that event types are found from, and the load of each that was found before."""
    by_label = asking.spec.by_label
    if by_label is None or source is None:
        return FoundReading()
    events = found.events if by_label.recorded else ()
    loads = tuple(EventType(e.name, 1.0, by_label.split(by_label.load, e.value)) for e in events)
    volume = by_label.volume
    volumes = () if volume is None else tuple((e.name, by_label.split(volume, e.value)) for e in events)
    values, samples, carried = await asyncio.gather(
        _find_values(asking, source, by_label) if found.is_due(asking.now) else _nothing(),
        _sample(asking, source, [(e.name, e.load) for e in loads]),
        _sample(asking, source, volumes),
    )
    return FoundReading(values, loads, samples, carried)


async def _nothing() -> None:
    return None


async def _find_values(asking: Asking, source: Source, by_label: EventsByLabel) -> LabelValues | Problem:
    asker = Selection(by_label.load, find_tenant(source, asking.meta))
    try:
        return await asking.ports.loads.find_values(source, asker, by_label.label, MAX_VALUES)
    except SourceFault as fault:
        return Problem(fault.reason, fault.message)


async def _sample(
    asking: Asking, source: Source, named: Sequence[tuple[str, CounterLoad | GaugeLoad]]
) -> dict[str, TickSample]:
    """Return what is answered of each, all asked at once, so that they share requests; one that fails is left out."""
    tenant, max_age_s = find_tenant(source, asking.meta), asking.spec.scaling.max_sample_age_s
    asked = (asking.ports.loads.observe(source, [Selection(load, tenant)], max_age_s) for _, load in named)
    answers = await asyncio.gather(*asked, return_exceptions=True)
    found = {}
    for (name, _), answer in zip(named, answers, strict=True):
        if not isinstance(answer, BaseException):
            (found[name],) = answer
        elif not isinstance(answer, SourceFault):
            raise answer
    return found


async def observe_events(
    asking: Asking, measures: Sequence[MeasureInput], found: FoundReading, memories: Mapping[str, EventMemory]
) -> tuple[tuple[EventLoad, ...], dict[str, EventMemory]]:
    """Return what is known of each event type's load, and what to remember of it.

    Args:
        asking: What is asked for.
        measures: What is known of the measures, the load first.
        found: What was read of event types that are found.
        memories: From the previous decision, by name of the event type.
    """
    load, recorded = measures[0], asking.spec.recorded
    samples = {**_name_samples(load), **found.samples}
    volumes = {n: s for each in measures[1:] for n, s in _name_samples(each).items()} | {**found.volumes}
    given = [each for each in load.measure.event_types if each.name in recorded]
    alone = given if len(load.measure.event_types) == 1 else []
    if not alone:
        given = [replace(each, weight=1.0) for each in given]
    source = load.memory.basis.source if load.memory.basis else None
    own = [each for each in (*given, *found.event_types) if each not in alone]
    kept = await _bring_up(asking, source, own, samples, memories)
    known: dict[str, ForecastMemory | None] = {each.name: load.forecast for each in alone}
    known |= {name: memory.forecast for name, memory in kept.items()}
    moment = Moment(asking.now, asking.lead_s, asking.spec.scaling.max_sample_age_s)
    return tuple(
        read_load(e, samples.get(e.name), volumes.get(e.name), known.get(e.name), asking.spec.forecast, moment)
        for e in (*given, *found.event_types)
    ), kept


def _name_samples(measure: MeasureInput) -> dict[str, TickSample]:
    samples = measure.reading.samples if measure.reading else ()
    return {e.name: sample for e, sample in zip(measure.measure.event_types, samples, strict=False)}


async def _bring_up(
    asking: Asking,
    source: Source | None,
    event_types: Sequence[EventType],
    samples: Samples,
    memories: Mapping[str, EventMemory],
) -> dict[str, EventMemory]:
    """Return the forecast of each event type by itself, all brought up at once; none without a source to ask."""
    if source is None or not event_types:
        return {}
    known = [_recall(memories.get(e.name), Basis(source, (e,), asking.spec.forecast)) for e in event_types]
    found = await asyncio.gather(*(_bring_one_up(asking, memory, samples) for memory in known))
    return {e.name: memory for e, memory in zip(event_types, found, strict=True)}


def _recall(memory: EventMemory | None, basis: Basis) -> EventMemory:
    return memory if memory is not None and memory.basis == basis else EventMemory(basis)


async def _bring_one_up(asking: Asking, memory: EventMemory, samples: Samples) -> EventMemory:
    basis, meta, ports = memory.basis, asking.meta, asking.ports
    (event_type,) = basis.event_types
    sample = samples.get(event_type.name)
    if sample is not None and sample.flaw == "NotACounter":
        return replace(memory, forecast=None)  # its history is as senseless as its rate now
    selection = Selection(event_type.load, find_tenant(basis.source, meta))
    asker = Asker(basis, [selection], f"{meta.uid}/event/{event_type.name}", asking.calendar)
    try:
        found = await update_forecast(asker, memory.forecast, asking.now, ports.loads, ports.forecaster)
    except SourceFault:  # the measure that it is part of says so
        return memory
    return replace(memory, forecast=found.memory)
