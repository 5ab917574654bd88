"""Whether a target may go to 0 replicas, and what wakes it there: the least number for one decision.

A target at 0 serves nothing, so zero is held to more than any other number. It is given only on fresh and complete
data that says 0, with a forecast that stays at 0 until a replica asked for then would be ready, and only where the
load is measured elsewhere than at the target's own pods: those would take the metric with them. And it stays only
while data comes: absence is no zero load, so after a while without data one replica is put up, to serve what nobody
sees. Load that is seen, or foreseen, is answered by the decision itself, which asks for its need at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from presage.core.scaling.decision import Demand
from presage.core.scaling.policy import ScalingPolicy

NEGLIGIBLE = 0.01  # share of one pod's load up to which a forecast counts as 0: quantiles seldom reach it exactly
VANISHED_S = 86_400.0  # how long zero is refused after the load's series went away with the pods


@dataclass(frozen=True, slots=True)
class Stillness:
    """What is known about whether the target is needed at all.

    Attributes:
        current: Replicas asked of the target at present.
        live: Data is fresh and complete.
        observed: Load now; None = unknown.
        upper: Highest load forecast over lead time and stabilization window, whether or not the forecast drives
            scaling; None = there is none.
        own: Some of the load's series come from the target's own pods.
        settled: Pods of the target Ready for so long that their series would be known.
        blind_s: Seconds without fresh and complete data; 0 while there is.
        vanished: The load's series went away when the target was at 0, not long ago.
    """

    current: int
    live: bool
    observed: float | None
    upper: float | None
    own: bool
    settled: int
    blind_s: float
    vanished: bool = False


@dataclass(frozen=True, slots=True)
class Floor:
    """The fewest replicas for one decision, and why they are more than the spec's minimum; empty if they are not."""

    replicas: int
    why: str = ""


def decide_floor(policy: ScalingPolicy, still: Stillness, *, fallback_due: bool) -> Floor:
    """Return the fewest replicas that this decision may give.

    Args:
        policy: The user's limits.
        still: What is known about the load.
        fallback_due: The forecast ran out and data stays away: `policy.fallback_replicas` hold, upwards.
    """
    least = Floor(policy.min_replicas)
    if policy.min_replicas == 0 and (why := _refuse_zero(policy, still)):
        least = Floor(1, why)
    if fallback_due and policy.fallback_replicas is not None and policy.fallback_replicas > least.replicas:
        return Floor(policy.fallback_replicas, "fallback.replicas, since the forecast ran out and no data comes")
    return least


def _refuse_zero(policy: ScalingPolicy, still: Stillness) -> str:
    """Return why the target must keep, or get, one replica; empty if it may be at 0."""
    if still.own:
        return "its own pods measure the load, and at 0 nobody would"
    if still.vanished:
        return "the series of its load went away when it was at 0"
    if still.current == 0:
        if still.blind_s > max(policy.stabilization_s, policy.max_sample_age_s):
            return "it had no data at 0, and absence is no zero load"
        return ""
    if not still.live or still.observed is None:
        return "only fresh and complete data takes it to 0"
    if still.settled == 0:
        return "no pod was Ready for long enough to tell whether its own pods measure the load"
    if still.upper is None:
        return "there is no forecast to tell that its load stays at 0"
    return "" if is_negligible(still.upper, policy) else "load may come before a replica could be ready again"


def is_negligible(load: float, policy: ScalingPolicy) -> bool:
    """Return whether a forecast of `load` counts as one of no load."""
    return load <= NEGLIGIBLE * policy.per_pod


def round_to_zero(policy: ScalingPolicy, floor: Floor, demand: Demand) -> Demand:
    """Return the demand with forecasts of next to nothing as 0, where the target may be at 0.

    They would keep one replica for ever otherwise.
    """
    if floor.replicas > 0:
        return demand
    return replace(demand, soon=_round(demand.soon, policy), later=_round(demand.later, policy))


def _round(load: float | None, policy: ScalingPolicy) -> float | None:
    return 0.0 if load is not None and is_negligible(load, policy) else load


@dataclass(frozen=True, slots=True)
class ZeroMemory:
    """What is remembered about zero; a restart takes the first two from status.

    Attributes:
        meant: presage means the target to be at 0: a 0 found is its own, and it wakes the target.
        blind_since: Epoch second from which on there was no fresh and complete data; None while there is.
        vanished_at: Epoch second at which the load's series were found gone with the pods; None = they were not.
    """

    meant: bool = False
    blind_since: float | None = None
    vanished_at: float | None = None


def remember_data(memory: ZeroMemory, now: float, *, live: bool, gone_at_zero: bool, patience_s: float) -> ZeroMemory:
    """Return the memory after a look at the data.

    Args:
        memory: Before.
        now: Epoch seconds.
        live: Data is fresh and complete.
        gone_at_zero: The target is at 0, and a load has no series at all.
        patience_s: Seconds after which series that are gone are not about to come back.
    """
    since = None if live else now if memory.blind_since is None else memory.blind_since
    vanished = memory.vanished_at
    if gone_at_zero and since is not None and now - since > patience_s:
        vanished = now
    elif vanished is not None and now - vanished > VANISHED_S:
        vanished = None
    return replace(memory, blind_since=since, vanished_at=vanished)
