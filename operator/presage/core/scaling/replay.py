"""The decision on past days: every rule at once, tick by tick, on the load that came.

The same limits, brakes and speeds hold as in `decision.decide_replicas`, which a test compares tick by tick. Only the
steps down depend on what was decided before; all else is computed for all ticks together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from presage.core.forecast.api import Series
from presage.core.forecast.geometry import geometry_of
from presage.core.forecast.hindsight import look_back
from presage.core.scaling.curves import MEDIAN, Curve, draw_forecast, draw_past
from presage.core.scaling.decision import ROUNDING, plan_step
from presage.core.scaling.objective import ReplayedDay
from presage.core.scaling.policy import ScalingPolicy
from presage.core.scaling.rule import Rule
from presage.core.scaling.world import count_ticks, observe

FloatArray = NDArray[np.float64]
FITS_A_DAY = 24  # as often as a running operator chooses its coefficients anew
FORECASTS_A_DAY = 144
LEAST_DAYS = 2  # of history before a day that is replayed, so that there is a forecast


@dataclass(frozen=True, slots=True)
class Past:
    """The load of past days, twice: as forecasts see it, and as pods had to serve it.

    Attributes:
        series: Per slot, as far back as forecasts look.
        load: (n,) mean load per tick, NaN = not known.
        start: Epoch second at which the first tick starts.
        tick_s: Seconds a tick.
        window: Most slots of history that a forecast is given.
    """

    series: Series
    load: FloatArray
    start: float
    tick_s: float
    window: int


@dataclass(frozen=True, slots=True)
class Ahead:
    """What each curve says at each tick: the highest load until a pod asked for now is ready, and until one may go.

    Attributes:
        soon: (curves, n).
        later: (curves, n).
    """

    soon: FloatArray
    later: FloatArray


def replay_day(past: Past, start: float, policy: ScalingPolicy, lead_s: float, rules: Sequence[Rule]) -> ReplayedDay:
    """Return what each rule would have given and cost on one day.

    Args:
        past: The load.
        start: Epoch second at which the day begins; all of it, and `LEAST_DAYS` before it, are in `past`.
        policy: Limits and speeds.
        lead_s: Seconds from asking for a replica until it is ready, the decision period included.
        rules: Those to try.
    """
    first = round((start - past.start) / past.tick_s)
    day = geometry_of(past.series.step, past.series.seasons or None).day
    load = past.load[first : first + round(day * past.series.step / past.tick_s)]
    curves = list(dict.fromkeys(rule.curve for rule in rules))
    ahead = look_ahead(past, start, len(load), curves, lead_s, policy.stabilization_s)
    which = [curves.index(rule.curve) for rule in rules]
    headroom = np.array([rule.headroom for rule in rules])
    before = past.load[first - 1] if first > 0 and np.isfinite(past.load[first - 1]) else None
    observed = observe(load, past.tick_s, before)
    known = np.isfinite(np.concatenate([load[:1], load[:-1]]))
    planned = observed * (1 + headroom[:, None])
    replicas = play_rules(policy, past.tick_s, np.fmax(planned, ahead.soon[which]), ahead.later[which], known)
    ready = _ready(replicas, count_ticks(lead_s - policy.decision_period_s, past.tick_s))
    unmet = np.maximum(np.nan_to_num(load) - policy.per_pod * ready, 0.0)
    return ReplayedDay(
        start=start,
        hours=float(np.isfinite(load).sum() * past.tick_s / 3600),
        load=float(np.nansum(load)),
        unmet=unmet.sum(axis=1),
        replica_hours=replicas.sum(axis=1) * past.tick_s / 3600,
    )


def play_rules(
    policy: ScalingPolicy, tick_s: float, needed: FloatArray, later: FloatArray, known: NDArray[np.bool_]
) -> FloatArray:
    """Return (rules, n) the replicas that each rule would have had.

    Args:
        policy: Limits and speeds.
        tick_s: Seconds a tick.
        needed: (rules, n) load that replicas are made for.
        later: (rules, n) highest load ahead that forbids to remove what it needs; NaN = nothing is said.
        known: (n,) whether the load is known; else nothing is removed.
    """
    wanted = _pods(policy, needed)
    window = max(1, count_ticks(policy.stabilization_s, tick_s))
    earlier = _highest(wanted, window)
    lowest = np.fmax(earlier, _pods(policy, later))
    limit = (1 - policy.tolerance) * policy.per_pod
    asks, needs, floors = (np.ascontiguousarray(each.T) for each in (wanted, needed, lowest))  # a row a tick
    gone = np.zeros((max(1, count_ticks(policy.down_period_s, tick_s)), len(wanted)))  # steps down, in turn
    removed = np.zeros(len(wanted))  # the sum of them
    unseen = np.zeros((window, len(wanted)))  # replicas at those of the newest ticks whose load is not known, in turn
    blind = -window - 1  # the newest such tick
    current = earlier[:, min(window, len(asks)) - 1].copy()  # a warm start: enough for the first window
    replicas = np.empty_like(asks)
    for tick, ask in enumerate(asks):
        steps = gone[tick % len(gone)]
        removed -= steps
        fewer = current
        if known[tick]:
            floor = floors[tick]
            if tick - blind <= window:
                unseen[tick % window] = 0
                floor = np.maximum(floor, unseen.max(axis=0))
            least = np.minimum(current, np.maximum(floor, current - plan_step(policy, current, removed)))
            fewer = np.where(needs[tick] < limit * current, least, current)
        else:
            blind, unseen[tick % window] = tick, current
        decided = np.maximum(ask, fewer)  # never fewer than are asked for: each floor is that high
        np.maximum(current - decided, 0, out=steps)
        removed += steps
        replicas[tick] = current = decided
    return np.ascontiguousarray(replicas.T)


def look_ahead(
    past: Past, start: float, ticks: int, curves: Sequence[Curve], lead_s: float, stabilization_s: float
) -> Ahead:
    """Return what each curve would have said at each tick from `start` on."""
    series, step = past.series, past.series.step
    day = geometry_of(step, series.seasons or None).day
    spans = (lead_s + step, lead_s + stabilization_s)
    horizon = int(max(spans) // step) + 2
    now: FloatArray = start + past.tick_s * np.arange(ticks, dtype=np.float64)
    slot = np.floor((now - series.start) / step + ROUNDING).astype(np.int64)  # the first one ahead
    stride = max(1, day // FORECASTS_A_DAY)
    origins = np.unique(slot // stride * stride)
    origin = np.searchsorted(origins, slot // stride * stride)
    horizon += stride - 1
    drawn = _draw(past, origins, curves, horizon, day)
    offset = (slot - origins[origin]).astype(np.int64)
    found = [_peaks(drawn, origin, offset, _last_slot(now, series, slot, span)) for span in spans]
    return Ahead(*found)


def _last_slot(now: FloatArray, series: Series, slot: NDArray[np.int64], span_s: float) -> NDArray[np.int64]:
    """How many slots after the first one ahead the last one lies that a span meets."""
    last = np.floor((now + span_s - series.start) / series.step + ROUNDING).astype(np.int64)
    return last - slot


def _draw(past: Past, origins: NDArray[np.int64], curves: Sequence[Curve], horizon: int, day: int) -> FloatArray:
    """(curves, origins, horizon) each curve as it would have been drawn at each origin."""
    levels = tuple(sorted({MEDIAN, *(curve.level for curve in curves if curve.source == "Forecast")}))
    usable = origins[origins >= 1]
    fits = max(1, round(FORECASTS_A_DAY / FITS_A_DAY))
    quantiles = look_back(past.series, usable.tolist(), horizon, levels, fits, past.window)
    by_level = {level: quantiles[:, number] for number, level in enumerate(levels)}
    values = np.asarray(past.series.values, np.float64)
    drawn = np.full((len(curves), len(origins), horizon), np.nan)
    for number, curve in enumerate(curves):
        if curve.source == "Forecast":
            drawn[number, len(origins) - len(usable) :] = draw_forecast(curve, by_level)
        elif curve.source == "Past":
            drawn[number] = draw_past(curve, values, origins, horizon, day)
    return drawn


def _peaks(
    drawn: FloatArray, origin: NDArray[np.int64], offset: NDArray[np.int64], span: NDArray[np.int64]
) -> FloatArray:
    """(curves, n) the highest value from `offset` on, over 1 + `span` slots; NaN where nothing is drawn."""
    highest = drawn[:, origin, offset]
    for more in range(1, int(span.max()) + 1):
        inside = np.minimum(offset + more, drawn.shape[2] - 1)
        highest = np.fmax(highest, np.where(more <= span, drawn[:, origin, inside], np.nan))
    return highest


def _pods(policy: ScalingPolicy, load: FloatArray) -> FloatArray:
    """Pods that serve each load, within the limits; the fewest where nothing is said."""
    pods = np.ceil(load / policy.per_pod - ROUNDING)
    return np.asarray(
        np.clip(np.nan_to_num(pods, nan=0.0, posinf=policy.max_replicas), policy.min_replicas, policy.max_replicas)
    )


def _highest(values: FloatArray, window: int) -> FloatArray:
    """(rules, n) highest of the newest `window` values at each tick."""
    padded = np.concatenate([np.repeat(values[:, :1], window - 1, axis=1), values], axis=1)
    return np.asarray(sliding_window_view(padded, window, axis=1).max(axis=2))


def _ready(replicas: FloatArray, delay: int) -> FloatArray:
    """(rules, n) pods that serve: as many as there were at the lowest moment since the start-up time began."""
    return np.asarray(-_highest(-replicas, delay + 1))
