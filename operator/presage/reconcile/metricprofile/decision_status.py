"""`status.scaling.decision`: the arithmetic of one decision, with digits enough that it adds up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from presage.core.profile import EventType
from presage.core.scaling.decision import ReplicaDecision, count_pods, plan_step
from presage.core.scaling.ladder import Reading
from presage.core.scaling.lead_time import LeadTime
from presage.core.scaling.outlook import Peak
from presage.core.scaling.policy import ScalingPolicy
from presage.core.units import to_time

_MOST_NOTED = 300
_DIGITS = 10  # so that a load over perPod, rounded up, gives the same again


@dataclass(frozen=True, slots=True)
class MetricFacts:
    """One metric and what was decided on it.

    Attributes:
        name: Which one.
        event_types: What it is measured by.
        per_pod: How much of it one pod serves.
        curve: Course of it that replicas are made for.
        reading: What the source said; None where it was not asked.
        decision: What the target should have for this metric alone.
        peak: The highest forecast load within the lead time and one slot; None without a forecast in force.
    """

    name: str
    event_types: tuple[EventType, ...]
    per_pod: float
    curve: str
    reading: Reading | None
    decision: ReplicaDecision
    peak: Peak | None


@dataclass(frozen=True, slots=True)
class Moment:
    """What all metrics have in common.

    Attributes:
        now: Epoch seconds.
        current: Replicas that the target asks for.
        lead: Lead time.
        step_s: Seconds a slot of the forecast.
        policy: The user's limits and speeds.
    """

    now: float
    current: int
    lead: LeadTime
    step_s: float
    policy: ScalingPolicy


def build_decision(moment: Moment, metrics: Sequence[MetricFacts], held_by: str = "") -> dict[str, object]:
    """Return `status.scaling.decision`.

    Args:
        moment: What all metrics have in common.
        metrics: The decision for each.
        held_by: What else than load and limits held the number, as the end of a sentence.
    """
    return _known(
        {
            "time": to_time(moment.now),
            "currentReplicas": moment.current,
            "note": held_by.lstrip("; ")[:_MOST_NOTED] or None,
            "metrics": [_build_metric(moment, each) for each in metrics],
        }
    )


def _build_metric(moment: Moment, facts: MetricFacts) -> dict[str, object]:
    decision = facts.decision
    built: dict[str, object | None] = {
        "name": facts.name,
        "perPod": _exact(facts.per_pod),
        "curve": facts.curve,
        "events": _build_events(facts),
        "forecast": _build_peak(moment, facts),
        "reactive": _build_reactive(moment.policy, decision),
        "wanted": decision.wanted,
        "brake": _build_brake(moment, facts) if decision.brake else None,
        "replicas": decision.replicas,
        "bindingReason": decision.binding,
    }
    return _known(built)


def _build_events(facts: MetricFacts) -> list[dict[str, object]]:
    samples = facts.reading.samples if facts.reading else ()
    return [
        _known(
            {
                "eventType": event.name,
                "load": None if sample.load is None else _exact(sample.load),
                "weight": _exact(event.weight),
                "newestSampleTime": None if sample.newest_at is None else to_time(sample.newest_at),
                "targets": len(sample.targets),
                "flaw": sample.flaw or None,
            }
        )
        for event, sample in zip(facts.event_types, samples, strict=False)
    ]


def _build_peak(moment: Moment, facts: MetricFacts) -> dict[str, object] | None:
    if facts.peak is None or not math.isfinite(facts.peak.load):
        return None
    until = moment.now + moment.lead.value_s + moment.step_s
    built = {"load": _exact(facts.peak.load), "at": to_time(facts.peak.at), "until": to_time(until)}
    return _known({**built, "replicas": facts.decision.need})


def _build_reactive(policy: ScalingPolicy, decision: ReplicaDecision) -> dict[str, object] | None:
    seen, planned = decision.demand.observed, decision.observed
    if seen is None or planned is None or not math.isfinite(planned):
        return None
    source = "Chosen" if policy.headroom is None else "Given"
    headroom = decision.demand.headroom
    margin = {"load": _exact(headroom * seen), "percent": round(100 * headroom, 2), "source": source}
    built = {"load": _exact(seen), "margin": margin, "planned": _exact(planned)}
    return _known({**built, "replicas": decision.reactive})


def _build_brake(moment: Moment, facts: MetricFacts) -> dict[str, object]:
    policy, memory = replace(moment.policy, per_pod=facts.per_pod), facts.decision.memory
    removed = sum(count for _, count in memory.removed)
    return _known(
        {
            "heldBy": facts.decision.brake,
            "since": None if memory.since is None else to_time(memory.since),
            "earlier": max((wanted for _, wanted in memory.wanted), default=0),
            "later": _build_later(moment, facts),
            "removed": removed,
            "step": int(plan_step(policy, moment.current, removed)),
        }
    )


def _build_later(moment: Moment, facts: MetricFacts) -> dict[str, object] | None:
    later = facts.decision.demand.later
    if later is None or not math.isfinite(later):
        return None
    until = moment.now + moment.lead.value_s + moment.policy.stabilization_s
    built = {"load": _exact(later), "until": to_time(until)}
    return _known({**built, "replicas": count_pods(later, facts.per_pod)})


def _exact(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def _known(fields: dict[str, object | None]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}
