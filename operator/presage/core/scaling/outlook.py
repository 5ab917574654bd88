"""What a forecast says about a span of time, as time moves on from its origin."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from presage.core.forecast.api import Forecast, Series
from presage.core.forecast.geometry import geometry_of
from presage.core.scaling.curves import (
    CURVES,
    LEVELS,
    MEDIAN,
    Curve,
    FloatArray,
    draw_forecast,
    draw_past,
    quantile_curve,
)

SHOWN_LEVEL = 0.9  # status always shows this quantile, whatever level drives scaling


def levels_for(level: float | None) -> tuple[float, ...]:
    """Return the quantiles to forecast, where the user fixes the level that scaling follows or leaves it open."""
    return tuple(sorted({MEDIAN, SHOWN_LEVEL, *(LEVELS if level is None else (level,))}))


@dataclass(frozen=True, slots=True)
class Outlook:
    """The courses that replicas may be made for, on the clock.

    Attributes:
        start: Epoch second at which the first forecast slot starts (= the end of the newest slot known).
        step_s: Seconds a slot.
        median: `(h,)` load at the 0.5 quantile.
        curves: Name of a curve → `(h,)` load; NaN where it says nothing.
    """

    start: float
    step_s: float
    median: FloatArray
    curves: Mapping[str, FloatArray]

    @property
    def end(self) -> float:
        """Epoch second at which the last forecast slot ends."""
        return self.start + len(self.median) * self.step_s

    def covers(self, moment: float) -> bool:
        """Whether the forecast reaches an epoch second."""
        return self.start <= moment < self.end


def draw_outlook(forecast: Forecast, series: Series, level: float | None) -> Outlook:
    """Return what a forecast and the history it was made from say.

    Args:
        forecast: Of `levels_for(level)`.
        series: Ends where the forecast begins.
        level: Quantile that the user fixes; None = every curve is drawn.
    """
    values = np.asarray(series.values, np.float64)
    day = geometry_of(series.step, series.seasons or None).day
    horizon, curves = len(forecast.point), {}
    for curve in CURVES if level is None else (quantile_curve(level), *(c for c in CURVES if c.source == "Past")):
        if curve.source == "Forecast":
            curves[curve.name] = draw_forecast(curve, forecast.quantiles)
        elif curve.source == "Past":
            curves[curve.name] = draw_past(curve, values, [len(values)], horizon, day)[0]
    return Outlook(series.start + len(values) * series.step, series.step, forecast.point, curves)


@dataclass(frozen=True, slots=True)
class Peak:
    """The highest load within a span, and the epoch second at which its slot starts."""

    load: float
    at: float


def find_peak(outlook: Outlook | None, curve: Curve, since: float, until: float) -> Peak | None:
    """Return the highest load of a curve in any slot that meets [since, until].

    A span that ends beyond the horizon is answered by the part that is covered; None means that not even `since` is
    covered: the forecast has run out (or there is none), or the curve says nothing there.
    """
    if outlook is None or not outlook.covers(since) or curve.name not in outlook.curves:
        return None
    first = int((since - outlook.start) // outlook.step_s)
    last = int((until - outlook.start) // outlook.step_s)
    highest, load = -1, -math.inf
    for slot, value in enumerate(outlook.curves[curve.name][first : max(first, last) + 1].tolist()):
        if load < value < math.inf:  # false for what is missing
            highest, load = slot, value
    return None if highest < 0 else Peak(load, outlook.start + (first + highest) * outlook.step_s)
