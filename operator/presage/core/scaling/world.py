"""The closed-loop world of a replay: a load, pods that take their time to start, and a rule that asks for replicas.

Time goes in ticks. At each tick the pods whose start-up time has passed become ready, the rule sees the mean load of
the last minute, as a rate over one minute shows it, and says how many replicas it wants. Pods leave youngest first, so
that those not yet ready go before all others. Load above what the ready pods serve is unmet.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from presage.core.samples import FloatArray

IntArray = NDArray[np.int64]
Decide = Callable[[float, int, int], int]
"""`decide(observed, current, ready) -> wanted`: mean load of the last minute, replicas asked for, pods ready."""

OBSERVED_S = 60  # a rule sees the mean of so many seconds
WARM_START = 1.43  # the first pods are those of a rule that aims at 70 % of their capacity


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a rule on a load of n ticks.

    Attributes:
        unmet_share: Load above the capacity of ready pods, over all load; 0 without any load.
        under_ticks: Ticks with such load.
        under_minutes: The same in minutes.
        replica_hours: Replicas asked for, ready or not, summed over time.
        changes: Ticks at which the number of replicas changed.
        replicas: (n,) replicas asked for, after each tick's decision.
        ready: (n,) pods that serve during each tick.
        unmet: (n,) load not served in each tick, in the unit of the load; 0 where the load is not known.
    """

    unmet_share: float
    under_ticks: int
    under_minutes: float
    replica_hours: float
    changes: int
    replicas: IntArray
    ready: IntArray
    unmet: FloatArray


def play(
    load: ArrayLike,
    capacity: float,
    tick_s: float,
    startup_s: float,
    decide: Decide,
    *,
    min_replicas: int = 1,
    max_replicas: int = 200,
    initial: int | None = None,
    before: float | None = None,
) -> Outcome:
    """Let a rule decide at every tick of a load; return what came of it.

    Args:
        load: (n,) mean load of each tick; NaN = not known: the last one known is seen, and nothing is unmet.
        capacity: Load that one ready pod serves.
        tick_s: Seconds a tick.
        startup_s: Seconds from asking for a pod until it serves; counted in whole ticks, rounded up.
        decide: The rule, called once a tick, in order; its answer is cut to the limits.
        min_replicas: Never fewer.
        max_replicas: Never more.
        initial: Replicas asked for and ready at the start; None: enough for the first start-up time.
        before: Load seen at the first tick; None: that of the tick itself.

    Raises:
        ValueError: If `capacity` or `tick_s` is not above 0.
    """
    series = np.asarray(load, np.float64)
    _check(capacity, tick_s)
    seen = observe(series, tick_s, before)
    delay = count_ticks(startup_s, tick_s)
    first = min(max_replicas, max(min_replicas, warm_start(series, capacity, delay))) if initial is None else initial
    current = ready = first
    starting: deque[list[int]] = deque()  # [tick at which they are ready, pods], oldest first
    replicas = np.empty(len(series), np.int64)
    for tick, observed in enumerate(seen.tolist()):
        while starting and starting[0][0] <= tick:
            ready += starting.popleft()[1]
        wanted = min(max_replicas, max(min_replicas, int(decide(observed, current, ready))))
        if wanted > current:
            starting.append([tick + delay, wanted - current])
        elif wanted < current:
            ready -= _remove_youngest(starting, current - wanted)
        current = wanted
        replicas[tick] = wanted
    return account(series, replicas, capacity, tick_s, startup_s, initial=first)


def _check(capacity: float, tick_s: float) -> None:
    if not (capacity > 0 and tick_s > 0):
        raise ValueError(f"capacity and tick must be above 0, got {capacity!r} and {tick_s!r}")


def _remove_youngest(starting: deque[list[int]], count: int) -> int:
    """Take pods that are not ready yet, the youngest first; return how many ready ones must go besides."""
    while count and starting:
        taken = min(count, starting[-1][1])
        starting[-1][1] -= taken
        count -= taken
        if not starting[-1][1]:
            starting.pop()
    return count


def account(
    load: ArrayLike, replicas: ArrayLike, capacity: float, tick_s: float, startup_s: float, *, initial: int
) -> Outcome:
    """Return what comes of a given course of replicas, all ticks at once.

    Args:
        load: (n,) mean load of each tick, NaN = not known.
        replicas: (n,) replicas asked for at each tick.
        capacity: Load that one ready pod serves.
        tick_s: Seconds a tick.
        startup_s: Seconds from asking for a pod until it serves; counted in whole ticks, rounded up.
        initial: Replicas asked for and ready before the first tick.

    Raises:
        ValueError: If `capacity` or `tick_s` is not above 0.
    """
    _check(capacity, tick_s)
    series, asked = np.asarray(load, np.float64), np.asarray(replicas, np.int64)
    delay = count_ticks(startup_s, tick_s)
    # The youngest go first, so the pods that are old enough are as many as there were at the lowest moment since.
    course = np.concatenate([np.full(delay, initial, np.int64), asked])
    ready = sliding_window_view(course, delay + 1).min(axis=1) if len(asked) else asked
    known = np.nan_to_num(series)
    unmet = np.maximum(known - capacity * ready, 0.0)
    total, missed = float(known.sum()), float(unmet.cumsum()[-1]) if len(unmet) else 0.0
    under = int((unmet > 0).sum())
    return Outcome(
        unmet_share=missed / total if total > 0 else 0.0,
        under_ticks=under,
        under_minutes=under * tick_s / 60,
        replica_hours=float(asked.sum()) * tick_s / 3600,
        changes=int((np.diff(asked, prepend=initial) != 0).sum()),
        replicas=asked,
        ready=ready,
        unmet=unmet,
    )


def count_ticks(seconds: float, tick_s: float) -> int:
    """Return how many whole ticks cover a time."""
    return max(0, math.ceil(seconds / tick_s - 1e-9))


def observe(load: FloatArray, tick_s: float, before: float | None = None) -> FloatArray:
    """Return (n,) the load that a rule sees at each tick: the mean of those that ended within the last minute.

    Args:
        load: (n,) mean load of each tick; where it is not known (NaN), the last one known stands for it.
        tick_s: Seconds a tick.
        before: Load seen at the first tick; None: that of the tick itself.
    """
    held = hold(load)
    window = max(1, round(OBSERVED_S / tick_s))
    sums = np.concatenate([[0.0], np.cumsum(held)])
    ends = np.arange(len(held))
    starts = np.maximum(0, ends - window)
    seen = (sums[ends] - sums[starts]) / np.maximum(1, ends - starts)
    seen[:1] = held[:1] if before is None else before
    return np.asarray(seen, np.float64)


def hold(load: FloatArray) -> FloatArray:
    """Return the load with the last known value where none is known, the first known one at the start, else 0."""
    known = np.isfinite(load)
    if known.all():
        return load
    if not known.any():
        return np.zeros(len(load))
    last = np.maximum.accumulate(np.where(known, np.arange(len(load)), int(np.argmax(known))))
    return np.asarray(load[last], np.float64)


def warm_start(load: FloatArray, capacity: float, delay: int) -> int:
    """Return how many replicas, before any limits, serve the first `delay` ticks, which no decision can change."""
    ahead = np.nan_to_num(load[: delay + 1])
    return math.ceil(float(ahead.max()) / capacity * WARM_START) if len(ahead) else 0
