"""A forecast as one HTML page that needs no network."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

import numpy as np

from presage.cli.drawing.axes import shorten, thin
from presage.cli.drawing.page import fill_page
from presage.cli.drawing.svg import Chart
from presage.cli.forecast import picture
from presage.cli.forecast.view import View
from presage.cli.numbers import number

_WIDTH, _HEIGHT, _LEFT, _RIGHT = 1_360, 430, 58, 1_352
_BOX, _LINE = '<rect y="1" width="24" height="10"/>', '<path d="M0 6H24"/>'


def render_page(view: View) -> str:
    """Return the page."""
    name = shorten(view.name, 200)
    return fill_page(
        __package__,
        {
            "__TITLE__": f"Forecast of {escape(name)}",
            "__NAME__": escape(name),
            "__LINES__": "".join(f"<p>{escape(line)}</p>" for line in picture.list_lines(view)),
            "__LEGEND__": "".join(_legend(view)),
            "__CHART__": _chart(view),
            "__TABLE__": _table(view),
        },
    )


def _legend(view: View) -> Iterator[str]:
    bands = [(_band(i), name, _BOX) for i, (name, _, _) in enumerate(picture.list_bands(view))]
    entries = [("load", "load", _BOX)] if len(view.before) else []
    entries += [("median", "median", _LINE), *reversed(bands)]
    if view.now is not None:
        entries.append(("now", "load now", '<circle cx="12" cy="6" r="4"/>'))
    if view.served is not None:
        entries.append(("served", "served by the replicas asked for", _LINE))
    for kind, text, shape in entries:
        drawn = f'<svg viewBox="0 0 24 12" aria-hidden="true"><g class="{kind}">{shape}</g></svg>'
        yield f"<span>{drawn}{escape(text)}</span>"


def _band(number: int) -> str:
    return "band" if number else "band wide"


def _chart(view: View) -> str:
    limits, span = picture.find_limits(view), picture.find_span(view)
    chart = Chart(_WIDTH, _HEIGHT, _LEFT, _RIGHT, span, limits)
    at = picture.middles(view, view.at)
    parts = [chart.frame(view.zone, 14, shorten(view.unit or "load", 40))]
    if len(view.before):
        before_at, before = thin(picture.middles(view, view.before_at), view.before, chart.right - chart.left)
        parts.append(chart.area("load", before_at, np.full(len(before), max(limits.bottom, 0.0)), before))
    for i, (_, lower, upper) in enumerate(picture.list_bands(view)):
        parts.append(chart.area(_band(i), at, lower, upper))
    parts.append(chart.line("median", at, view.curves[0.5]))
    if view.served is not None:
        parts.append(chart.line("served", np.array(span), np.full(2, view.served)))
    parts.append(chart.upright("origin", view.origin))
    if view.now is not None:
        parts.append(f'<circle class="now" cx="{chart.x(view.now[0]):.1f}" cy="{chart.y(view.now[1]):.1f}" r="4"/>')
    return chart.close(parts, f"Forecast of {view.name}")


def _table(view: View) -> str:
    head = "".join(f"<th>{cell}</th>" for cell in ("from", *(f"p{100 * level:g}" for level in view.levels)))
    rows = []
    for i, at in enumerate(view.at.tolist()):
        cells = [f"{view.moment(at):%Y-%m-%d %H:%M}", *(number(float(view.curves[q][i])) for q in view.levels)]
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    return f"<table><tr>{head}</tr>{''.join(rows)}</table>"
