"""What a scaler achieved on a played day: load not served, time short, replica-hours, who was first (pure).

One formula for every scaler, so that figures can be compared: in each second the load above capacity x ready pods is
unmet. A pod counts as ready from the moment it is until it is told to go. Times are Unix seconds.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

HOURS_OF_A_DAY = 24
RISE_SMOOTHING_SECONDS = 5
RISE_QUIET_SECONDS = 15
LEAD_LIMIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class PodLife:
    """When one pod was ready; ``gone_at`` is infinite while it still is."""

    ready_at: float
    gone_at: float = float("inf")


@dataclass(frozen=True, slots=True)
class Fleet:
    """Replicas asked for as (time, count) steps in order of time, and the lives of the pods that came of it."""

    replicas: tuple[tuple[float, int], ...]
    lives: tuple[PodLife, ...]

    def replicas_at(self, when: float) -> int:
        """Return the replicas asked for at a time; before the first step, those of the first."""
        index = bisect_right(self.replicas, (when, float("inf"))) - 1
        return self.replicas[max(index, 0)][1]


@dataclass(frozen=True, slots=True)
class Rises:
    """How capacity met the load's rises: ``lead_seconds`` > 0 where pods were ready before the load needed them.

    ``count`` rises in all, ``ahead_share`` of them met in time; ``lead_seconds`` is the median over rises, each cut
    at one minute.
    """

    count: int
    ahead_share: float
    lead_seconds: float

    def describe(self) -> str:
        """Return the lead in words, such as ``4 s before``."""
        seconds = abs(self.lead_seconds)
        more = " or more" if seconds >= LEAD_LIMIT_SECONDS else ""
        return f"{seconds:.0f} s{more} {'before' if self.lead_seconds >= 0 else 'after'}"


@dataclass(frozen=True, slots=True)
class Account:
    """Figures of one scaler over one played day.

    ``unmet_share``: load above ready capacity over all load. ``short_share``: share of seconds with such load.
    ``replica_hours``: replicas asked for, over the 24 hours that the day stands for. ``changes``: times the number
    of replicas changed.
    """

    unmet_share: float
    short_share: float
    replica_hours: float
    changes: int
    rises: Rises


def ready_per_second(lives: Sequence[PodLife], start: float, seconds: int) -> FloatArray:
    """Return the mean number of ready pods in each second from ``start``, (seconds,)."""
    edges = start + np.arange(seconds + 1)
    covered = np.zeros(seconds + 1)
    for life in lives:
        covered += np.clip(edges, life.ready_at, max(life.ready_at, life.gone_at)) - life.ready_at
    return np.diff(covered)


def replicas_per_second(fleet: Fleet, start: float, seconds: int) -> FloatArray:
    """Return the mean number of replicas asked for in each second from ``start``, (seconds,)."""
    edges = start + np.arange(seconds + 1)
    times = np.array([time for time, _ in fleet.replicas])
    counts = np.array([float(count) for _, count in fleet.replicas])
    total = np.full(seconds + 1, counts[0]) * (edges - start)
    for time, step in zip(times[1:], np.diff(counts), strict=True):
        total += step * (np.maximum(edges, time) - max(start, time))
    return np.diff(total)


def unmet_per_second(load: FloatArray, ready: FloatArray, capacity: float) -> FloatArray:
    """Return the load above capacity x ready pods in each second, in requests, (seconds,)."""
    return np.asarray(np.maximum(load - capacity * ready, 0.0))


def account(load: FloatArray, start: float, fleet: Fleet, capacity: float) -> Account:
    """Return the figures of a scaler over a played day.

    Args:
        load: requests sent in each second of the day, (n,), n seconds standing for 24 hours.
        start: Unix seconds at which the day begins.
        fleet: what the scaler asked for and the pods it got.
        capacity: requests a second that one pod serves.
    """
    seconds = len(load)
    ready = ready_per_second(fleet.lives, start, seconds)
    unmet = unmet_per_second(load, ready, capacity)
    replicas = replicas_per_second(fleet, start, seconds)
    inside = [count for time, count in fleet.replicas if start < time < start + seconds]
    counts = [fleet.replicas_at(start), *inside]
    return Account(
        unmet_share=float(unmet.sum() / max(load.sum(), 1e-12)),
        short_share=float((unmet > 0).mean()),
        replica_hours=float(replicas.mean() * HOURS_OF_A_DAY),
        changes=sum(a != b for a, b in itertools.pairwise(counts)),
        rises=measure_rises(load, ready, capacity),
    )


def measure_rises(load: FloatArray, ready: FloatArray, capacity: float) -> Rises:
    """Return how early or late capacity came for each rise of the load.

    A rise is a second in which the load, smoothed over 5 s, needs more pods than in any of the 15 s before. The
    lead is how long that many pods had been ready by then; negative where they came after.
    """
    return measure_leads(np.ceil(smooth(load) / capacity - 1e-9), ready)


def smooth(load: FloatArray) -> FloatArray:
    """Return the load as a mean over 5 s, by which rises are found."""
    kernel = np.ones(RISE_SMOOTHING_SECONDS) / RISE_SMOOTHING_SECONDS
    return np.convolve(np.pad(load, RISE_SMOOTHING_SECONDS // 2, mode="edge"), kernel, mode="valid")


def measure_leads(need: FloatArray, have: FloatArray) -> Rises:
    """Return how early or late what there was met each rise of what was needed, both whole numbers by the second.

    A rise is a second in which more is needed than in any of the 15 s before. The lead is how long there had been as
    much by then; negative where that came after.
    """
    leads = []
    for second in range(RISE_QUIET_SECONDS, len(need)):
        if need[second] > need[second - RISE_QUIET_SECONDS : second].max():
            leads.append(_lead(have >= need[second] - 1e-6, second))
    if not leads:
        return Rises(0, 1.0, 0.0)
    ahead = float(np.mean([lead >= 0 for lead in leads]))
    return Rises(len(leads), ahead, float(np.median(leads)))


def _lead(enough: NDArray[np.bool_], second: int) -> float:
    """Return how long ``enough`` has held at ``second``, or minus how long until it does."""
    if enough[second]:
        before = np.flatnonzero(~enough[:second])
        since = int(before[-1]) + 1 if len(before) else 0
        return min(float(second - since), LEAD_LIMIT_SECONDS)
    after = np.flatnonzero(enough[second:])
    return -min(float(after[0]) if len(after) else LEAD_LIMIT_SECONDS, LEAD_LIMIT_SECONDS)
