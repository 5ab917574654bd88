"""A replay as one HTML page that needs no network: drawn as SVG here, made readable by a small script in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

import numpy as np

from presage.cli.drawing.axes import plan_limits, shorten, thin
from presage.cli.drawing.page import embed, fill_page
from presage.cli.drawing.svg import Chart, known_or_none
from presage.cli.simulate.picture import Picture, Row, build_picture
from presage.cli.simulate.result import Simulation, describe_run, describe_saving, percent
from presage.core.samples import FloatArray
from presage.core.scaling.rivals import SYNC_S

_WIDE, _NEAR, _HEIGHT, _LEFT, _MARGIN = 900, 400, 170, 52, 8
_MARK = 20  # the highest mark
_MOMENTS = 700  # that the script can tell of, over the whole window


def render_page(result: Simulation) -> str:
    """Return the page."""
    picture, name = build_picture(result), shorten(result.load.name, 200)
    rows = [_draw_row(picture, row, result) for row in picture.rows]
    parts = {
        "__TITLE__": f"presage simulate: {escape(name)}",
        "__NAME__": escape(name),
        "__SAVING__": escape(describe_saving(result)),
        "__RUN__": escape(describe_run(result)),
        "__LEGEND__": "".join(_legend(picture)),
        "__WHY__": escape(picture.why_near),
        "__CHARTS__": "\n".join([*rows, _draw_replicas(picture, result)]),
        "__TABLE__": _table(result),
        "__DATA__": embed(_data(picture, result)),
    }
    return fill_page(__package__, parts)


def _legend(picture: Picture) -> Iterator[str]:
    box, line = '<rect y="1" width="24" height="10"/>', '<path d="M0 6H24"/>'
    entries = [("load", "load", box), ("unmet", "not served (marks at the foot: when, and how much)", box)]
    entries += [(f"line {row.rule}", f"ready under {row.title}", line) for row in picture.rows]
    for kind, text, shape in entries:
        drawn = f'<svg viewBox="0 0 24 12" aria-hidden="true"><g class="{kind}">{shape}</g></svg>'
        yield f"<span>{drawn}{escape(text)}</span>"


def _draw_row(picture: Picture, row: Row, result: Simulation) -> str:
    unit = shorten(result.unit or "load", 24)
    drawn = []
    for near in (False, True):
        chart, part = _chart(picture, near=near)
        at, load = picture.at[part], picture.load[part]
        body = [
            chart.frame(result.zone, 5 if near else 10, "" if near else unit),
            chart.area("load", *_area(chart, at, load)),
            chart.area("unmet", at, row.served[part], load),
            chart.line(f"line {row.rule}", *_line(chart, at, row.capacity[part])),
            _marks(chart, row),
        ]
        drawn.append(_close(chart, body, picture, f"Load, and the load that pods serve under {row.title}", near=near))
    head = f'<b class="name {row.rule}">{escape(row.title)}</b> {escape(row.note)}'
    return _figure(head, drawn)


def _draw_replicas(picture: Picture, result: Simulation) -> str:
    most = float(picture.most_replicas)
    drawn = []
    for near in (False, True):
        chart, part = _chart(picture, near=near, most=most)
        lines = [
            chart.line(f"line {row.rule}", *_line(chart, picture.at[part], _replicas(result, row)[part]))
            for row in reversed(picture.rows)
        ]
        body = [chart.frame(result.zone, 5 if near else 10, "" if near else "replicas"), *lines]
        drawn.append(_close(chart, body, picture, "Replicas asked for under each rule", near=near))
    return _figure("<b>replicas asked for</b>", drawn)


def _replicas(result: Simulation, row: Row) -> FloatArray:
    return np.asarray(result.outcomes[row.rule].replicas, np.float64)


def _figure(head: str, drawn: Sequence[str]) -> str:
    return f'<figure><figcaption>{head}</figcaption><div class="pair">{"".join(drawn)}</div></figure>'


def _chart(picture: Picture, *, near: bool, most: float | None = None) -> tuple[Chart, slice]:
    """Return a chart's scales, and which ticks it shows."""
    span = picture.near if near else picture.span
    limits = picture.limits if most is None else plan_limits(0.0, most, most)
    wide = _NEAR if near else _WIDE
    first, last = np.searchsorted(picture.at, span).tolist()
    return Chart(wide, _HEIGHT, _LEFT, wide - _MARGIN, span, limits), slice(first, last)


def _line(chart: Chart, at: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the corners of a line that moves in steps, or fewer points where there are more than can be seen."""
    thinned = thin(at, values, chart.right - chart.left)
    if len(thinned[0]) < len(at):
        return thinned
    moved = np.flatnonzero(np.diff(values)) + 1
    edges = np.repeat((at[moved - 1] + at[moved]) / 2, 2)
    levels = values[np.concatenate([[0], moved])]
    return np.concatenate([at[:1], edges, at[-1:]]), np.repeat(levels, 2)


def _area(chart: Chart, at: FloatArray, load: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    at, load = thin(at, load, chart.right - chart.left)
    return at, np.where(np.isfinite(load), 0.0, np.nan), load


def _marks(chart: Chart, row: Row) -> str:
    """Return a mark at the foot of the chart for each time with unmet load, higher where more of it was."""
    first, last = chart.span
    foot = chart.y(chart.limits.bottom)
    tallest: dict[tuple[float, float], float] = {}
    for (begin, end), height in zip(row.spells.tolist(), row.heights.tolist(), strict=True):
        if end <= first or begin >= last:
            continue
        left, right = chart.x(max(begin, first)), chart.x(min(end, last))
        place = (round(left, 1), round(max(right - left, 1.0), 1))
        tallest[place] = max(tallest.get(place, 0.0), height)
    bars = (f"M{x} {foot:.1f}v-{_MARK * tall:.1f}h{wide}V{foot:.1f}z" for (x, wide), tall in sorted(tallest.items()))
    return f'<path class="mark" d="{"".join(bars)}"/>'


def _close(chart: Chart, parts: list[str], picture: Picture, says: str, *, near: bool) -> str:
    if near:
        return chart.close(parts, f"{says}, from near")
    shade = chart.window(*picture.near)
    return chart.close([*parts, shade, chart.upright("cursor", picture.span[0])], says)


def _table(result: Simulation) -> str:
    head = ("rule", "unmet", "under-provisioned, min", "replica-hours", "changes")
    lines = ["<tr>" + "".join(f"<th>{cell}</th>" for cell in head) + "</tr>"]
    for rule, outcome in result.outcomes.items():
        cells = [
            escape(result.name(rule)),
            percent(outcome.unmet_share),
            f"{outcome.under_minutes:,.0f}",
            f"{outcome.replica_hours:,.1f}",
            f"{outcome.changes:,}",
        ]
        lines.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    return "<table>" + "".join(lines) + "</table>"


def _data(picture: Picture, result: Simulation) -> dict[str, Any]:
    """Return what the script tells of: in each of some moments the highest load, the fewest pods and what was unmet."""
    width = -(-len(picture.at) // _MOMENTS)
    starts = np.arange(0, len(picture.at), width)
    known = np.isfinite(picture.load)
    highest = np.maximum.reduceat(np.where(known, picture.load, -np.inf), starts)
    rules = []
    for row in picture.rows:
        outcome = result.outcomes[row.rule]
        unmet = np.add.reduceat(outcome.unmet, starts) / np.add.reduceat(np.ones(len(picture.at)), starts)
        ready = np.minimum.reduceat(outcome.ready, starts)
        rules.append({"name": row.title, "ready": ready.tolist(), "unmet": known_or_none(unmet, 3)})
    return {
        "width": _WIDE,
        "left": _LEFT,
        "right": _WIDE - _MARGIN,
        "share": width / len(picture.at),
        "times": [f"{result.moment(result.start + int(start) * SYNC_S):%a %d %b %H:%M}" for start in starts],
        "load": known_or_none(np.where(np.isfinite(highest), highest, np.nan), 4),
        "rules": rules,
    }
