"""What a picture of a replay shows, whoever draws it: which stretch from near, which marks, which scales. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from presage.cli.drawing.axes import AHEAD, INK, PRESAGE, RIVAL, Limits, plan_limits
from presage.cli.simulate.result import Simulation, percent
from presage.core.samples import FloatArray
from presage.core.scaling.rivals import SYNC_S
from presage.core.scaling.world import IntArray, Outcome

COLOURS = {"presage": PRESAGE, "hpa": RIVAL, "cron": "#7d3c98", "yesterday": AHEAD, "clairvoyant": INK}
NEAR_S = 6 * 3_600.0  # length of the stretch that is shown from near
_STRIDE = 20  # ticks between the stretches that are looked at for the worst
_OVERSHOOT = 2.5  # capacity is shown up to so many times the highest load
_WHOLE_MARK, _LEAST_MARK = 0.25, 0.12  # share of the load unmet that makes a mark as high as can be; the least height
_USUAL_SHARE, _RARE_PEAK = 0.995, 2.5  # a peak beyond so many times what the load usually stays below is cut


@dataclass(frozen=True, slots=True)
class Row:
    """One rule's part of the picture.

    Attributes:
        rule: Its key.
        title: What it is called.
        note: What came of it, in words.
        colour: Of its line.
        capacity: (n,) load that its ready pods serve.
        served: (n,) load served where some was not, else NaN.
        spells: (k, 2) first and last moment of each time with unmet load, epoch seconds.
        heights: (k,) of their marks, 0 to 1: more where a larger share of the load was unmet.
    """

    rule: str
    title: str
    note: str
    colour: str
    capacity: FloatArray
    served: FloatArray
    spells: FloatArray
    heights: FloatArray


@dataclass(frozen=True, slots=True)
class Picture:
    """All that is drawn.

    Attributes:
        at: (n,) middles of the ticks, epoch seconds.
        load: (n,) load, NaN where it is not known.
        rows: One a rule.
        span: First and last moment.
        near: The same of the stretch shown from near.
        why_near: Which one it is, and why.
        limits: The axis of load and capacity.
        most_replicas: The axis of replicas reaches to it.
    """

    at: FloatArray
    load: FloatArray
    rows: tuple[Row, ...]
    span: tuple[float, float]
    near: tuple[float, float]
    why_near: str
    limits: Limits
    most_replicas: int


def build_picture(result: Simulation) -> Picture:
    """Return what the picture of a replay shows."""
    at = np.asarray(result.start + (np.arange(len(result.series)) + 0.5) * SYNC_S, np.float64)
    near, why = _find_near(result)
    return Picture(
        at=at,
        load=result.series,
        rows=tuple(_build_row(result, rule, outcome) for rule, outcome in result.outcomes.items()),
        span=(result.start, result.end),
        near=near,
        why_near=f"from near, {result.moment(near[0]):%d %b}: {why}",
        limits=_find_limits(result),
        most_replicas=max(int(outcome.replicas.max()) for outcome in result.outcomes.values()),
    )


def _build_row(result: Simulation, rule: str, outcome: Outcome) -> Row:
    capacity = outcome.ready * result.target.capacity
    under = outcome.unmet > 0
    minutes = f" in {outcome.under_minutes:,.0f} min" if outcome.under_minutes >= 0.5 else ""
    note = f"{percent(outcome.unmet_share)} unmet{minutes}, {outcome.replica_hours:,.0f} replica-hours"
    served = np.where(under, capacity, np.nan).astype(np.float64)
    runs = find_spells(outcome.unmet)
    spells = np.asarray(result.start + runs * SYNC_S, np.float64)
    heights = _find_heights(runs, outcome.unmet, np.nan_to_num(result.series))
    return Row(rule, result.name(rule), note, COLOURS[rule], np.asarray(capacity, np.float64), served, spells, heights)


def _find_heights(runs: IntArray, unmet: FloatArray, load: FloatArray) -> FloatArray:
    missed, came = (np.concatenate([[0.0], np.cumsum(values)]) for values in (unmet, load))
    share = (missed[runs[:, 1]] - missed[runs[:, 0]]) / (came[runs[:, 1]] - came[runs[:, 0]])
    return np.asarray(np.clip(share / _WHOLE_MARK, _LEAST_MARK, 1.0), np.float64)


def find_spells(unmet: FloatArray) -> IntArray:
    """Return (k, 2) first tick of each run with unmet load, and the first one after it."""
    edges = np.diff(np.concatenate([[0], (unmet > 0).astype(np.int64), [0]]))
    return np.stack([np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)], axis=1)


def _find_near(result: Simulation) -> tuple[tuple[float, float], str]:
    """Return the stretch in which the first rival left most unmet; without any, presage; else the highest load."""
    length = min(round(NEAR_S / SYNC_S), len(result.series))
    names = [*list(result.outcomes)[1:], *list(result.outcomes)[:1]]
    for name in names:
        unmet = result.outcomes[name].unmet
        if name != "clairvoyant" and unmet.any():
            return _stretch(result, unmet, length), f"where {result.name(name)} left most unmet"
    return _stretch(result, np.nan_to_num(result.series), length), "where the load was highest"


def _stretch(result: Simulation, weight: FloatArray, length: int) -> tuple[float, float]:
    """Return the stretch of `length` ticks with the largest sum, and of several alike the one in their middle."""
    sums = np.concatenate([[0.0], np.cumsum(weight)])
    starts = np.unique(np.append(np.arange(0, len(weight) - length + 1, _STRIDE), len(weight) - length))
    found = sums[starts + length] - sums[starts]
    best = starts[found >= found.max() * (1 - 1e-9)]
    first = int(best[len(best) // 2])
    return result.start + first * SYNC_S, result.start + (first + length) * SYNC_S


def _find_limits(result: Simulation) -> Limits:
    known = result.series[np.isfinite(result.series)]
    high, usual = float(known.max()), _RARE_PEAK * float(np.quantile(known, _USUAL_SHARE))
    shown = min(high, usual) if usual > 0 else high
    capacity = max(float(outcome.ready.max()) for outcome in result.outcomes.values()) * result.target.capacity
    return plan_limits(0.0, max(shown, min(capacity, shown * _OVERSHOOT)), high)
