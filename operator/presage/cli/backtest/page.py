"""A backtest as one HTML page that needs no network: drawn as SVG here, made readable by a small script in it.

The page is a template of ours. A chart library would weigh megabytes for a line and two bands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from presage.cli.backtest import picture
from presage.cli.backtest.picture import Panel
from presage.cli.backtest.result import METHOD_NAMES, Result, describe_run, describe_scores
from presage.cli.drawing.axes import shorten, thin
from presage.cli.drawing.page import embed, fill_page
from presage.cli.drawing.svg import Chart, known_or_none
from presage.core.forecast.rolling import PRESAGE

_WIDTH, _HEIGHT, _LEFT, _RIGHT = 440, 230, 44, 432
_WIDE, _LOW, _WIDE_RIGHT = 1_360, 260, 1_352


def render_page(result: Result) -> str:
    """Return the page."""
    panels = picture.build_panels(result)
    shown = picture.choose_panels(panels)
    name = shorten(result.load.name, 200)
    parts = {
        "__TITLE__": f"presage backtest: {escape(name)}",
        "__NAME__": escape(name),
        "__SCORES__": "".join(f"<p>{escape(line)}</p>" for line in describe_scores(result)),
        "__RUN__": escape(describe_run(result)),
        "__LEGEND__": "".join(_legend(result, panels)),
        "__OVERVIEW__": _overview(result, panels, shown),
        "__WHICH__": escape(picture.describe_panels(result, len(shown)).capitalize()),
        "__PANELS__": "\n".join(_panel(result, panel, number) for number, panel in enumerate(shown)),
        "__TABLE__": _table(result),
        "__DATA__": embed(_data(result, shown)),
    }
    return fill_page(__package__, parts)


def _legend(result: Result, panels: Sequence[Panel]) -> Iterator[str]:
    names = [name for name, _, _ in panels[0].bands] if panels else []
    bands = [("band wide" if i == 0 and len(names) > 1 else "band", name, _BOX) for i, name in enumerate(names)]
    missed = f"above the {picture.TOP_LEVEL:g} band: {picture.count_missed(result)} slots"
    entries = [
        ("load", "load", _BOX),
        ("truth", "load that came", _LINE),
        ("median", "forecast (median)", _LINE),
        *reversed(bands),
        ("miss", missed, '<circle cx="12" cy="6" r="3"/>'),
        ("rival", "yesterday's value", _LINE),
        ("origin", "origin of a forecast", '<path d="M12 0V12"/>'),
    ]
    for kind, text, shape in entries:
        drawn = f'<svg viewBox="0 0 24 12" aria-hidden="true"><g class="{kind}">{shape}</g></svg>'
        yield f"<span>{drawn}{escape(text)}</span>"


_BOX, _LINE = '<rect y="1" width="24" height="10"/>', '<path d="M0 6H24"/>'


def _overview(result: Result, panels: Sequence[Panel], shown: Sequence[Panel]) -> str:
    load = result.load
    limits = picture.find_limits(result, panels)
    chart = Chart(_WIDE, _LOW, _LEFT + 14, _WIDE_RIGHT, (load.start, load.end), limits)
    at, values = thin(load.middles(), load.grid.values, chart.right - chart.left)
    unit = shorten(result.unit or "load", 40)
    parts = [chart.frame(result.zone, 14, unit), chart.area("load", at, _base(chart, values), values)]
    for panel in panels:
        parts.append(chart.window(panel.origin, panel.span[1]))
        parts += [*_bands(chart, panel), chart.misses(panel.at, panel.truth, panel.top, panel.missed)]
        parts.append(chart.upright("origin", panel.origin))
    for number, panel in enumerate(shown):
        tip = f"<title>{escape(panel.title)}: {escape(panel.note)}</title>"
        parts.append(f'<a href="#origin-{number}">{tip}{chart.upright("hit", panel.origin)}</a>')
    return chart.close(parts, "The whole load, with each forecast from its origin on")


def _panel(result: Result, panel: Panel, number: int) -> str:
    chart = Chart(_WIDTH, _HEIGHT, _LEFT, _RIGHT, panel.span, picture.find_panel_limits(panel))
    parts = [
        chart.frame(result.zone, 6),
        chart.area("load", panel.before_at, _base(chart, panel.before), panel.before),
        chart.area("came", panel.at, _base(chart, panel.truth), panel.truth),
        *_bands(chart, panel),
        chart.line("rival", panel.at, panel.rival),
        chart.line("median", panel.at, panel.point),
        chart.line("known", panel.before_at, panel.before),
        chart.line("truth", panel.at, panel.truth),
        chart.misses(panel.at, panel.truth, panel.top, panel.missed),
        chart.upright("origin", panel.origin),
        chart.upright("cursor", panel.origin),
    ]
    drawn = chart.close(parts, f"Forecast of {panel.title}: {panel.note}")
    mark = " ← worst" if panel.worst else ""
    caption = f'<b>{escape(panel.title)}{mark}</b><br><span class="says">{escape(panel.note)}</span>'
    kind = ' class="worst"' if panel.worst else ""
    return f'<figure id="origin-{number}"{kind} tabindex="0"><figcaption>{caption}</figcaption>{drawn}</figure>'


def _bands(chart: Chart, panel: Panel) -> Iterator[str]:
    for number, (_, lower, upper) in enumerate(panel.bands):
        kind = "band wide" if number == 0 and len(panel.bands) > 1 else "band"
        yield chart.area(kind, panel.at, lower, upper)


def _base(chart: Chart, values: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.full(len(values), max(chart.limits.bottom, 0.0))


def _table(result: Result) -> str:
    levels = sorted({level for scores in result.summary.values() for level in scores[PRESAGE].covered if level != 0.5})
    head = ["span", "method", "MASE", "× yesterday", "WQL", "× yesterday", *(f"at or below {q:g}" for q in levels)]
    lines = ["<tr>" + "".join(f"<th>{escape(cell)}</th>" for cell in head) + "</tr>"]
    for span, scores in result.summary.items():
        for method, score in scores.items():
            error, loss = result.relative(span, method)
            numbers = [f"{value:.3f}" for value in (score.mase, error, score.wql, loss)]
            cells = [result.name_span(span), METHOD_NAMES[method], *numbers]
            cells += [f"{score.covered[level]:.1%}" for level in levels]
            lines.append("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>")
    return "<table>" + "".join(lines) + "</table>"


def _data(result: Result, shown: Sequence[Panel]) -> dict[str, Any]:
    levels = [name.removeprefix("median to ") for name, _, _ in reversed(shown[0].bands)] if shown else []
    tz = ZoneInfo(result.zone) if result.zone else UTC
    half = result.load.step / 2
    return {
        "left": _LEFT,
        "right": _RIGHT,
        "width": _WIDTH,
        "levels": levels,
        "panels": [
            {
                "times": [
                    f"{datetime.fromtimestamp(at - half, tz):%d %b %H:%M}"
                    for at in [*panel.before_at.tolist(), *panel.at.tolist()]
                ],
                "load": known_or_none(np.append(panel.before, panel.truth)),
                "median": known_or_none(panel.point),
                "quantiles": [
                    known_or_none(upper if float(name.removeprefix("median to ")) > 0.5 else lower)
                    for name, lower, upper in reversed(panel.bands)
                ],
                "rival": known_or_none(panel.rival),
            }
            for panel in shown
        ],
    }
