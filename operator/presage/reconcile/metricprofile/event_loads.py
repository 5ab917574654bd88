"""The load of each event type for which it decides what is recorded: now, and by a forecast of its own where needed.

Nothing is scaled by these forecasts, so no past day is replayed for them. What the measures have asked for already is
asked for once; an object whose recording is not decided by load asks for nothing at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from presage.core.faults import SourceFault
from presage.core.profile import EventType
from presage.core.query import Selection
from presage.core.recording.loads import EventLoad, Moment, read_load
from presage.core.scaling.foresight import ForecastMemory
from presage.core.source_reading import TickSample
from presage.reconcile.metricprofile.forecasting import Asker, update_forecast
from presage.reconcile.metricprofile.inputs import Basis, EventMemory, MeasureInput
from presage.reconcile.metricprofile.measuring import Asking, find_tenant
from presage.reconcile.ports import Source


async def observe_events(
    asking: Asking, measures: Sequence[MeasureInput], memories: Mapping[str, EventMemory]
) -> tuple[tuple[EventLoad, ...], dict[str, EventMemory]]:
    """Return what is known of each event type's load, and what to remember of it.

    Args:
        asking: What is asked for.
        measures: What is known of the measures, the load first.
        memories: From the previous decision, by name of the event type.
    """
    load, recorded = measures[0], asking.spec.recorded
    samples, volumes = _name_samples(load), {n: s for each in measures[1:] for n, s in _name_samples(each).items()}
    wanted = [each for each in load.measure.event_types if each.name in recorded]
    if wanted and len(load.measure.event_types) == 1:
        known: dict[str, ForecastMemory | None] = {wanted[0].name: load.forecast}
        kept: dict[str, EventMemory] = {}
    else:
        source = load.memory.basis.source if load.memory.basis else None
        wanted = [replace(each, weight=1.0) for each in wanted]
        kept = await _bring_up(asking, source, wanted, samples, memories)
        known = {name: memory.forecast for name, memory in kept.items()}
    moment = Moment(asking.now, asking.lead_s, asking.spec.scaling.max_sample_age_s)
    ask = asking.spec.forecast
    loads = (read_load(e, samples.get(e.name), volumes.get(e.name), known.get(e.name), ask, moment) for e in wanted)
    return tuple(loads), kept


def _name_samples(measure: MeasureInput) -> dict[str, TickSample]:
    """Return what was answered of each event type; nothing where the source was not asked or did not answer."""
    samples = measure.reading.samples if measure.reading else ()
    return {e.name: sample for e, sample in zip(measure.measure.event_types, samples, strict=False)}


async def _bring_up(
    asking: Asking,
    source: Source | None,
    wanted: Sequence[EventType],
    samples: Mapping[str, TickSample],
    memories: Mapping[str, EventMemory],
) -> dict[str, EventMemory]:
    """Return the forecast of each event type by itself, all brought up at once; none without a source to ask."""
    if source is None or not wanted:
        return {}
    known = [_recall(memories.get(e.name), Basis(source, (e,), asking.spec.forecast)) for e in wanted]
    found = await asyncio.gather(*(_bring_one_up(asking, memory, samples) for memory in known))
    return {e.name: memory for e, memory in zip(wanted, found, strict=True)}


def _recall(memory: EventMemory | None, basis: Basis) -> EventMemory:
    return memory if memory is not None and memory.basis == basis else EventMemory(basis)


async def _bring_one_up(asking: Asking, memory: EventMemory, samples: Mapping[str, TickSample]) -> EventMemory:
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
