"""Apply: write the plan of one MetricProfile decision."""

from __future__ import annotations

from dataclasses import replace

from presage.core.conditions import Condition
from presage.core.faults import WriteRefused
from presage.core.outcome import Ok, Retry
from presage.reconcile.kind import Applied, Note
from presage.reconcile.metricprofile.inputs import ProfilePlan
from presage.reconcile.metricprofile.monitors import apply_monitors
from presage.reconcile.metricprofile.recording.applying import follow_up, store_document
from presage.reconcile.metricprofile.watching import DEPLOYMENTS
from presage.reconcile.ports import Ports
from presage.resources.metricprofile import MetricProfile

CONFLICT_DELAY_S = 1.0
REFUSED_DELAY_S = 5.0
MAX_REFUSED_DELAY_S = 30.0  # the load may need another number, or a right be restored: never wait for long


async def apply(profile: MetricProfile, plan: ProfilePlan, ports: Ports) -> Applied:
    """Store what to record, set the target's replicas, and tell the pods; refusals become conditions.

    Recording goes first, so that pods that are added have it from the start, and holds scaling up for some seconds at
    most: what is refused there is tried again with the next decision.
    """
    if plan.recording is None:
        applied = await _scale(profile, plan, ports)
    else:
        refusal = await store_document(profile, plan.recording, ports)
        scaled = await _scale(profile, plan, ports)
        applied = await follow_up(profile, plan.recording, refusal, scaled, ports)
    if plan.monitors is None:
        return applied
    refused = await apply_monitors(profile, plan.monitors, ports)
    return replace(applied, conditions=(*applied.conditions, *([refused] if refused else [])))


async def _scale(profile: MetricProfile, plan: ProfilePlan, ports: Ports) -> Applied:
    """Set the target's replicas; a refusal becomes the condition `ScalingActive=False`."""
    meta, period_s = profile.metadata, profile.spec.to_core().scaling.decision_period_s
    if plan.replicas == plan.current:
        return Applied(Ok(period_s))
    try:
        await ports.scaler.scale(DEPLOYMENTS, meta.namespace or "", plan.target, plan.current, plan.replicas)
    except WriteRefused as refused:
        if refused.reason == "Conflict":  # somebody wrote a moment ago: decide anew on what they wrote
            return Applied(Retry(refused.reason, refused.message, CONFLICT_DELAY_S, CONFLICT_DELAY_S))
        condition = Condition("ScalingActive", "False", refused.reason, refused.message, meta.generation)
        return Applied(Retry(refused.reason, refused.message, REFUSED_DELAY_S, MAX_REFUSED_DELAY_S), (condition,))
    note = Note("Rescaled", f"Deployment {plan.target}: from {plan.current} to {plan.replicas} replicas ({plan.why}).")
    return Applied(Ok(period_s), notes=(note,))
