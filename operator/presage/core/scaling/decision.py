"""The replica decision: need, reactive part, limits, tolerance, stabilization, steps down.

Invariants (property-tested): the answer lies in [min, max]; it never falls when any load given rises; without
permission to shrink it is never below the current number (but for `max`); a fresh memory, as after a restart or a
pause, never lowers before a whole stabilization window was seen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from presage.core.scaling.policy import ScalingPolicy

GAP_PERIODS, GAP_S = 4, 10.0  # decisions further apart than this do not add up to one stabilization window
ROUNDING = 1e-9  # keeps 100.0000000001 / 50 from asking for a third pod

Brake = Literal["", "Data", "Window", "Tolerance", "Later", "Earlier", "Step", "Manual"]
"""What keeps more replicas than the load asks for: data that allows no removal, a stabilization window not seen whole,
the tolerance, the forecast after the lead time, what was wanted within the window, the size of a step, somebody else
who set them; empty: nothing.
"""
_NONE: Brake = ""


@dataclass(frozen=True, slots=True)
class Demand:
    """The loads one decision rests on, in the unit of `per_pod`; None = unknown.

    Attributes:
        observed: Load now.
        soon: Highest forecast load until a replica asked for now would be ready and one slot more.
        later: Highest forecast load over the lead time and the stabilization window.
        may_shrink: Data is fresh, complete and long enough to remove a replica.
        lead_s: Seconds until a replica asked for now would be ready.
        headroom: Share of the observed load that the reactive part adds to it.
        calendar: Fewest replicas by the calendar, one lead time ahead: the user's word, with or without data.
        whole: The window of the observed rate is filled again since data came back; before, a part of the load is seen.
    """

    observed: float | None
    soon: float | None
    later: float | None
    may_shrink: bool
    lead_s: float
    headroom: float
    calendar: int = 0
    whole: bool = True


@dataclass(frozen=True, slots=True)
class ScalingMemory:
    """What a decision must remember of earlier ones; empty after a restart.

    Attributes:
        since: Epoch second from which on decisions followed each other without a gap; None before the first.
        wanted: (epoch s, replicas) wanted, within the stabilization window; never fewer than there were at a moment
            at which none might be removed, since what was seen then may have been a part of the load.
        removed: (epoch s, count) of steps down, within the down period.
        left: Replicas the target was left at; None before the first decision.
    """

    since: float | None = None
    wanted: tuple[tuple[float, int], ...] = ()
    removed: tuple[tuple[float, int], ...] = ()
    left: int | None = None


@dataclass(frozen=True, slots=True)
class ReplicaDecision:
    """The answer and its arithmetic.

    Attributes:
        replicas: What the target should have now.
        wanted: What the load alone asks for, within limits, before tolerance and stabilization.
        need: Replicas for the forecast load; None without a forecast.
        reactive: Replicas for the observed load; None without one.
        observed: Load that the reactive part planned for: the observed one and its margin; None without one.
        binding: Which rule decided: Forecast, Reactive, Calendar, Minimum, Maximum, Hold or Stabilization.
        demand: The loads it rests on.
        brake: What keeps more replicas than are wanted.
        memory: To be given to `remember_outcome`, and from there to the next decision.
    """

    replicas: int
    wanted: int
    need: int | None
    reactive: int | None
    observed: float | None
    binding: str
    demand: Demand
    brake: Brake
    memory: ScalingMemory


def count_pods(load: float | None, per_pod: float) -> int | None:
    """Return how many pods of `per_pod` capacity serve `load`; None for an unknown load or one beyond all numbers."""
    if load is None or not math.isfinite(load / per_pod):
        return None
    return math.ceil(load / per_pod - ROUNDING)


def decide_replicas(
    policy: ScalingPolicy, current: int, demand: Demand, memory: ScalingMemory, now: float
) -> ReplicaDecision:
    """Return how many replicas the target should have now.

    Args:
        policy: The user's limits and speeds.
        current: Replicas asked of the target at present (`spec.replicas`).
        demand: Loads known and forecast.
        memory: From the previous decision; empty after a restart.
        now: Epoch seconds.
    """
    calendar = min(demand.calendar, policy.max_replicas)
    called = policy.min_replicas < calendar
    if called:
        policy = replace(policy, min_replicas=calendar)
    observed = None if demand.observed is None else demand.observed * (1 + demand.headroom)
    need, reactive = count_pods(demand.soon, policy.per_pod), count_pods(observed, policy.per_pod)
    raw = max((n for n in (need, reactive) if n is not None), default=None)
    wanted = _clamp(policy, current if raw is None else raw)
    memory = _remember(policy, memory, now, current, wanted if demand.may_shrink else max(wanted, current))
    load = max((x for x in (demand.soon, observed) if x is not None and math.isfinite(x)), default=None)
    ratio = 1.0 if load is None or current == 0 else load / (policy.per_pod * current)
    replicas, brake = wanted, _NONE
    if wanted < current:
        replicas, brake = _step_down(policy, current, demand, memory, now, ratio)
    binding = _name_binding(policy, wanted, replicas, raw, need, may_shrink=demand.may_shrink)
    if called and replicas == policy.min_replicas and (raw is None or raw < replicas):
        binding = "Calendar"
    kept = brake if replicas > wanted else _NONE
    return ReplicaDecision(replicas, wanted, need, reactive, observed, binding, demand, kept, memory)


def _longest_gap_s(policy: ScalingPolicy) -> float:
    return GAP_PERIODS * policy.decision_period_s + GAP_S


def _clamp(policy: ScalingPolicy, replicas: int) -> int:
    return min(policy.max_replicas, max(policy.min_replicas, replicas))


def remember_outcome(memory: ScalingMemory, current: int, replicas: int, now: float) -> ScalingMemory:
    """Return the memory after the target was set from `current` to `replicas` (equal: it was left alone)."""
    gone = ((now, current - replicas),) if replicas < current else ()
    return replace(memory, removed=(*memory.removed, *gone), left=replicas)


def _remember(policy: ScalingPolicy, memory: ScalingMemory, now: float, current: int, wanted: int) -> ScalingMemory:
    """Add what is wanted now; after a gap, or a raise by another hand, the stabilization window begins anew."""
    last = memory.wanted[-1][0] if memory.wanted else -math.inf
    gap = now - last > _longest_gap_s(policy)
    raised = memory.left is not None and current > memory.left
    since = now if memory.since is None or gap or raised else memory.since
    recent = tuple(x for x in memory.wanted if x[0] > now - policy.stabilization_s)
    removed = tuple(x for x in memory.removed if x[0] > now - policy.down_period_s)
    return replace(memory, since=since, wanted=(*recent, (now, wanted)), removed=removed)


def _step_down(
    policy: ScalingPolicy, current: int, demand: Demand, memory: ScalingMemory, now: float, ratio: float
) -> tuple[int, Brake]:
    """Return the next lower number that all brakes allow, or a higher one up to `current`, and the one that holds."""
    ceiling = min(current, policy.max_replicas)  # the user's maximum holds whatever the data says
    if not (demand.may_shrink and demand.whole):
        return ceiling, "Data"
    if memory.since is None or now - memory.since < policy.stabilization_s:
        return ceiling, "Window"
    if ratio >= 1 - policy.tolerance:
        return ceiling, "Tolerance"
    later = count_pods(demand.later, policy.per_pod) or 0
    earlier = max(wanted for _, wanted in memory.wanted)
    removed = sum(count for _, count in memory.removed)
    lowest, reached = _clamp(policy, max(later, earlier)), current - int(plan_step(policy, current, removed))
    if reached > lowest:
        return min(ceiling, reached), "Step"
    return min(ceiling, lowest), "Later" if later > earlier else "Earlier"


def plan_step(
    policy: ScalingPolicy, current: float | NDArray[np.float64], removed: float | NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how many replicas may go now; numbers or arrays of one shape.

    Args:
        policy: How large a share may go in one period.
        current: Replicas at present.
        removed: How many went within the period so far.
    """
    share = np.floor((np.asarray(current) + removed) * policy.max_down)
    return np.asarray(np.maximum(0, np.maximum(1, share) - removed))


def _name_binding(
    policy: ScalingPolicy, wanted: int, replicas: int, raw: int | None, need: int | None, *, may_shrink: bool
) -> str:
    if raw is None:
        return "Hold"
    if replicas > wanted:
        return "Stabilization" if may_shrink else "Hold"
    if raw > policy.max_replicas:
        return "Maximum"
    if raw < policy.min_replicas:
        return "Minimum"
    return "Forecast" if need == raw else "Reactive"
