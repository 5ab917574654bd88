"""A forecast for a person: the load ahead, then what it stands on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from presage.cli.drawing.columns import align
from presage.cli.forecast.account import describe_forecast
from presage.cli.forecast.view import View
from presage.cli.numbers import number
from presage.core.units import format_duration

_MOST_ROWS = 12


def render(view: View) -> str:
    """Return the forecast as lines of text."""
    unit = f" in {view.unit}" if view.unit else ""
    lines = [f"{view.name}: load expected{unit}, times in {view.zone or 'UTC'}"]
    lines += [line for line in (describe_verdict(view),) if line]
    lines += ["", *_rows(view), "", "forecast"]
    lines += [f"  {label:<12}{text}" for label, text in describe_forecast(view.account)]
    return "\n".join(lines)


def describe_verdict(view: View) -> str:
    """Return whether the forecast drives scaling, in one line; empty where that is not known."""
    if view.verdict is None:
        return ""
    verb = "trusted" if view.verdict.trusted else "not trusted"
    return f"{verb} ({view.verdict.reason}): {view.verdict.message}"


def _rows(view: View) -> Iterator[str]:
    """Yield at most a dozen moments and the load at each level; between two of them the highest counts."""
    edges = np.linspace(0, len(view.at), min(_MOST_ROWS, len(view.at)) + 1).astype(int)
    rows = [["from", *(f"p{100 * level:g}" for level in view.levels)]]
    for first, last in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        loads = [number(float(view.curves[level][first:last].max())) for level in view.levels]
        rows.append([f"{view.moment(float(view.at[first])):%Y-%m-%d %H:%M}", *loads])
    yield from align(rows, 1)
    if len(view.at) > _MOST_ROWS:
        span = format_duration(float(view.at[edges[1]] - view.at[0]))
        yield f"each the highest of about {span}; --format json has every slot"
