"""Gather: everything one MetricProfile decision needs, into one frozen input."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from presage.core.faults import SourceFault
from presage.core.forecast.api import Series
from presage.core.profile import EventType, ProfileSpec
from presage.core.query import Matcher, build_history_query, build_tick_query
from presage.core.scaling.ladder import Reading
from presage.core.scaling.lead_time import LeadTime
from presage.core.scaling.outlook import Outlook
from presage.reconcile.metricprofile.inputs import ForecastMemory, Problem, ProfileInput, ProfileMemory
from presage.reconcile.metricprofile.status import SHOWN_LEVEL
from presage.reconcile.metricprofile.watching import KIND, find_owners, read_target
from presage.reconcile.ports import History, Json, Objects, Ports, Source, TickSample
from presage.resources.base import InvalidSpecError
from presage.resources.metricprofile import MetricProfile
from presage.resources.metricsource import MetricSource

PAUSED_ANNOTATION = "presage.dev/paused"
REFITS_PER_SEASON = 24  # weights are chosen anew hourly on a day, and as often on a compressed one


async def gather(profile: MetricProfile, memory: ProfileMemory | None, ports: Ports) -> ProfileInput:
    """Return the input of one decision; a source that fails becomes part of it, never an exception."""
    memory = memory or ProfileMemory()
    spec, meta, now = profile.spec.to_core(), profile.metadata, ports.clock.now()
    namespace = meta.namespace or ""
    source = find_source(ports.objects, spec.source, namespace)
    reading, forecast = None, memory.forecast
    if isinstance(source, Source):
        reading, forecast = await _gather_load(spec, meta.generation, source, namespace, memory, now, ports)
    stored = ports.objects.get(KIND, namespace, meta.name) or {}
    return ProfileInput(
        spec=spec,
        generation=meta.generation,
        paused=spec.paused or meta.annotations.get(PAUSED_ANNOTATION, "").lower() == "true",
        now=now,
        target=read_target(ports.watched, namespace, spec.target, now, spec.scaling.max_sample_age_s),
        owners=find_owners(ports.watched, namespace, spec.target),
        contenders=_find_contenders(ports.objects, namespace, meta.name, spec.target),
        source_problem=source if isinstance(source, Problem) else None,
        reading=reading,
        forecast=forecast,
        remembered_lead=_recall_lead_time(stored),
        memory=memory,
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


async def _gather_load(
    spec: ProfileSpec,
    generation: int,
    source: Source,
    namespace: str,
    memory: ProfileMemory,
    now: float,
    ports: Ports,
) -> tuple[Reading, ForecastMemory | None]:
    forced = source.spec.tenant(namespace)
    tenant = Matcher(forced[0], "=", forced[1]) if forced else None
    try:
        samples = [await ports.loads.observe(source, build_tick_query(e.load, tenant)) for e in spec.event_types]
        reading = combine_samples(spec.event_types, samples)
        forecast = await _update_forecast(spec, generation, source, tenant, memory.forecast, now, ports)
    except SourceFault as fault:
        return Reading(None, None, frozenset(), error=fault.message), memory.forecast
    return reading, forecast


def combine_samples(event_types: Sequence[EventType], samples: Sequence[TickSample]) -> Reading:
    """Return one reading over all event types: weighted loads add up, the oldest newest sample counts.

    An event type without a load makes the sum a lower bound, never zero: the reading says which are missing.
    """
    loads = [e.weight * s.load for e, s in zip(event_types, samples, strict=True) if s.load is not None]
    ages = [s.newest_at for s in samples if s.newest_at is not None]
    return Reading(
        observed=sum(loads) if loads else None,
        newest_at=min(ages) if ages else None,
        targets=frozenset().union(*(s.targets for s in samples)),
        missing=tuple(e.name for e, s in zip(event_types, samples, strict=True) if s.newest_at is None),
    )


async def _update_forecast(
    spec: ProfileSpec,
    generation: int,
    source: Source,
    tenant: Matcher | None,
    memory: ForecastMemory | None,
    now: float,
    ports: Ports,
) -> ForecastMemory | None:
    """Return the forecast brought up to the newest complete slot; unchanged if there is no newer one."""
    ask, newest = spec.forecast, int(now // spec.forecast.step_s) - 1
    if memory is not None and memory.generation != generation:
        memory = None
    if memory is not None and memory.last_slot >= newest:
        return memory
    queries = [build_history_query(e.load, tenant, ask.step_s) for e in spec.event_types]
    histories = [await ports.loads.history(source, q, ask.step_s, ask.history_s, now) for q in queries]
    values, start = add_histories(spec.event_types, histories, ask.step_s)
    if not np.isfinite(values).any():
        return memory
    last_slot = int(start // ask.step_s) + len(values) - 1
    levels = tuple(sorted({0.5, SHOWN_LEVEL, ask.quantile}))
    missed = last_slot - memory.last_slot if memory else 0
    if memory is not None and missed <= 0:
        return memory
    if memory is None or missed > len(values) or last_slot - memory.fitted_slot >= _refit_slots(spec):
        series = Series(values, start, ask.step_s, ask.seasons_s or None, ask.time_zone)
        state = memory.forecast.state if memory else None
        forecast = await ports.forecaster.forecast(series, ask.horizon_slots, levels, state)
        fitted_slot = last_slot
    else:
        forecast = await ports.forecaster.advance(memory.forecast.state, values[-missed:], ask.horizon_slots, levels)
        fitted_slot = memory.fitted_slot
    outlook = Outlook(
        start=float((last_slot + 1) * ask.step_s),
        step_s=float(ask.step_s),
        upper=forecast.quantiles[ask.quantile],
        median=forecast.point,
    )
    return ForecastMemory(forecast, outlook, last_slot, fitted_slot, generation)


def _refit_slots(spec: ProfileSpec) -> int:
    season = min(spec.forecast.seasons_s, default=86_400)
    return max(1, season // REFITS_PER_SEASON // spec.forecast.step_s)


def add_histories(
    event_types: Sequence[EventType], histories: Sequence[History], step_s: int
) -> tuple[NDArray[np.float64], float]:
    """Return the weighted sum of histories over the slots that all cover, shape (n,), and its start, epoch s.

    A slot that any event type lacks is NaN: part of a load is no load to learn from.
    """
    start = max(h.start for h in histories)
    end = min(h.start + len(h.values) * step_s for h in histories)
    slots = max(0, round((end - start) / step_s))
    total = np.zeros(slots)
    for event_type, history in zip(event_types, histories, strict=True):
        first = round((start - history.start) / step_s)
        total += event_type.weight * history.values[first : first + slots].astype(np.float64)
    return total, start


def _find_contenders(objects: Objects, namespace: str, name: str, target: str) -> tuple[str, ...]:
    others = (p for p in objects.list(KIND, namespace) if p["metadata"]["name"] != name)
    aimed = (p for p in others if p.get("spec", {}).get("target", {}).get("name") == target)
    return tuple(sorted(p["metadata"]["name"] for p in aimed if not p["metadata"].get("deletionTimestamp")))


def _recall_lead_time(stored: Json) -> LeadTime | None:
    """Return the lead time that status holds, so that a restart does not forget what was measured."""
    scaling = (stored.get("status") or {}).get("scaling") or {}
    lead = scaling.get("leadTimeSeconds")
    if not isinstance(lead, Mapping):
        return None
    value, samples, source = lead.get("value"), lead.get("samples"), lead.get("source")
    valid = isinstance(value, int | float) and isinstance(samples, int) and isinstance(source, str)
    return LeadTime(float(value), samples, source) if valid and math.isfinite(float(value)) else None  # type: ignore[arg-type]
