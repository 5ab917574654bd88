"""From the rule in force to the loads a decision rests on."""

from __future__ import annotations

from presage.core.scaling.decision import Demand
from presage.core.scaling.outlook import Outlook, Peak, find_peak
from presage.core.scaling.policy import ScalingPolicy
from presage.core.scaling.trust import MAY_SHRINK, Trust


def build_demand(
    policy: ScalingPolicy,
    trust: Trust,
    outlook: Outlook | None,
    observed: float | None,
    *,
    now: float,
    lead_s: float,
    step_s: float,
    live: bool,
) -> tuple[Demand, Peak | None]:
    """Return what is to be served, and the peak that the forecast need is made for.

    Args:
        policy: Limits and speeds.
        trust: The rule in force.
        outlook: What is known of the load ahead.
        observed: Load now; None = unknown.
        now: Epoch seconds.
        lead_s: Seconds until a replica asked for now would be ready.
        step_s: Seconds of a slot.
        live: Whether the observed load is fresh and complete.
    """
    curve = trust.rule.curve
    soon = find_peak(outlook, curve, now, now + lead_s + step_s)
    later = find_peak(outlook, curve, now, now + lead_s + policy.stabilization_s)
    seen = curve.source == "Observed" or soon is not None
    may_shrink = live and seen and (trust.trusted or trust.reason in MAY_SHRINK)
    demand = Demand(
        observed=observed,
        soon=soon.load if soon else None,
        later=later.load if later else None,
        may_shrink=may_shrink,
        lead_s=lead_s,
        headroom=trust.rule.headroom,
    )
    return demand, soon
