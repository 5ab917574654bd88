"""The budget guard: a profile that would cost too much at the predicted load is thinned until it does not.

Two costs, two remedies. Processor time falls with the values recorded, so `everyEvents` of the dearest metric is
raised. Bytes do not: cumulative series are exported whole at every interval, however few values went in, so it is the
export interval of the dearest profile that is lengthened. Both go in steps that people can read (1, 2, 5, 10 …), up to
a cap; a guard that reaches it says that the budget is not kept. `errors` is never thinned: errors are always kept.

What was raised is lowered again only if it would still be enough at a load a quarter higher: else each step of the
forecast would change what functions are told. The guard takes raises from status, so a restart changes nothing.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from presage.core.recording.costs import COSTS, Costs, find_export_bytes, find_gate_share, find_record_share
from presage.core.recording.spec import Budget
from presage.core.recording.types import RecordingProfile

K = TypeVar("K")

MAX_EVERY_EVENTS = 1_000_000
MAX_INTERVAL_S = 300
"""Prometheus takes a series for ended after five minutes without a sample."""

SPARE = 0.8
"""What is raised stays until it is enough at the load divided by this."""

INTERVAL = ""
"""Stands for the export interval where a metric's name would stand."""

NEVER_THINNED = frozenset({"errors"})
_EVERY = (*(factor * 10**power for power in range(6) for factor in (1, 2, 5)), MAX_EVERY_EVENTS)
_ROUNDING = 1e-9
_INTERVALS = (1, 2, 5, 10, 15, 20, 30, 60, 120, MAX_INTERVAL_S)


@dataclass(frozen=True, slots=True)
class Planned:
    """A profile that is to be recorded by.

    Attributes:
        event_type: Of which events.
        profile: As it is defined.
        events_per_second: That these instances are predicted to handle together; 0 where it is not known.
        instances: How many record by it; may be a share of one.
    """

    event_type: str
    profile: RecordingProfile
    events_per_second: float
    instances: float


@dataclass(frozen=True, slots=True)
class Means:
    """What there is to be spent.

    Attributes:
        cores: CPU of all instances together; None = not known: then only bytes are guarded.
        attribute_sets: Most of them that one metric may have.
        data_bytes_per_second: Data volume that the event types are predicted to carry; None = not known.
    """

    cores: float | None
    attribute_sets: int
    data_bytes_per_second: float | None = None


RaiseKey = tuple[str, str, str]
"""Event type, profile, and the metric or `INTERVAL`."""


@dataclass(frozen=True, slots=True)
class Raise:
    """One thing that the guard changed.

    Attributes:
        event_type: Of which events.
        profile: Which profile.
        metric: Whose `everyEvents`; `INTERVAL` for the profile's export interval.
        asked: Events or seconds as the profile says.
        given: Events or seconds in force.
    """

    event_type: str
    profile: str
    metric: str
    asked: int
    given: int

    @property
    def key(self) -> RaiseKey:
        """By what the next guard finds it."""
        return (self.event_type, self.profile, self.metric)


@dataclass(frozen=True, slots=True)
class Guarded:
    """Profiles that keep the budget, or come as near as they may.

    Attributes:
        profiles: In the order given.
        raises: What was changed, in that order.
        cpu_share: Share of the CPU that they take; None = not known.
        bytes_per_second: Bytes that they export.
        missed: Budgets that are not kept with all at its cap.
    """

    profiles: tuple[RecordingProfile, ...]
    raises: tuple[Raise, ...]
    cpu_share: float | None
    bytes_per_second: float
    missed: tuple[Literal["cpu", "bytes"], ...] = ()


def guard(
    planned: Sequence[Planned],
    budget: Budget,
    means: Means,
    before: Mapping[RaiseKey, int],
    costs: Costs = COSTS,
) -> Guarded:
    """Return the profiles as they may be recorded by.

    Args:
        planned: All that is recorded at the same time.
        budget: What it may cost.
        means: What there is.
        before: What was raised until now, and to what; empty before the first.
        costs: Figures to reckon with.
    """
    profiles = [each.profile for each in planned]
    limit = _find_byte_limit(budget, means)
    if means.cores is not None:
        allowed = budget.cpu_share * means.cores
        least, most = (_thin(planned, share * allowed, costs) for share in (1.0, SPARE))
        profiles = [
            _with_every(plan, profile, lower, upper, before)
            for plan, profile, lower, upper in zip(planned, profiles, least, most, strict=True)
        ]
    if limit is not None:
        shortest, longest = (_slow(planned, share * limit, means, costs) for share in (1.0, SPARE))
        profiles = [
            _with_interval(plan, profile, lower, upper, before)
            for plan, profile, lower, upper in zip(planned, profiles, shortest, longest, strict=True)
        ]
    raises = tuple(each for plan, profile in zip(planned, profiles, strict=True) for each in _compare(plan, profile))
    return _weigh(planned, profiles, raises, budget, means, limit, costs)


def measure_cores(planned: Iterable[Planned], costs: Costs = COSTS) -> float:
    """Return the cores that recording keeps busy."""
    return math.fsum(
        find_gate_share(costs, each.profile, each.events_per_second)
        + math.fsum(
            find_record_share(costs, metric, settings, each.events_per_second)
            for metric, settings in each.profile.metrics.items()
        )
        for each in planned
    )


def measure_bytes(planned: Iterable[Planned], attribute_sets: int, costs: Costs = COSTS) -> float:
    """Return the bytes that are exported each second."""
    return math.fsum(
        find_export_bytes(costs, each.profile, attribute_sets, each.instances) / each.profile.export_interval_s
        for each in planned
    )


def _find_byte_limit(budget: Budget, means: Means) -> float | None:
    limits = [] if budget.bytes_per_second is None else [budget.bytes_per_second]
    if budget.bytes_share is not None and means.data_bytes_per_second is not None:
        limits.append(budget.bytes_share * means.data_bytes_per_second)
    return min(limits, default=None)


def _thin(planned: Sequence[Planned], cores: float, costs: Costs) -> list[dict[str, int]]:
    """Return `everyEvents` of each metric of each plan with which all keep within these cores, or are at the cap."""
    every = [{name: each.every_events for name, each in plan.profile.metrics.items()} for plan in planned]
    shares = {
        (index, name): find_record_share(costs, name, settings, plan.events_per_second)
        for index, plan in enumerate(planned)
        for name, settings in plan.profile.metrics.items()
    }
    left = cores - math.fsum(find_gate_share(costs, plan.profile, plan.events_per_second) for plan in planned)
    free = [key for key, share in shares.items() if share > 0 and key[1] not in NEVER_THINNED]

    def raise_one(key: tuple[int, str]) -> float | None:
        index, name = key
        step = _next(_EVERY, every[index][name])
        if step is None:
            return None
        share = shares[key] * every[index][name] / step
        every[index][name] = step
        return share

    _lower(shares, free, left, raise_one)
    return every


def _slow(planned: Sequence[Planned], limit: float, means: Means, costs: Costs) -> list[int]:
    """Return the export interval of each plan with which all keep within the limit, or are at the cap."""
    intervals = [plan.profile.export_interval_s for plan in planned]
    rates = {
        index: find_export_bytes(costs, plan.profile, means.attribute_sets, plan.instances) / intervals[index]
        for index, plan in enumerate(planned)
    }

    def raise_one(index: int) -> float | None:
        step = _next(_INTERVALS, intervals[index])
        if step is None:
            return None
        rate = rates[index] * intervals[index] / step
        intervals[index] = step
        return rate

    _lower(rates, [index for index, rate in rates.items() if rate > 0], limit, raise_one)
    return intervals


def _lower(rates: dict[K, float], free: Iterable[K], limit: float, raise_one: Callable[[K], float | None]) -> None:
    """Raise the dearest again and again, the first of equals, until the sum keeps the limit or nothing is left."""
    keys = list(rates)
    chosen = set(free)
    heap = [(-rates[key], index) for index, key in enumerate(keys) if key in chosen]
    heapq.heapify(heap)
    total = math.fsum(rates.values())
    while heap and total > limit:
        rate, index = heap[0]
        cheaper = raise_one(keys[index])
        if cheaper is None:
            heapq.heappop(heap)
            continue
        rates[keys[index]] = cheaper
        heapq.heapreplace(heap, (-cheaper, index))
        total += cheaper + rate
        if total <= limit:
            total = math.fsum(rates.values())  # what rounding has added up to must not end this too early


def _next(steps: Sequence[int], value: int) -> int | None:
    return next((step for step in steps if step > value), None)


def _hold(key: RaiseKey, lower: int, upper: int, before: Mapping[RaiseKey, int]) -> int:
    """Return what was in force, or the nearest number that is right."""
    return min(upper, max(lower, before.get(key, lower)))


def _with_every(
    plan: Planned,
    profile: RecordingProfile,
    lower: Mapping[str, int],
    upper: Mapping[str, int],
    before: Mapping[RaiseKey, int],
) -> RecordingProfile:
    metrics = {
        name: replace(
            settings,
            every_events=_hold((plan.event_type, profile.name, name), lower[name], upper[name], before),
        )
        for name, settings in profile.metrics.items()
    }
    return replace(profile, metrics=metrics)


def _with_interval(
    plan: Planned, profile: RecordingProfile, lower: int, upper: int, before: Mapping[RaiseKey, int]
) -> RecordingProfile:
    interval = _hold((plan.event_type, profile.name, INTERVAL), lower, upper, before)
    return replace(profile, export_interval_s=interval)


def _compare(plan: Planned, profile: RecordingProfile) -> Iterable[Raise]:
    event, name, asked = plan.event_type, profile.name, plan.profile
    for metric, settings in profile.metrics.items():
        if settings.every_events != asked.metrics[metric].every_events:
            yield Raise(event, name, metric, asked.metrics[metric].every_events, settings.every_events)
    if profile.export_interval_s != asked.export_interval_s:
        yield Raise(event, name, INTERVAL, asked.export_interval_s, profile.export_interval_s)


def _weigh(
    planned: Sequence[Planned],
    profiles: Sequence[RecordingProfile],
    raises: tuple[Raise, ...],
    budget: Budget,
    means: Means,
    limit: float | None,
    costs: Costs,
) -> Guarded:
    final = [replace(plan, profile=profile) for plan, profile in zip(planned, profiles, strict=True)]
    cores, sent = measure_cores(final, costs), measure_bytes(final, means.attribute_sets, costs)
    share = None if not means.cores else cores / means.cores
    missed: list[Literal["cpu", "bytes"]] = []
    if means.cores is not None and cores > budget.cpu_share * means.cores * (1 + _ROUNDING):
        missed.append("cpu")
    if limit is not None and sent > limit * (1 + _ROUNDING):
        missed.append("bytes")
    return Guarded(tuple(profiles), raises, share, sent, tuple(missed))
