"""Charts as SVG text: scales, lines and areas with gaps, axes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from presage.cli.drawing.axes import Limits, plan_ticks, plan_values
from presage.core.forecast.types import BoolArray, FloatArray

_BOTTOM, _TOP = 20, 6


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart's place and scales.

    Attributes:
        width: Of the whole drawing, in its own units.
        height: The same.
        left: Where the time axis starts.
        right: Where it ends.
        span: First and last moment, epoch seconds.
        limits: The value axis.
    """

    width: int
    height: int
    left: int
    right: int
    span: tuple[float, float]
    limits: Limits

    def x(self, at: float) -> float:
        """Return where a moment lies."""
        first, last = self.span
        return self.left + (self.right - self.left) * (at - first) / (last - first)

    def y(self, value: float) -> float:
        """Return where a value lies; one beyond the axis lies at its end."""
        low, high = self.limits.bottom, self.limits.top
        inside = min(max(value, low), high)
        return _TOP + (self.height - _BOTTOM - _TOP) * (1 - (inside - low) / (high - low))

    def line(self, kind: str, at: FloatArray, values: FloatArray) -> str:
        """Return a line; it is broken where a value is missing."""
        runs = (self._points(at[part], values[part]) for part in _find_runs(values))
        return f'<path class="{kind}" d="{"".join("M" + run for run in runs)}"/>'

    def area(self, kind: str, at: FloatArray, lower: FloatArray, upper: FloatArray) -> str:
        """Return the area between two lines; it is broken where one is missing."""
        parts = []
        for run in _find_runs(lower + upper):
            there = self._points(at[run], upper[run])
            back = self._points(at[run][::-1], lower[run][::-1])
            parts.append(f"M{there}L{back}Z")
        return f'<path class="{kind}" d="{"".join(parts)}"/>'

    def misses(self, at: FloatArray, truth: FloatArray, top: FloatArray, missed: BoolArray) -> str:
        """Return a mark for each truth above the band, with a stem down to it."""
        marks = []
        for i in np.flatnonzero(missed).tolist():
            x, high, low = self.x(at[i]), self.y(truth[i]), self.y(top[i])
            marks.append(f'<path d="M{x:.1f} {high:.1f}V{low:.1f}"/><circle cx="{x:.1f}" cy="{high:.1f}" r="1.8"/>')
        return f'<g class="miss">{"".join(marks)}</g>'

    def upright(self, kind: str, at: float) -> str:
        """Return a vertical line at a moment."""
        x, end = self.x(at), self.height - _BOTTOM
        return f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{end}"/>'

    def window(self, first: float, last: float) -> str:
        """Return the stretch between two moments as a shade."""
        x, wide = self.x(first), self.x(last) - self.x(first)
        return (
            f'<rect class="window" x="{x:.1f}" y="{_TOP}" width="{wide:.1f}" height="{self.height - _BOTTOM - _TOP}"/>'
        )

    def frame(self, zone: str | None, most: int, unit: str = "") -> str:
        """Return both axes with their ticks and what the value axis is of."""
        end = self.height - _BOTTOM
        parts = []
        for value, label in plan_values(self.limits.bottom, self.limits.top, 5):
            y = self.y(value)
            parts.append(f'<line class="grid" x1="{self.left}" x2="{self.right}" y1="{y:.1f}" y2="{y:.1f}"/>')
            parts.append(f'<text x="{self.left - 5}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
        for at, label in plan_ticks(*self.span, zone, most):
            x = self.x(at)
            parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{end}"/>')
            parts.append(f'<text x="{x:.1f}" y="{end + 14}" text-anchor="middle">{label}</text>')
        parts.append(f'<line class="axis" x1="{self.left}" x2="{self.right}" y1="{end}" y2="{end}"/>')
        if unit:
            place = f'transform="translate(11 {(_TOP + end) / 2:.0f}) rotate(-90)"'
            parts.append(f'<text text-anchor="middle" {place}>{escape(unit)}</text>')
        if self.limits.cut is not None:
            note = f"highest, not shown: {self.limits.cut:.4g}"
            parts.append(f'<text x="{self.right - 4}" y="{_TOP + 10}" text-anchor="end">{note}</text>')
        return "".join(parts)

    def close(self, parts: Sequence[str], says: str) -> str:
        """Return the whole drawing.

        Args:
            parts: What is in it.
            says: What it shows, for those who cannot see it.
        """
        box = f'viewBox="0 0 {self.width} {self.height}"'
        return f'<svg {box} role="img" aria-label="{escape(says)}">{"".join(parts)}</svg>'

    def _points(self, at: FloatArray, values: FloatArray) -> str:
        return "L".join(f"{self.x(t):.1f} {self.y(v):.1f}" for t, v in zip(at.tolist(), values.tolist(), strict=True))


def _find_runs(values: FloatArray) -> Iterator[slice]:
    """Yield the stretches without a missing value."""
    known = np.concatenate([[False], np.isfinite(values), [False]])
    edges = np.flatnonzero(known[1:] != known[:-1])
    for first, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        yield slice(first, last)


def known_or_none(values: FloatArray, digits: int = 6) -> list[float | None]:
    """Return the values for JSON, missing ones as None."""
    return [float(f"{value:.{digits}g}") if math.isfinite(value) else None for value in values.tolist()]
