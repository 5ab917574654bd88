"""MetricSource: gather → decide. It writes nothing besides its own status, so it has no apply of note."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from presage.core.conditions import Condition, summarize_ready
from presage.core.faults import SourceFault
from presage.core.outcome import Ok
from presage.reconcile.kind import Applied, Decision, KindDefinition, Reason
from presage.reconcile.ports import Ports, Source
from presage.resources.metricsource import MetricSource


@dataclass(frozen=True, slots=True)
class SourceInput:
    """What one look at a source found: its version, or the fault."""

    generation: int
    check_period_s: float
    version: str
    fault: SourceFault | None


async def gather(source: MetricSource, memory: None, ports: Ports) -> SourceInput:
    """Ask the source a trivial query."""
    spec, meta = source.spec.to_core(), source.metadata
    try:
        version = await ports.loads.probe(Source(meta.name, meta.generation, spec))
    except SourceFault as fault:
        return SourceInput(meta.generation, spec.check_period_s, "", fault)
    return SourceInput(meta.generation, spec.check_period_s, version, None)


def decide(given: SourceInput) -> Decision[None, None]:
    """Judge whether the source can be used."""
    fault = given.fault
    reachable = (
        Condition("Reachable", "True", "Answered", "The source answers queries.", given.generation)
        if fault is None
        else Condition("Reachable", "False", fault.reason, fault.message, given.generation)
    )
    return Decision(
        plan=None,
        conditions=(reachable,),
        status={"version": given.version} if given.version else {},
        next_in_s=given.check_period_s,
        memory=None,
    )


async def apply(source: MetricSource, plan: None, ports: Ports) -> Applied:
    """Do nothing: a source is only looked at."""
    return Applied(Ok(source.spec.to_core().check_period_s))


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
)

DEFINITION: KindDefinition[MetricSource, SourceInput, None, None] = KindDefinition(
    model=MetricSource,
    gather=gather,
    decide=decide,
    apply=apply,
    summarize=_summarize,
    reasons=REASONS,
)
