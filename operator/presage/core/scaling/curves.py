"""Courses of the load that replicas may be prepared for: quantiles of the forecast, or what earlier days showed.

Every curve is told slot by slot ahead of an origin, so that the highest load of any span ahead can be read off it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Source = Literal["Forecast", "Past", "Observed"]


@dataclass(frozen=True, slots=True)
class Curve:
    """One course.

    Attributes:
        name: As status shows it, unique.
        source: `Forecast`: a quantile; `Past`: highest load of past days at that time of day; `Observed`: no course
            ahead at all, the observed load alone counts.
        level: Quantile; 0 where `source` is another.
        stretch: Times the distance from the median to that quantile: reaches beyond what a backtest has seen.
        days: How many past days.
        around: Share of a day either side of the time of day that counts, too.
    """

    name: str
    source: Source
    level: float = 0.0
    stretch: float = 1.0
    days: int = 0
    around: float = 0.0


MEDIAN = 0.5
LEVELS = (0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
OBSERVED = Curve("observed", "Observed")
PAST = (
    Curve("yesterday", "Past", days=1),
    Curve("last 3 days", "Past", days=3, around=1 / 96),
    Curve("last 7 days", "Past", days=7, around=1 / 96),
)
STRETCHES = (1.5, 2.0)


def quantile_curve(level: float, stretch: float = 1.0) -> Curve:
    """Return the curve of a quantile, such as `p95`, or `p99 x 2`."""
    more = "" if stretch == 1 else f" x {stretch:g}"
    return Curve(f"p{level * 100:g}{more}", "Forecast", level, stretch)


FORECAST = (*map(quantile_curve, LEVELS), *(quantile_curve(LEVELS[-1], stretch) for stretch in STRETCHES))
CURVES = (*FORECAST, *PAST, OBSERVED)
"""All that are tried where the user fixes no quantile, the most daring forecast first."""


def draw_forecast(curve: Curve, quantiles: Mapping[float, FloatArray]) -> FloatArray:
    """Return a forecast's curve from its quantiles, arrays of any one shape; the median must be among them."""
    upper = quantiles[curve.level]
    if curve.stretch == 1:
        return upper
    median = quantiles[MEDIAN]
    return median + curve.stretch * (upper - median)


def draw_past(
    curve: Curve, values: FloatArray, origins: Sequence[int] | NDArray[np.int64], horizon: int, day: int
) -> FloatArray:
    """Return (origins, horizon) the highest load of past days at the times of day ahead; NaN where none is known.

    Args:
        curve: Of source `Past`.
        values: (n,) load per slot, NaN = missing.
        origins: First slot ahead of each; only slots before it are looked at. May be n.
        horizon: Slots ahead.
        day: Slots a day.
    """
    around = round(curve.around * day)
    first = np.asarray(origins, np.int64)[:, None, None]
    back = day * np.arange(1, curve.days + 1)[:, None]
    slot = first - back + np.arange(-around, horizon + around)  # (origins, days, slots about the times of day ahead)
    known = (slot >= 0) & (slot < first)
    found = np.where(known, values[np.clip(slot, 0, max(len(values) - 1, 0))], np.nan)
    return np.asarray(np.fmax.reduce(sliding_window_view(found, 2 * around + 1, axis=2), axis=(1, 3)))
