"""Capacity per pod: when it is learned anew, from which history, and when a person is told of it.

It is proposed in status and used by no decision. All of it comes from the source's own history, so a restart of presage
learns the same again; only when an event last told of it is kept in status.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from presage.core.faults import SourceFault
from presage.core.query import CounterLoad, Load, Matcher, Selection
from presage.core.scaling.capacity import (
    Capacity,
    Finding,
    FloatArray,
    divide_among_pods,
    format_load,
    learn_from_cpu,
    learn_from_latency,
)
from presage.core.scaling.foresight import is_due
from presage.core.scaling.learning import CpuLearning, LatencyLearning, Learning
from presage.core.source_reading import History, TickSample
from presage.core.units import parse_time, to_time
from presage.reconcile.kind import Note
from presage.reconcile.metricprofile.forecasting import add_histories
from presage.reconcile.metricprofile.inputs import Basis, CapacityMemory, TargetState
from presage.reconcile.ports import Loads

PERIOD_S, PERIOD_SLOTS = 600, 60  # learned anew so often, or as often as so many slots pass
HISTORY_SLOTS = 2016  # a week of five minutes; a pod of a month ago was another one
LEAST_REQUESTS = 30  # in a slot: the mean latency of fewer says little
LEAST_MATCHED = 0.8  # of the target's pods must be among the instances
WRONG_COUNT = 2.0  # a count this many times off the ready pods, and one more, is of something else
DIFFERS_SHARE = 0.25  # from the load per pod given
DIFFERS_PERIODS = 6  # for so many periods, before a person is told
QUIET_S = 86_400.0  # one event for each object in this time


@dataclass(frozen=True, slots=True)
class Lesson:
    """Whatever an answer depends on: if it changed, an earlier answer is worth nothing.

    Attributes:
        basis: What the load is measured by.
        tenant: Matcher forced on every query.
        learning: What is learned from.
        per_pod: The load per pod given.
        cores: CPU of one pod; None = not known, or not needed.
    """

    basis: Basis
    tenant: Matcher | None
    learning: Learning
    per_pod: float
    cores: float | None


def find_cores(learning: Learning, containers: Mapping[str, float | None]) -> float | None:
    """Return the CPU of one pod, None if some container of it asks for none.

    Args:
        learning: Names the one container that is measured, or gives the CPU itself.
        containers: Name → cores that it requests or is limited to; None = neither.
    """
    if not isinstance(learning.by, CpuLearning):
        return None
    if learning.by.cores is not None:
        return learning.by.cores
    name = learning.by.container
    chosen = [containers.get(name)] if name is not None else list(containers.values())
    known = [cores for cores in chosen if cores]
    return math.fsum(known) if known and len(known) == len(chosen) else None


def recall_announcement(stored: Mapping[str, Any]) -> float:
    """Return when an event last told of a capacity, so that a restart does not tell it again."""
    place: Any = stored
    for name in ("status", "scaling", "perPod", "proposed"):
        place = place.get(name) if isinstance(place, Mapping) else None
    at = parse_time(place.get("announcedTime")) if isinstance(place, Mapping) else None
    return -math.inf if at is None else at


async def update_capacity(
    lesson: Lesson, target: TargetState, max_age_s: float, memory: CapacityMemory, uid: str, now: float, loads: Loads
) -> CapacityMemory:
    """Return what was learned, brought up to date if that is due; a source that fails leaves what was known.

    Args:
        lesson: What to learn.
        target: The pods.
        max_age_s: Oldest sample with which an instance counts as there.
        memory: From the last call.
        uid: Of the object; spreads the work of all objects over time.
        now: Epoch seconds.
        loads: Where the history comes from.
    """
    same = memory.lesson == lesson
    if same and not is_due(int(now), int(memory.at), period_s(lesson.basis), uid):
        return memory
    if not target.settled:
        return memory if same else replace(memory, lesson=None, found=None)  # looked at again at the next decision
    try:
        found = await _learn(lesson, target, max_age_s, now, loads)
    except SourceFault as fault:
        found = memory.found if same and memory.found else _fail(lesson, "HistoryUnavailable", fault.message)
    return replace(memory, lesson=lesson, at=now, found=found, differs_since=memory.differs_since if same else None)


def judge_capacity(
    memory: CapacityMemory, basis: Basis | None, per_pod: float, target: str, now: float
) -> tuple[CapacityMemory, tuple[Note, ...]]:
    """Return what is known of capacity now, and the event to write if it is far from what is given for long."""
    found = memory.found
    if found is None or found.value is None or basis is None or not found.differs(per_pod, DIFFERS_SHARE):
        return replace(memory, differs_since=None), ()
    since = now if memory.differs_since is None else memory.differs_since
    memory = replace(memory, differs_since=since)
    if now - since < DIFFERS_PERIODS * period_s(basis) or now - memory.told_at < QUIET_S:
        return memory, ()
    said = (
        f"A pod of {target} serves {'at least' if found.at_least else 'about'} {format_load(found.value)}, as its "
        f"{'CPU' if found.source == 'Cpu' else 'latency'} shows; spec.scaling.perPod says {per_pod:g}. "
        "See status.scaling.perPod.proposed; nothing is changed by itself."
    )
    return replace(memory, told_at=now), (Note("PerPodDiffers", said),)


def build_proposal(memory: CapacityMemory) -> dict[str, object]:
    """Return `proposed` of `status.scaling.perPod`, nothing where nothing was to be learned."""
    found = memory.found
    if found is None:
        return {}
    built: dict[str, object | None] = {
        "value": None if found.value is None else format_load(found.value),
        "atLeast": found.at_least,
        "source": found.source,
        "samples": found.samples,
        "errorPercent": math.ceil(100 * found.error) if math.isfinite(found.error) else None,
        "reason": found.finding,
        "message": found.message,
        "announcedTime": to_time(memory.told_at) if math.isfinite(memory.told_at) else None,
    }
    return {"proposed": {name: value for name, value in built.items() if value is not None}}


def period_s(basis: Basis) -> int:
    """Return how often capacity is learned anew, in seconds: less often than that it hardly changes."""
    return min(PERIOD_S, PERIOD_SLOTS * basis.forecast.step_s)


async def _learn(lesson: Lesson, target: TargetState, max_age_s: float, now: float, loads: Loads) -> Capacity:
    learning = lesson.learning
    if isinstance(learning.by, CpuLearning) and lesson.cores is None:
        return _fail(
            lesson, "NoCores", "A container of the Deployment requests no CPU: give learnPerPod.cpu.coresPerPod."
        )
    asker = Selection(learning.counted, lesson.tenant)
    (sample,) = await loads.observe(lesson.basis.source, [asker], max_age_s)
    trouble = _find_trouble(lesson, sample, target)
    if trouble is not None:
        return trouble
    load, pods, *watched = await _read(lesson, now, loads)
    known = pods[np.isfinite(pods)][-3:]  # of the last slots: pods may just have come or gone
    if len(known) and not known.min() / WRONG_COUNT - 1 <= target.ready <= known.max() * WRONG_COUNT + 1:
        said = f"The series tell of {known[-1]:g} pods, and {target.ready} are ready: correct matchers or readyPods."
        return _fail(lesson, "PodsNotMatched", said)
    each = divide_among_pods(load, pods)
    if isinstance(learning.by, CpuLearning):
        return learn_from_cpu(
            each, divide_among_pods(watched[0], pods), learning.by.target * (lesson.cores or math.nan)
        )
    total, count = watched
    latency = _divide_by_requests(total, count, lesson.basis.forecast.step_s)
    return learn_from_latency(each, latency, learning.by.highest_s)


def _find_trouble(lesson: Lesson, sample: TickSample, target: TargetState) -> Capacity | None:
    """Return why the series cannot be those of the target's pods; None if they may."""
    metric = lesson.learning.counted.metric
    if sample.flaw:
        return _fail(lesson, "NotUsable", f"{metric} is no counter, or its values are none: name another metric.")
    if sample.newest_at is None:
        return _fail(lesson, "NotUsable", f"No series matches {metric}: check metric and matchers, and its scraping.")
    matched = sum(bool({name, address} & sample.targets) for name, address in target.settled)
    if lesson.learning.ready_pods is None and matched < LEAST_MATCHED * len(target.settled):
        said = (
            f"{matched} of {len(target.settled)} pods are among the instances of {metric}, by labels pod and instance: "
            "correct matchers, or give readyPods if it is measured elsewhere."
        )
        return _fail(lesson, "PodsNotMatched", said)
    return None


async def _read(lesson: Lesson, now: float, loads: Loads) -> list[FloatArray]:
    """Return the load, the number of pods and what is watched, over the slots that all cover.

    Where a window is longer than a slot, all are means over the longest one: else one would lag behind another.
    """
    basis, by = lesson.basis, lesson.learning.by
    ask, source = basis.forecast, basis.source
    askers = [Selection(event.load, lesson.tenant) for event in basis.event_types]
    watched = (by.used,) if isinstance(by, CpuLearning) else (by.total, by.count)
    own = [Selection(series, lesson.tenant) for series in (lesson.learning.pods, *watched)]
    span_s = min(ask.history_s, HISTORY_SLOTS * ask.step_s)
    loaded = await loads.history(source, askers, ask.step_s, ask.history_s, now)  # held for the forecast already
    values, start = add_histories(basis.event_types, loaded, ask.step_s)
    series = _cut([History(values, start), *await loads.history(source, own, ask.step_s, span_s, now)], ask.step_s)
    load_window = max(_find_window(event.load, ask.step_s) for event in basis.event_types)
    windows = [load_window, ask.step_s, *(_find_window(each, ask.step_s) for each in watched)]
    longest = max(windows)
    return [_smooth(v, 1 + round((longest - w) / ask.step_s)) for v, w in zip(series, windows, strict=True)]


def _find_window(load: Load, step_s: float) -> float:
    return max(step_s, load.window_s) if isinstance(load, CounterLoad) else step_s


def _smooth(values: FloatArray, slots: int) -> FloatArray:
    """Return the mean over each slot and those before it, NaN where one of them is missing."""
    if slots == 1 or len(values) < slots:
        return values if slots == 1 else np.full_like(values, np.nan)
    means = sliding_window_view(values, slots).mean(axis=1)
    return np.concatenate([np.full(slots - 1, np.nan), means])


def _cut(histories: Sequence[History], step_s: int) -> list[FloatArray]:
    start = max(history.start for history in histories)
    end = min(history.start + len(history.values) * step_s for history in histories)
    slots = max(0, round((end - start) / step_s))
    firsts = (round((start - history.start) / step_s) for history in histories)
    return [h.values[first : first + slots].astype(np.float64) for h, first in zip(histories, firsts, strict=True)]


def _divide_by_requests(total: FloatArray, count: FloatArray, step_s: int) -> FloatArray:
    """Return the mean latency of each slot, NaN where too few requests were served."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        return np.where(count * step_s >= LEAST_REQUESTS, total / count, np.nan)


def _fail(lesson: Lesson, finding: Finding, message: str) -> Capacity:
    if isinstance(lesson.learning.by, LatencyLearning):
        return Capacity(None, "Latency", 0, finding, message[:1024])
    return Capacity(None, "Cpu", 0, finding, message[:1024])
