"""What an object's load is measured by: each measure's reading and forecast, and what may still be remembered of it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from presage.core.calendar.spec import Calendar
from presage.core.faults import SourceFault
from presage.core.profile import EventType, Measure, MeasureName, ProfileSpec
from presage.core.query import Matcher, Selection
from presage.core.scaling.gate import GateMemory, Setting, make_setting
from presage.core.scaling.ladder import Reading
from presage.reconcile.metricprofile.forecasting import Asker, Foresight, Stake, update_foresight
from presage.reconcile.metricprofile.inputs import Basis, MeasureInput, MeasureMemory, ShiftMemory
from presage.reconcile.metricprofile.level_shift import recall_shift
from presage.reconcile.metricprofile.naming import name_field
from presage.reconcile.metricprofile.objective_status import recall_gate
from presage.reconcile.ports import Json, Ports, Source, TickSample
from presage.resources.base import ObjectMeta


def recall_measures(
    memories: Mapping[MeasureName, MeasureMemory], spec: ProfileSpec, source: Source | None, status: Json
) -> dict[MeasureName, MeasureMemory]:
    """Return what may still be remembered of each measure: no forecast and no share on another basis.

    Args:
        memories: From the previous decision.
        spec: The wish.
        source: The one that may be asked; None if none may.
        status: What a restart finds of this very spec; else empty.
    """
    bases = {m.name: Basis(source, m.event_types, spec.forecast) if source else None for m in spec.measures}
    return {
        m.name: _keep(memories[m.name], bases[m.name])
        if m.name in memories
        else _recall_stored(status, m.name, bases[m.name], setting_of(spec, m, 0.0))
        for m in spec.measures
    }


def setting_of(spec: ProfileSpec, measure: Measure, lead_s: float) -> Setting:
    """Return what past days of one measure are replayed with."""
    return make_setting(replace(spec.scaling, per_pod=measure.per_pod), spec.forecast, lead_s)


def _recall_stored(status: Json, name: MeasureName, basis: Basis | None, setting: Setting) -> MeasureMemory:
    """Return what status knows of one measure, so that a restart takes no part for the whole and repeats no event."""
    share = (status.get("scaling") or {}).get(name_field("reportingShare", name))
    known = min(1.0, max(0.0, float(share))) if isinstance(share, int | float) else 0.0
    shift = recall_shift(status.get(name_field("forecast", name)))
    gate = recall_gate((status.get("scaling") or {}).get(name_field("objective", name)), setting)
    return MeasureMemory(basis, gate=gate, reporting_share=known, shift=shift)


def _keep(memory: MeasureMemory, basis: Basis | None) -> MeasureMemory:
    if memory.basis == basis:
        return memory
    return replace(memory, basis=basis, forecast=None, gate=GateMemory(), reporting_share=0.0, shift=ShiftMemory())


@dataclass(frozen=True, slots=True)
class Asking:
    """What the questions about all loads of one object have in common.

    Attributes:
        spec: The wish.
        meta: Of the object.
        lead_s: Seconds from asking for a replica until it is ready.
        calendar: The spec's, with the days of its holidays.
        now: Epoch seconds.
        ports: Who answers.
    """

    spec: ProfileSpec
    meta: ObjectMeta
    lead_s: float
    calendar: Calendar
    now: float
    ports: Ports


async def observe(asking: Asking, memories: Mapping[MeasureName, MeasureMemory]) -> tuple[MeasureInput, ...]:
    """Ask for all measures at once, so that they share requests; one that fails costs the others nothing."""
    measures = asking.spec.measures
    return tuple(await asyncio.gather(*(_observe(measure, memories[measure.name], asking) for measure in measures)))


async def _observe(measure: Measure, memory: MeasureMemory, asking: Asking) -> MeasureInput:
    """Ask for one measure now and for its history; a history that fails never costs the load now."""
    basis, meta, ports, gate = memory.basis, asking.meta, asking.ports, memory.gate
    policy = asking.spec.scaling
    if basis is None:
        return MeasureInput(measure, None, None, gate, "", memory)
    tenant = find_tenant(basis.source, meta)
    askers = [Selection(e.load, tenant) for e in measure.event_types]
    try:
        samples = await ports.loads.observe(basis.source, askers, policy.max_sample_age_s)
    except SourceFault as fault:
        silent = Reading(None, None, frozenset(), error=fault.message)
        return MeasureInput(measure, silent, memory.forecast, gate, "", memory)
    reading = combine_samples(measure.event_types, samples)
    if any(flaw == "NotACounter" for _, flaw in reading.flaws):
        return MeasureInput(measure, reading, None, gate, "", memory)  # its history is as senseless as its rate now
    stake = Stake(setting_of(asking.spec, measure, asking.lead_s), policy.unmet_load)
    asker = Asker(basis, askers, f"{meta.uid}/{measure.name}", asking.calendar)
    known, fault_said = Foresight(memory.forecast, gate), ""
    try:
        known = await update_foresight(asker, stake, known, asking.now, ports.loads, ports.forecaster)
    except SourceFault as fault:
        fault_said = fault.message
    return MeasureInput(measure, reading, known.forecast, known.gate, fault_said, memory)


def find_tenant(source: Source, meta: ObjectMeta) -> Matcher | None:
    """Return the label that a source forces on every query of an object's namespace; None if it forces none."""
    forced = source.spec.tenant(meta.namespace or "")
    return Matcher(forced[0], "=", forced[1]) if forced else None


def combine_samples(event_types: Sequence[EventType], samples: Sequence[TickSample]) -> Reading:
    """Return one reading over all event types: weighted loads add up, the oldest newest sample counts.

    An event type without a load makes the sum a lower bound, never zero, and the reading names it. Where several event
    types name the instances they come from, an instance counts only if all of them have it.
    """
    pairs = list(zip(event_types, samples, strict=True))
    loads = [e.weight * s.load for e, s in pairs if s.load is not None]
    ages = [s.newest_at for _, s in pairs if s.newest_at is not None]
    named = [s.targets for _, s in pairs if s.targets]
    observed = sum(loads)
    return Reading(
        observed=observed if loads and math.isfinite(observed) else None,
        newest_at=min(ages) if ages else None,
        targets=frozenset.intersection(*named) if named else frozenset(),
        missing=tuple(e.name for e, s in pairs if s.newest_at is None),
        unmeasured=tuple(e.name for e, s in pairs if s.newest_at is not None and s.load is None),
        latest_at=max(ages, default=None),
        flaws=tuple((e.name, s.flaw) for e, s in pairs if s.flaw),
        samples=tuple(samples),
    )
