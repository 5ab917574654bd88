"""What a picture of a forecast shows, whoever draws it. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from presage.cli.drawing.axes import Limits, plan_limits
from presage.cli.forecast.account import describe_forecast
from presage.cli.forecast.text import describe_verdict
from presage.cli.forecast.view import View
from presage.cli.numbers import number
from presage.core.samples import FloatArray

_OVERSHOOT = 3.0  # a band is shown up to so many times the highest of load and median


def find_span(view: View) -> tuple[float, float]:
    """Return the first and the last moment shown."""
    first = [view.origin, *view.before_at[:1].tolist(), *([view.now[0]] if view.now else [])]
    return float(min(first)), float(view.at[-1] + view.step)


def find_limits(view: View) -> Limits:
    """Return the value axis: the load, the median, and the bands unless they go far beyond."""
    points = [view.now[1]] if view.now else []
    known = np.concatenate([view.before[np.isfinite(view.before)], view.curves[0.5], np.array(points)])
    low, high = float(known.min()), float(known.max())
    top = max(float(curve.max()) for curve in view.curves.values())
    shown = min(top, _OVERSHOOT * high) if high > 0 else top
    if view.served is not None and view.served <= _OVERSHOOT * max(high, shown):
        shown = max(shown, view.served)
    return plan_limits(low, max(high, shown), max(high, top))


def middles(view: View, starts: FloatArray) -> FloatArray:
    """Return the middle of each slot."""
    return np.asarray(starts + view.step / 2, np.float64)


def list_bands(view: View) -> Iterator[tuple[str, FloatArray, FloatArray]]:
    """Yield name, lower and upper edge between the median and each other level, the widest first."""
    median = view.curves[0.5]
    for level in sorted((each for each in view.levels if each != 0.5), key=lambda each: -abs(each - 0.5)):
        edges = (median, view.curves[level]) if level > 0.5 else (view.curves[level], median)
        yield f"median to {level:g}", *edges


def list_lines(view: View) -> list[str]:
    """Return what stands above the picture: the verdict, then what the forecast stands on."""
    lines = [describe_verdict(view)] if view.verdict else []
    shown = ("made", "models", "error", "coverage", "new level")
    lines += [f"{label}: {text}" for label, text in describe_forecast(view.account) if label in shown]
    if view.served is not None:
        lines.append(f"the replicas asked for serve {number(view.served)}")
    return lines
