"""MetricSource: gather → decide → apply. What it writes besides its own status are canaries of its retention tiers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from presage.core.conditions import Condition, summarize_ready
from presage.core.faults import SourceFault
from presage.core.outcome import Ok
from presage.core.recording.marks import RETENTION_ATTRIBUTE
from presage.reconcile.kind import Applied, Decision, KindDefinition, Reason
from presage.reconcile.ports import Ports, Source
from presage.reconcile.source_retention import (
    GAUGE,
    CanaryPlan,
    RetentionInput,
    decide_retention,
    gather_retention,
    write_canaries,
)
from presage.reconcile.source_retention import REASONS as RETENTION_REASONS
from presage.resources.metricsource import MetricSource


@dataclass(frozen=True, slots=True)
class SourceInput:
    """What one look at a source found: its version, or the fault; and its tiers, if it has any."""

    generation: int
    check_period_s: float
    version: str
    fault: SourceFault | None
    retention: RetentionInput | None = None


async def gather(source: MetricSource, memory: None, ports: Ports) -> SourceInput:
    """Ask the source a trivial query, and its tiers' servers for their canaries."""
    meta = source.metadata
    asked = Source(meta.name, meta.generation, source.spec.to_core())
    version, found = "", None
    try:
        version = await ports.loads.probe(asked)
    except SourceFault as fault:
        found = fault
    retention = await gather_retention(asked, ports)
    return SourceInput(meta.generation, asked.spec.check_period_s, version, found, retention)


def decide(given: SourceInput) -> Decision[CanaryPlan, None]:
    """Judge whether the source can be used."""
    fault = given.fault
    reachable = (
        Condition("Reachable", "True", "Answered", "The source answers queries.", given.generation)
        if fault is None
        else Condition("Reachable", "False", fault.reason, fault.message, given.generation)
    )
    version = {"version": given.version} if given.version else {}
    if given.retention is None:
        return Decision(None, (reachable,), version, given.check_period_s, None)
    retention = decide_retention(given.retention)
    return Decision(
        plan=retention.plan,
        conditions=(reachable, retention.condition),
        status={**version, "retention": list(retention.status)},
        next_in_s=given.check_period_s,
        memory=None,
        gauges=retention.gauges,
    )


async def apply(source: MetricSource, plan: CanaryPlan, ports: Ports) -> Applied:
    """Write the canaries that are due."""
    refused = await write_canaries(source, plan, ports)
    return Applied(Ok(source.spec.to_core().check_period_s), (refused,) if refused else ())


def _summarize(conditions: Iterable[Condition], generation: int) -> Condition:
    return summarize_ready(conditions, ("Reachable",), frozenset(), generation)


REASONS = (
    Reason("Ready", "AsSpecified", "The source can be used."),
    Reason("Ready", "InvalidSpec", "The spec breaks a rule.", "Correct the field that the message names."),
    Reason("Reachable", "Answered", "The source answers queries."),
    Reason("Reachable", "Unreachable", "No connection, or no answer in time.", "Check url, Service and network rules."),
    Reason("Reachable", "AddressForbidden", "The url leads to a loopback or link-local address.", "Use another."),
    Reason("Reachable", "CertificateRefused", "TLS verification failed.", "Give spec.tls.caSecretRef, or mend it."),
    Reason("Reachable", "Unauthorized", "The source refuses the credentials.", "Correct the Secret of spec.auth."),
    Reason("Reachable", "SecretMissing", "A Secret or key is not there.", "Create it in presage's own namespace."),
    Reason("Reachable", "Redirected", "The source answers with a redirect, which is not followed.", "Correct url."),
    Reason("Reachable", "BadAnswer", "The answer is no Prometheus API answer.", "Check that url is its base address."),
    Reason("Reachable", "QueryFailed", "The source answers with an error.", "See the message and the source's log."),
    Reason("Reachable", "TooLarge", "The answer is over a limit.", "Narrow the matchers or raise spec.limits."),
    *RETENTION_REASONS,
)

DEFINITION: KindDefinition[MetricSource, SourceInput, CanaryPlan, None] = KindDefinition(
    model=MetricSource,
    gather=gather,
    decide=decide,
    apply=apply,
    summarize=_summarize,
    reasons=REASONS,
    gauges={GAUGE: "1 for each retention tier of a MetricSource; how long its samples are kept proves the tier."},
    gauge_labels={GAUGE: RETENTION_ATTRIBUTE},
)
