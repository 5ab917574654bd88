"""Gather: everything one MetricProfile decision needs, into one frozen input."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from presage.core.faults import SourceFault
from presage.core.profile import EventType, ProfileSpec
from presage.core.query import CounterLoad, Matcher, Selection
from presage.core.scaling.ladder import Reading
from presage.core.scaling.lead_time import Starts, recall_starts
from presage.core.scaling.surprise import Surprises
from presage.reconcile.metricprofile.forecasting import update_forecast
from presage.reconcile.metricprofile.inputs import (
    CapacityMemory,
    ForecastMemory,
    Measure,
    Problem,
    ProfileInput,
    ProfileMemory,
    ShiftMemory,
    TargetState,
)
from presage.reconcile.metricprofile.learning import Lesson, find_cores, recall_announcement, update_capacity
from presage.reconcile.metricprofile.level_shift import recall_shift
from presage.reconcile.metricprofile.steering import is_zero_written, recall_hand, recall_zero
from presage.reconcile.metricprofile.watching import KIND, find_owners, read_target
from presage.reconcile.ports import Json, Objects, Ports, Source, TickSample
from presage.resources.base import InvalidSpecError, ObjectMeta
from presage.resources.metricprofile import MetricProfile
from presage.resources.metricsource import MetricSource

PAUSED_ANNOTATION = "presage.dev/paused"


async def gather(profile: MetricProfile, memory: ProfileMemory | None, ports: Ports) -> ProfileInput:
    """Return the input of one decision; a source that fails becomes part of it, never an exception."""
    spec, meta, now = profile.spec.to_core(), profile.metadata, ports.clock.now()
    namespace = meta.namespace or ""
    source = find_source(ports.objects, spec.source, namespace)
    measure = Measure(source, spec.event_types, spec.forecast) if isinstance(source, Source) else None
    stored = ports.objects.get(KIND, namespace, meta.name) or {}
    fresh = memory is None
    memory = recall(memory, spec.target, measure)
    if fresh:
        memory = replace(memory, reporting_share=_recall_reporting_share(stored, meta.generation))
        memory = replace(memory, shift=recall_shift(stored, meta.generation))
        memory = replace(memory, zero=recall_zero(stored, spec.target), hand=recall_hand(stored))
        memory = replace(memory, capacity=replace(memory.capacity, told_at=recall_announcement(stored)))
    if memory.starts.met is None:
        memory = replace(memory, starts=_recall_starts(stored, spec.target))
    load = await _gather_load(measure, meta, spec.scaling.max_sample_age_s, memory, now, ports)
    target = read_target(ports.watched, namespace, spec.target, now, _settling_s(spec))
    healthy = load.reading is not None and not load.reading.error and not load.history_fault
    if healthy and measure is not None and target is not None:
        memory = replace(memory, capacity=await _gather_capacity(spec, measure, target, meta, memory, now, ports))
    return ProfileInput(
        spec=spec,
        generation=meta.generation,
        paused=spec.paused or meta.annotations.get(PAUSED_ANNOTATION, "").lower() == "true",
        now=now,
        target=target,
        owners=find_owners(ports.watched, namespace, spec.target),
        contenders=_find_contenders(ports.objects, namespace, meta.name, spec.target),
        source_problem=source if isinstance(source, Problem) else None,
        reading=load.reading,
        forecast=load.forecast,
        history_fault=load.history_fault,
        memory=memory,
        zero_written=is_zero_written(stored, spec.target),
    )


def find_source(objects: Objects, name: str, namespace: str) -> Source | Problem:
    """Return the MetricSource to ask, or why it may not be asked."""
    raw = objects.get(MetricSource.meta.kind, "", name)
    if raw is None:
        return Problem("SourceNotFound", f"There is no MetricSource {name}: create it or correct spec.sourceRef.name.")
    try:
        source = MetricSource.parse(raw)
    except InvalidSpecError:
        return Problem("SourceInvalid", f"MetricSource {name} has an invalid spec: see its own conditions.")
    spec = source.spec.to_core()
    if not spec.admits(namespace):
        return Problem(
            "NamespaceNotAdmitted",
            f"MetricSource {name} does not admit namespace {namespace}: ask its owner to list it in spec.namespaces.",
        )
    return Source(name, source.metadata.generation, spec)


def recall(memory: ProfileMemory | None, target: str, measure: Measure | None) -> ProfileMemory:
    """Return what may still be remembered: nothing of another target, no forecast and no share of another measure."""
    if memory is None or memory.target != target:
        return ProfileMemory(target=target, measure=measure)
    if memory.measure != measure:
        scaling = replace(memory.scaling, surprises=Surprises())
        return replace(
            memory, measure=measure, scaling=scaling, forecast=None, reporting_share=0.0, shift=ShiftMemory()
        )
    return memory


def _settling_s(spec: ProfileSpec) -> float:
    """Return the seconds after which a Ready pod must have been scraped often enough for a rate."""
    windows = (e.load.window_s for e in spec.event_types if isinstance(e.load, CounterLoad))
    return spec.scaling.max_sample_age_s + max(windows, default=0.0)


@dataclass(frozen=True, slots=True)
class _Load:
    """What a source said: the reading (None = it was not asked), the forecast, and what went wrong with the history."""

    reading: Reading | None
    forecast: ForecastMemory | None
    history_fault: str = ""


async def _gather_load(
    measure: Measure | None, meta: ObjectMeta, max_age_s: float, memory: ProfileMemory, now: float, ports: Ports
) -> _Load:
    """Ask for the load now and for its history; a history that fails never costs the load now."""
    if measure is None:
        return _Load(None, None)
    source, event_types = measure.source, measure.event_types
    tenant = _find_tenant(source, meta)
    askers = [Selection(e.load, tenant) for e in event_types]
    try:
        reading = combine_samples(event_types, await ports.loads.observe(source, askers, max_age_s))
    except SourceFault as fault:
        return _Load(Reading(None, None, frozenset(), error=fault.message), memory.forecast)
    if any(flaw == "NotACounter" for _, flaw in reading.flaws):
        return _Load(reading, None)  # its history is as senseless as its rate now
    try:
        forecast = await update_forecast(measure, askers, memory.forecast, meta.uid, now, ports.loads, ports.forecaster)
        return _Load(reading, forecast)
    except SourceFault as fault:
        return _Load(reading, memory.forecast, fault.message)


def _find_tenant(source: Source, meta: ObjectMeta) -> Matcher | None:
    forced = source.spec.tenant(meta.namespace or "")
    return Matcher(forced[0], "=", forced[1]) if forced else None


async def _gather_capacity(
    spec: ProfileSpec,
    measure: Measure,
    target: TargetState,
    meta: ObjectMeta,
    memory: ProfileMemory,
    now: float,
    ports: Ports,
) -> CapacityMemory:
    """Learn the load that one pod serves, if that is asked for and due."""
    policy = spec.scaling
    if policy.learning is None:
        return CapacityMemory(told_at=memory.capacity.told_at)
    cores = find_cores(policy.learning, target.cores)
    lesson = Lesson(measure, _find_tenant(measure.source, meta), policy.learning, policy.per_pod, cores)
    return await update_capacity(lesson, target, policy.max_sample_age_s, memory.capacity, meta.uid, now, ports.loads)


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


def _find_contenders(objects: Objects, namespace: str, name: str, target: str) -> tuple[str, ...]:
    others = (p for p in objects.list(KIND, namespace) if p["metadata"]["name"] != name)
    aimed = (p for p in others if p.get("spec", {}).get("target", {}).get("name") == target)
    return tuple(sorted(p["metadata"]["name"] for p in aimed if not p["metadata"].get("deletionTimestamp")))


def _recall_reporting_share(stored: Json, generation: int) -> float:
    """Return the share of pods that status holds for this very spec, so that a restart takes no part for the whole."""
    status = stored.get("status") or {}
    share = (status.get("scaling") or {}).get("reportingShare")
    if not isinstance(share, int | float) or status.get("observedGeneration") != generation:
        return 0.0
    return min(1.0, max(0.0, float(share)))


def _recall_starts(stored: Json, target: str) -> Starts:
    """Return the starts that status holds of this target's pods, so that a restart does not forget them."""
    lead = ((stored.get("status") or {}).get("scaling") or {}).get("leadTimeSeconds")
    if not isinstance(lead, Mapping) or lead.get("target") != target:
        return Starts()
    seconds = lead.get("startsSeconds")
    return recall_starts(seconds if isinstance(seconds, Sequence) else ())
