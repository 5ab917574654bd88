"""What a picture of a backtest shows, whoever draws it: which stretches, which points, which ticks. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from presage.cli.backtest.result import Result, compare
from presage.cli.drawing.axes import Limits, plan_limits
from presage.core.forecast.rolling import PRESAGE, SCORED_LEVELS, YESTERDAY, Origin
from presage.core.forecast.types import BoolArray, FloatArray
from presage.core.units import format_duration

TOP_LEVEL = SCORED_LEVELS[-1]
MOST_PANELS = 12
_BEFORE = 0.5  # history shown before a forecast, in horizons
_OVERSHOOT = 1.6  # a band is shown up to so many times what came
_USUAL_SHARE, _RARE_PEAK = 0.99, 2.5  # a peak beyond so many times what the load usually stays below is cut


@dataclass(frozen=True, slots=True)
class Panel:
    """One origin from near.

    Attributes:
        title: When the forecast was made.
        note: How good it was, in words.
        worst: Whether it is the worst of all.
        origin: Epoch second of the forecast's start.
        before: (n,) load before it; the times are those of the slots' middles.
        before_at: (n,) their times.
        at: (h,) times of forecast and truth.
        truth: (h,) load that came.
        point: (h,) median forecast.
        bands: Lower and upper edge of each band, the widest first, with its name.
        top: (h,) highest scored quantile.
        rival: (h,) yesterday's value.
        missed: (h,) whether the truth lies above `top`.
    """

    title: str
    note: str
    worst: bool
    origin: float
    before: FloatArray
    before_at: FloatArray
    at: FloatArray
    truth: FloatArray
    point: FloatArray
    bands: Sequence[tuple[str, FloatArray, FloatArray]]
    top: FloatArray
    rival: FloatArray
    missed: BoolArray

    @property
    def span(self) -> tuple[float, float]:
        """First and last moment shown."""
        half = (self.at[1] - self.at[0]) / 2 if len(self.at) > 1 else 0.0
        first = self.before_at[0] if len(self.before_at) else self.origin
        return float(first - half), float(self.at[-1] + half)


def build_panels(result: Result) -> list[Panel]:
    """Return a panel for each origin."""
    return [_build_panel(result, origin) for origin in result.origins]


def choose_panels(panels: Sequence[Panel], most: int = MOST_PANELS) -> list[Panel]:
    """Return the panels to show: all, or so many evenly spaced ones, the worst among them."""
    if len(panels) <= most:
        return list(panels)
    kept = {round(float(i)) for i in np.linspace(0, len(panels) - 1, most)}
    worst = next((i for i, panel in enumerate(panels) if panel.worst), None)
    if worst is not None and worst not in kept:
        kept = kept - {min(kept, key=lambda i: abs(i - worst))} | {worst}
    return [panels[i] for i in sorted(kept)]


def _build_panel(result: Result, origin: Origin) -> Panel:
    step, curves = result.load.step, origin.curves[PRESAGE]
    start, horizon = result.at(origin.slot), len(origin.truth)
    before = origin.history[-max(1, math.ceil(_BEFORE * horizon)) :]
    top = curves.quantiles[TOP_LEVEL]
    return Panel(
        title=f"{result.moment(origin.slot):%a %d %b %Y, %H:%M}",
        note=_note(result, origin),
        worst=origin is result.worst() and len(result.origins) > 1,
        origin=start,
        before=before,
        before_at=_middles(start, -len(before), 0, step),
        at=_middles(start, 0, horizon, step),
        truth=origin.truth,
        point=curves.point,
        bands=list(_bands(curves.quantiles)),
        top=top,
        rival=origin.curves[YESTERDAY].point,
        missed=find_missed(origin.truth, top),
    )


def _middles(start: float, first: int, last: int, step: int) -> FloatArray:
    return np.asarray(start + (np.arange(first, last) + 0.5) * step, dtype=np.float64)


def find_missed(truth: FloatArray, top: FloatArray) -> BoolArray:
    """Return where the truth lies above the band; a missing one lies nowhere."""
    return np.isfinite(truth) & (np.where(np.isfinite(truth), truth, 0.0) > top + 1e-9)


def _note(result: Result, origin: Origin) -> str:
    scores = origin.scores.get(result.longest)
    if scores is None:
        return "no truth is known"
    error, _ = compare(scores, PRESAGE)
    return f"error {error:.2f} × yesterday's, {1 - scores[PRESAGE].covered[TOP_LEVEL]:.0%} above the band"


def _bands(quantiles: Mapping[float, FloatArray]) -> Iterator[tuple[str, FloatArray, FloatArray]]:
    """Yield name, lower and upper edge between the median and each other level, the widest first."""
    middle = quantiles[0.5]
    for level in sorted((q for q in quantiles if q != 0.5), key=lambda q: -abs(q - 0.5)):
        edges = (middle, quantiles[level]) if level > 0.5 else (quantiles[level], middle)
        yield f"median to {level:g}", *edges


def count_missed(result: Result) -> int:
    """Return how many slots of all origins lie above the band; slots in two forecasts count twice."""
    tops = [origin.curves[PRESAGE].quantiles[TOP_LEVEL] for origin in result.origins]
    pairs = zip(result.origins, tops, strict=True)
    return sum(int(find_missed(origin.truth, top).sum()) for origin, top in pairs)


def find_limits(result: Result, panels: Sequence[Panel]) -> Limits:
    """Return the axis of the whole load: all of it, but for rare peaks that would flatten the rest."""
    values = result.load.grid.values
    known = values[np.isfinite(values)]
    high, usual = float(known.max()), _RARE_PEAK * float(np.quantile(known, _USUAL_SHARE))
    reach = max((_highest(panel) for panel in panels), default=0.0)
    return plan_limits(float(known.min()), max(min(high, usual) if usual > 0 else high, reach), high)


def find_panel_limits(panel: Panel) -> Limits:
    """Return the axis of one origin: what came and the bands near it; a peak before it may be cut."""
    shown = np.concatenate([panel.truth, panel.before])
    known = shown[np.isfinite(shown)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    reach = max(_highest(panel), float(panel.point.max()))
    usual = float(np.quantile(known, _USUAL_SHARE)) if len(known) else 0.0
    return plan_limits(min(low, float(panel.point.min())), max(reach, min(high, _RARE_PEAK * usual)), high)


def _highest(panel: Panel) -> float:
    """Return the highest truth, or the band's top where that is little higher."""
    known = panel.truth[np.isfinite(panel.truth)]
    came = float(known.max()) if len(known) else 0.0
    return max(came, min(float(panel.top.max()), came * _OVERSHOOT))


def describe_panels(result: Result, shown: int) -> str:
    """Return what the small pictures show."""
    horizon = format_duration(result.plan.horizon * result.load.step)
    which = "each origin" if shown == len(result.origins) else f"{shown} of {len(result.origins)} origins"
    return f"{which} from near: what was known before it, what was forecast for {horizon}, and what came"
