"""Gather: everything one MetricProfile decision needs, into one frozen input."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from presage.core.profile import ProfileSpec
from presage.core.scaling.lead_time import Starts, decide_lead_time, recall_starts
from presage.reconcile.metricprofile.event_loads import look_for_events, observe_events
from presage.reconcile.metricprofile.found_events import recall_found
from presage.reconcile.metricprofile.inputs import (
    Basis,
    CapacityMemory,
    MeasureInput,
    Problem,
    ProfileInput,
    ProfileMemory,
    TargetState,
)
from presage.reconcile.metricprofile.learning import Lesson, find_cores, recall_announcement, update_capacity
from presage.reconcile.metricprofile.measuring import Asking, find_tenant, observe, recall_measures
from presage.reconcile.metricprofile.recording.gathering import gather_recording
from presage.reconcile.metricprofile.retention import view_retention
from presage.reconcile.metricprofile.steering import is_zero_written, recall_hand, recall_zero
from presage.reconcile.metricprofile.watching import KIND, find_owners, read_target
from presage.reconcile.ports import Json, Objects, Ports, Source
from presage.resources.base import InvalidSpecError, ObjectMeta
from presage.resources.metricprofile import MetricProfile
from presage.resources.metricsource import MetricSource
from presage.resources.public_holidays import open_calendar

PAUSED_ANNOTATION = "presage.dev/paused"


async def gather(profile: MetricProfile, memory: ProfileMemory | None, ports: Ports) -> ProfileInput:
    """Return the input of one decision; a source that fails becomes part of it, never an exception."""
    spec, meta, now = profile.spec.to_core(), profile.metadata, ports.clock.now()
    spec = replace(spec, recording=spec.recording.with_shared(ports.profiles))
    namespace = meta.namespace or ""
    source = find_source(ports.objects, spec.source, namespace)
    stored = ports.objects.get(KIND, namespace, meta.name) or {}
    allowed = source if isinstance(source, Source) else None
    memory = recall(memory, spec, allowed, stored, meta.generation)
    spec = replace(spec, recording=spec.recording.with_found(each.name for each in memory.found.events))
    target = read_target(ports.watched, namespace, spec.target, now, _settling_s(spec))
    lead = decide_lead_time(memory.starts, spec.scaling.lead_time_s, spec.scaling.decision_period_s)
    asking = Asking(spec, meta, lead.value_s, open_calendar(spec.calendar, now), now, ports)
    measures, found = await asyncio.gather(
        observe(asking, memory.measures), look_for_events(asking, allowed, memory.found)
    )
    event_loads, events = await observe_events(asking, measures, found, memory.events)
    recording, recorded = await gather_recording(asking, profile, source, memory.recording, stored)
    memory = replace(memory, events=events, recording=recorded)
    basis = _find_healthy(measures[0])
    if basis is not None and target is not None:
        capacity = await _gather_capacity(spec, basis, target, meta, memory.capacity, now, ports)
        memory = replace(memory, capacity=capacity)
    return ProfileInput(
        spec=spec,
        generation=meta.generation,
        paused=spec.paused or meta.annotations.get(PAUSED_ANNOTATION, "").lower() == "true",
        now=now,
        target=target,
        owners=find_owners(ports.watched, namespace, spec.target),
        contenders=_find_contenders(ports.objects, namespace, meta.name, spec.target),
        source_problem=source if isinstance(source, Problem) else None,
        measures=measures,
        memory=memory,
        zero_written=is_zero_written(stored, spec.target),
        calendar=asking.calendar,
        event_loads=event_loads,
        retention=view_retention(profile, spec.recording, source, ports.objects, ports.watched),
        label_values=found.values,
        recording=recording,
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


def recall(
    memory: ProfileMemory | None, spec: ProfileSpec, source: Source | None, stored: Json, generation: int
) -> ProfileMemory:
    """Return what may still be remembered, nothing of another target.

    Args:
        memory: From the previous decision; None after a restart: then status gives what it holds.
        spec: The wish.
        source: The one that may be asked; None if none may.
        stored: The object as it is stored.
        generation: Of the spec.
    """
    known = memory.measures if memory is not None and memory.target == spec.target else {}
    status = stored.get("status") or {}
    of_this_spec = memory is None and status.get("observedGeneration") == generation
    measures = recall_measures(known, spec, source, status if of_this_spec else {})
    if memory is None:
        memory = ProfileMemory(spec.target, zero=recall_zero(stored, spec.target), hand=recall_hand(stored))
        memory = replace(memory, capacity=CapacityMemory(told_at=recall_announcement(stored)))
    elif memory.target != spec.target:
        memory = ProfileMemory(spec.target)
    found = recall_found(memory.found, spec, status if of_this_spec else {})
    memory = replace(memory, measures=measures, found=found)
    return memory if memory.starts.met is not None else replace(memory, starts=_recall_starts(stored, spec.target))


def _settling_s(spec: ProfileSpec) -> float:
    """Return the seconds after which a Ready pod must have been scraped often enough for a rate."""
    return spec.scaling.max_sample_age_s + max(measure.window_s for measure in spec.measures)


def _find_healthy(load: MeasureInput) -> Basis | None:
    """Return what the load is measured by, if the source answers for it."""
    healthy = load.reading is not None and not load.reading.error and not load.history_fault
    return load.memory.basis if healthy else None


async def _gather_capacity(
    spec: ProfileSpec,
    basis: Basis,
    target: TargetState,
    meta: ObjectMeta,
    memory: CapacityMemory,
    now: float,
    ports: Ports,
) -> CapacityMemory:
    """Learn the load that one pod serves, if that is asked for and due."""
    policy = spec.scaling
    if policy.learning is None:
        return CapacityMemory(told_at=memory.told_at)
    cores = find_cores(policy.learning, target.cores)
    lesson = Lesson(basis, find_tenant(basis.source, meta), policy.learning, policy.per_pod, cores)
    return await update_capacity(lesson, target, policy.max_sample_age_s, memory, meta.uid, now, ports.loads)


def _find_contenders(objects: Objects, namespace: str, name: str, target: str) -> tuple[str, ...]:
    others = (p for p in objects.list(KIND, namespace) if p["metadata"]["name"] != name)
    aimed = (p for p in others if p.get("spec", {}).get("target", {}).get("name") == target)
    return tuple(sorted(p["metadata"]["name"] for p in aimed if not p["metadata"].get("deletionTimestamp")))


def _recall_starts(stored: Json, target: str) -> Starts:
    """Return the starts that status holds of this target's pods, so that a restart does not forget them."""
    lead = ((stored.get("status") or {}).get("scaling") or {}).get("leadTimeSeconds")
    if not isinstance(lead, Mapping) or lead.get("target") != target:
        return Starts()
    seconds = lead.get("startsSeconds")
    return recall_starts(seconds if isinstance(seconds, Sequence) else ())
