"""Retention of one MetricSource: look at its tiers' canaries, judge them, write the next ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from presage.core.conditions import Condition
from presage.core.faults import SourceFault
from presage.core.recording.retention.canary import Canary, Judged, Look, find_due, find_lead, judge_tier
from presage.core.recording.retention.tiers import Retention, Tier
from presage.core.recording.retention.verdict import TierState, judge_retention
from presage.core.units import parse_time, to_time
from presage.reconcile.kind import GaugeValue, Reason
from presage.reconcile.ports import Json, Ports, Source
from presage.resources.metricsource import MetricSource
from presage.resources.retention import TierStatus

CONDITION = "RetentionEnforced"
GAUGE = "retention_canary"


@dataclass(frozen=True, slots=True)
class RetentionInput:
    """What is asked for, remembered and found of a source's tiers."""

    source: str
    generation: int
    retention: Retention
    canaries: Mapping[str, Canary]
    looks: Mapping[str, Look]
    now: float
    lead_s: float | None


@dataclass(frozen=True, slots=True)
class CanaryPlan:
    """Canaries to write, each with its epoch second."""

    writes: tuple[tuple[Tier, float], ...]


@dataclass(frozen=True, slots=True)
class RetentionDecision:
    """What is made of it."""

    condition: Condition
    status: tuple[Json, ...]
    gauges: Mapping[str, GaugeValue]
    plan: CanaryPlan | None


async def gather_retention(source: Source, ports: Ports) -> RetentionInput | None:
    """Return what is found of the tiers; None where the source has none."""
    retention, now = source.spec.retention, ports.clock.now()
    if retention is None:
        return None
    stored = ports.objects.get(MetricSource.meta.kind, "", source.name) or {}
    canaries = recall_canaries(stored, retention)
    looks = await ports.canaries.look(source, retention, canaries) if retention.tiers else {}
    lead_s = find_lead(source.spec.check_period_s) if retention.backend == "VictoriaMetrics" else None
    return RetentionInput(source.name, source.generation, retention, canaries, looks, now, lead_s)


def decide_retention(given: RetentionInput) -> RetentionDecision:
    """Judge every tier. Pure."""
    judged = {
        tier.name: judge_tier(tier, given.canaries[tier.name], given.looks[tier.name], given.now, lead_s=given.lead_s)
        for tier in given.retention.tiers
    }
    states = {name: TierState(each.state, each.message) for name, each in judged.items()}
    verdict = judge_retention(given.source, given.retention, tuple(judged), states)
    writes = tuple(
        (tier, each.write_at) for tier in given.retention.tiers if (each := judged[tier.name]).write_at is not None
    )
    return RetentionDecision(
        condition=Condition(CONDITION, verdict.status, verdict.reason, verdict.message, given.generation),
        status=tuple(_show(tier, judged[tier.name]) for tier in given.retention.tiers),
        gauges={GAUGE: dict.fromkeys(judged, 1.0)} if judged else {},
        plan=CanaryPlan(writes) if writes else None,
    )


async def write_canaries(model: MetricSource, plan: CanaryPlan, ports: Ports) -> Condition | None:
    """Write canaries; return what the first server that refuses makes of the condition."""
    meta = model.metadata
    source = Source(meta.name, meta.generation, model.spec.to_core())
    for tier, at in plan.writes:
        try:
            await ports.canaries.write(source, tier, at)
        except SourceFault as fault:
            message = f"The canary of tier {tier.name} cannot be written: {fault.message}"
            return Condition(CONDITION, "Unknown", "SourceDown", message, meta.generation)
    return None


def recall_canaries(stored: Json, retention: Retention) -> dict[str, Canary]:
    """Return what status says of each tier's canary; nothing of one that was on another server."""
    known = {entry["tier"]: entry for entry in _entries(stored)}
    return {
        tier.name: _recall(TierStatus.model_validate(entry))
        if (entry := known.get(tier.name)) and entry.get("url") == tier.url
        else Canary(tier.url)
        for tier in retention.tiers
    }


def read_states(stored: Json, retention: Retention) -> dict[str, TierState]:
    """Return the state of each tier as a MetricSource's status has it, of those servers that its spec names."""
    return {
        tier.name: TierState(entry["state"], entry.get("message") or "")
        for tier in retention.tiers
        for entry in _entries(stored)
        if (entry["tier"], entry["url"]) == (tier.name, tier.url)
    }


def _entries(stored: Json) -> tuple[Json, ...]:
    return tuple((stored.get("status") or {}).get("retention") or ())


def _recall(entry: TierStatus) -> Canary:
    return Canary(
        entry.url, parse_time(entry.canary_at), bool(entry.canary_seen), parse_time(entry.proven_at), entry.fault or ""
    )


def _show(tier: Tier, judged: Judged) -> Json:
    canary = judged.canary
    shown = {
        "canaryAt": _format(canary.at),
        "canarySeen": canary.seen if canary.at is not None else None,
        "dueAt": _format(find_due(tier, canary)),
        "provenAt": _format(canary.proven_at),
        "fault": canary.failure or None,
        "message": judged.message or None,
    }
    fixed = {
        "tier": tier.name,
        "url": tier.url,
        "state": judged.state,
        "granularitySeconds": tier.granularity_s,
    }
    return {**fixed, **{name: value for name, value in shown.items() if value is not None}}


def _format(epoch: float | None) -> str | None:
    return None if epoch is None else to_time(epoch)


REASONS = (
    Reason(CONDITION, "Proven", "A canary of each tier was gone in time."),
    Reason(CONDITION, "Waiting", "A tier is not proven yet.", "Wait until dueAt of status, or see the message."),
    Reason(CONDITION, "NotEnforced", "Series are kept longer or shorter than their tier.", "See docs/retention.md."),
    Reason(CONDITION, "BackendSingleRetention", "The back end keeps all series equally long.", "Use one with tiers."),
    Reason(CONDITION, "SourceDown", "A tier's server did not answer.", "See the message."),
)
