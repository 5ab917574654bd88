"""What else could scale a target: the rules that presage is compared with, each as good as it is usually set up.

`hpa` is what Kubernetes brings; `cron` is the schedule that a person would write after a look at the past weeks;
`yesterday` is the HPA over a floor of yesterday's need; `clairvoyant` knows the load and bounds what any rule can do.
Those without feedback give a whole course of replicas at once.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from presage.core.samples import FloatArray
from presage.core.scaling.world import OBSERVED_S, Decide, IntArray, Outcome, account, count_ticks

SYNC_S = 15.0  # the HPA's, and how often each rule here is asked
HOURS, DAY_S = 24, 86_400.0
_TOLERANCE = 0.1
_STABILIZATION_S = 300.0
_LEAST_RISE = 4  # pods that may be added in one period; or as many again as there are, if that is more
_ROUNDING = 1e-9
_HALVINGS = 30


@dataclass(frozen=True, slots=True)
class Target:
    """What is scaled.

    Attributes:
        capacity: Load that one ready pod serves.
        startup_s: Seconds from asking for a pod until it serves.
        min_replicas: Never fewer, at least 1.
        max_replicas: Never more.
    """

    capacity: float
    startup_s: float
    min_replicas: int
    max_replicas: int

    def clamp(self, replicas: IntArray) -> IntArray:
        """Return replicas within the limits."""
        return np.clip(replicas, self.min_replicas, self.max_replicas)


def hpa_rule(target: Target, utilization: float, floor: Sequence[int] | None = None) -> Decide:
    """Return the rule of a HorizontalPodAutoscaler on an external metric; to be asked every `SYNC_S`.

    `averageValue` is a share of a pod's capacity; tolerance 0.1, 300 s of stabilization down and none up, up by the
    larger of 100 % and 4 pods in 15 s, down without limit.

    Args:
        target: What is scaled.
        utilization: Share of a pod's capacity aimed at.
        floor: (n,) `minReplicas` at each tick; None: that of the target throughout.

    Source: Kubernetes, "Horizontal Pod Autoscaling", algorithm details; defaults of autoscaling/v2 `behavior`.
    """
    aim = target.capacity * utilization
    recent: deque[int] = deque(maxlen=round(_STABILIZATION_S / SYNC_S))
    floors = iter(floor) if floor is not None else None

    def decide(observed: float, current: int, ready: int) -> int:
        lowest = target.min_replicas if floors is None else max(target.min_replicas, next(floors))
        near = current > 0 and abs(observed / (aim * current) - 1) <= _TOLERANCE
        wanted = current if near else math.ceil(observed / aim - _ROUNDING)
        wanted = min(target.max_replicas, max(lowest, wanted))
        recent.append(wanted)
        if wanted < current:
            return min(current, max(recent))
        return min(wanted, max(2 * current, current + _LEAST_RISE))

    return decide


def yesterday_floor(seen: FloatArray, start: int, target: Target, utilization: float) -> IntArray:
    """Return what the HPA asked for one day before the moments until pods asked for at the next look are ready.

    The HPA itself is late by the mean of a minute besides; that is made up for too.

    Args:
        seen: (n,) load as a rule sees it, in ticks of `SYNC_S`, from before the window on; NaN = not known.
        start: Tick at which the window starts.
        target: What is scaled.
        utilization: Share of a pod's capacity aimed at.

    Returns:
        (n - start,) replicas; the target's least where yesterday is not known.
    """
    ahead = count_ticks(target.startup_s + SYNC_S + OBSERVED_S, SYNC_S)
    at = np.arange(start, len(seen)) - round(DAY_S / SYNC_S)
    window = sliding_window_view(np.append(seen, np.full(ahead, np.nan)), ahead + 1)
    highest = np.where(np.isfinite(window), window, -np.inf).max(axis=1)
    known = np.where(at >= 0, highest[np.maximum(at, 0)], -np.inf)
    load = np.where(np.isfinite(known), known, 0.0)
    return target.clamp(np.ceil(load / (target.capacity * utilization) - _ROUNDING).astype(np.int64))


def cron_plan(seen: FloatArray, hours: IntArray, start: int, target: Target) -> IntArray | None:
    """Return the replicas of a schedule that was written after a look at the history and is kept from then on.

    For each hour of a working day and of a day at the weekend it has as many as the highest load of that hour in the
    history needs, and asks for them one start-up time before the hour begins. An hour that the history knows on no
    such day has those of the other kind of day.

    Args:
        seen: (n,) load as a rule sees it, in ticks of `SYNC_S`; NaN = not known.
        hours: (n + d,) hour of each tick on the wall, 0 to 23, and 24 more at the weekend; d ticks reach the start-up
            time beyond the load.
        start: Tick at which the window starts; what lies before is history.
        target: What is scaled.

    Returns:
        (n - start,) replicas; None if some hour of the day is in no way known from the history.
    """
    highest = np.full(2 * HOURS, -np.inf)
    known = np.isfinite(seen[:start])
    np.maximum.at(highest, hours[:start][known], seen[:start][known])
    days = highest.reshape(2, HOURS)
    either = np.where(np.isfinite(days), days, days[::-1])
    if not np.isfinite(either).all():
        return None
    need = np.ceil(either.ravel() / target.capacity - _ROUNDING).astype(np.int64)
    delay = count_ticks(target.startup_s, SYNC_S)
    now, soon = need[hours[start : len(seen)]], need[hours[start + delay : len(seen) + delay]]
    return target.clamp(np.maximum(now, soon))


def clairvoyant(load: FloatArray, target: Target, objective: float, initial: int) -> Outcome:
    """Return what comes of knowing the load: as few replicas as keep the unmet share within the objective.

    Each pod is asked for one start-up time before it is needed and kept over lulls that are shorter, so that nothing
    is unmet at the least cost; then all loads are taken for smaller by one factor, as far as the objective allows.

    Args:
        load: (n,) mean load of each tick of `SYNC_S`; NaN = not known, nothing is needed for it.
        target: What is scaled.
        objective: Share of the load that may be left unmet.
        initial: Replicas ready at the start.
    """
    delay = count_ticks(target.startup_s, SYNC_S)
    ahead = np.append(np.nan_to_num(load), np.zeros(delay))
    highest = sliding_window_view(ahead, delay + 1).max(axis=1)

    def try_factor(factor: float) -> Outcome:
        need = target.clamp(np.ceil(highest * factor / target.capacity - _ROUNDING).astype(np.int64))
        return account(load, need, target.capacity, SYNC_S, target.startup_s, initial=initial)

    low, high, best = 0.0, 1.0, try_factor(1.0)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        tried = try_factor(middle)
        if tried.unmet_share <= objective:
            high, best = middle, tried
        else:
            low = middle
    return best
