"""What a calendar does at each slot of a history or a forecast.

Where entries overlap: multipliers multiply, the largest minimum wins, `Ignore` goes before all that is about the load,
and of several `LikeDay` the first in the calendar wins, windows before holidays. An entry never meets itself: of its
own occurrences that overlap the strongest counts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from presage.core.calendar.occurrences import Span
from presage.core.calendar.spec import Ignore, LikeDay, Minimum, Multiply

Floats = NDArray[np.float64]
ROUNDING = 1e-9  # keeps a minimum of 3 × one third from asking for a fourth pod


@dataclass(frozen=True, slots=True)
class SlotEffects:
    """What is in force in each of n slots.

    Attributes:
        factor: `(n,)` mean factor of the load in the slot; 1 = as it is.
        weekday: `(n,)` day of the week that the load is like, 0 = Monday; -1 = its own.
        ignored: `(n,)` whether any part of the slot is to be ignored.
    """

    factor: Floats
    weekday: NDArray[np.int8]
    ignored: NDArray[np.bool_]


def effects_of(spans: Sequence[Span], start: float, step_s: float, count: int) -> SlotEffects:
    """Return what spans do in the slots [start + i × step, start + (i + 1) × step).

    Args:
        spans: From `find_spans` over these slots, in the calendar's order.
        start: Epoch second of slot 0.
        step_s: Seconds a slot.
        count: Number of slots.
    """
    factor, weekday, ignored = np.ones(count), np.full(count, -1, np.int8), np.zeros(count, bool)
    middle = start + (np.arange(count) + 0.5) * step_s
    for (_, effect), occurrences in groupby(spans, key=lambda span: (span.name, span.effect)):
        share = np.zeros(count)
        for span in occurrences:
            first, last = _reach(span, start, step_s, count)
            edges: Floats = np.asarray(start + np.arange(first, last + 1) * step_s, np.float64)
            found = np.diff(_area(span, edges)) / step_s
            np.maximum(share[first:last], found, out=share[first:last])
            if isinstance(effect, LikeDay):
                inside = (middle[first:last] >= span.start) & (middle[first:last] < span.end)
                free = inside & (weekday[first:last] < 0)
                weekday[first:last][free] = effect.weekday
        if isinstance(effect, Multiply):
            factor *= 1 + (effect.factor - 1) * np.clip(share, 0, 1)
        elif isinstance(effect, Ignore):
            ignored |= share > 0
    return SlotEffects(factor, weekday, ignored)


def _reach(span: Span, start: float, step_s: float, count: int) -> tuple[int, int]:
    """Return the range of slots that a span meets."""
    first = math.floor((span.begins - start) / step_s)
    last = math.ceil((span.ceases - start) / step_s)
    return min(max(first, 0), count), min(max(last, 0), count)


def _area(span: Span, at: Floats) -> Floats:
    """Return the integral, up to each moment, of the share to which a span is in force (0 to 1)."""
    return _ramp_area(at - span.begins, span.ramp_s) - _ramp_area(at - span.end, span.ramp_s)


def _ramp_area(since: Floats, ramp_s: float) -> Floats:
    """Return the integral of what rises from 0 at 0 to 1 at `ramp_s` and stays there."""
    if ramp_s <= 0:
        return np.maximum(since, 0.0)
    rising = np.clip(since, 0.0, ramp_s)
    return rising * rising / (2 * ramp_s) + np.maximum(since - ramp_s, 0.0)


@dataclass(frozen=True, slots=True)
class Floor:
    """The most replicas that the calendar asks for in some time: how many, and on whose account."""

    replicas: int = 0
    name: str = ""


def floor_between(spans: Sequence[Span], since: float, until: float) -> Floor:
    """Return the largest minimum in force at any moment of [since, until], 0 without one.

    A minimum rises linearly over its ramp and is rounded up to whole replicas.
    """
    highest = Floor()
    for span in spans:
        if isinstance(span.effect, Minimum):
            share = max(_share(span, at) for at in _turns(span, since, until))
            replicas = math.ceil(span.effect.replicas * share - ROUNDING)
            if replicas > highest.replicas:
                highest = Floor(replicas, span.name)
    return highest


def _turns(span: Span, since: float, until: float) -> tuple[float, ...]:
    """Return the moments at which a span's share can be highest: it rises, stays and falls."""
    return since, until, min(max(span.start, since), until)


def _share(span: Span, at: float) -> float:
    if span.start <= at < span.end:
        return 1.0
    away = span.start - at if at < span.start else at - span.end
    return max(0.0, 1 - away / span.ramp_s) if span.ramp_s > 0 else 0.0


def in_force(spans: Sequence[Span], now: float) -> tuple[Span, ...]:
    """Return the spans in force now, ramps included; of one entry's overlapping occurrences the latest."""
    found = {span.name: span for span in spans if span.begins <= now < span.ceases}
    return tuple(found.values())
