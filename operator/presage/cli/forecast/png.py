"""A forecast as a PNG picture, drawn by matplotlib."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from presage.cli.drawing.axes import AHEAD, INK, LOAD, RIVAL, SOFT, shorten, thin
from presage.cli.drawing.png import DPI, WIDTH_IN, finish_axes
from presage.cli.forecast import picture
from presage.cli.forecast.view import View

_CHART_IN, _FOOT_IN, _LINE_IN = 4.2, 0.9, 0.21
_LEFT_IN, _RIGHT_IN = 0.8, 0.3
_ALPHAS = (0.22, 0.42)  # of the widest band and of those inside it


def draw(view: View, path: Path) -> None:
    """Write the picture.

    Raises:
        OSError: If the file cannot be written.
    """
    lines = [shorten(line, 190) for line in picture.list_lines(view)]
    head = 0.55 + _LINE_IN * len(lines) + 0.15
    height = head + _CHART_IN + _FOOT_IN
    figure = Figure(figsize=(WIDTH_IN, height), dpi=DPI)
    FigureCanvasAgg(figure)
    left = _LEFT_IN / WIDTH_IN
    name = shorten(view.name, 100)
    figure.text(left, 1 - 0.32 / height, name, fontsize=15, fontweight="bold", color=INK, parse_math=False)
    for number, line in enumerate(lines):
        place = 1 - (0.58 + _LINE_IN * number) / height
        figure.text(left, place, line, fontsize=9, color=SOFT if number else INK, parse_math=False)
    wide = (WIDTH_IN - _LEFT_IN - _RIGHT_IN) / WIDTH_IN
    axes = figure.add_axes((left, _FOOT_IN / height, wide, _CHART_IN / height))
    _draw_chart(axes, view)
    figure.legend(
        *axes.get_legend_handles_labels(), loc="lower left", bbox_to_anchor=(left - 0.01, 0.0), ncols=6, frameon=False
    )
    figure.savefig(path, format="png")


def _draw_chart(axes: Axes, view: View) -> None:
    if len(view.before):
        at, values = thin(picture.middles(view, view.before_at), view.before, 2_000)
        axes.fill_between(at, values, color=LOAD, linewidth=0, label="load")
    at = picture.middles(view, view.at)
    for number, (name, lower, upper) in enumerate(picture.list_bands(view)):
        axes.fill_between(at, lower, upper, color=AHEAD, alpha=_ALPHAS[min(number, 1)], linewidth=0, label=name)
    axes.plot(at, view.curves[0.5], color=AHEAD, linewidth=1.7, label="median")
    if view.now is not None:
        axes.plot([view.now[0]], [view.now[1]], "o", color=INK, markersize=5, label="load now")
    if view.served is not None:
        axes.axhline(view.served, color=RIVAL, linestyle=(0, (4, 2)), linewidth=1.1, label="served by the replicas")
    axes.axvline(view.origin, color=INK, linestyle=(0, (4, 2)), linewidth=0.9)
    axes.set_ylabel(shorten(view.unit or "load", 40), fontsize=9, color=SOFT)
    finish_axes(axes, picture.find_span(view), picture.find_limits(view), view.zone, 14)
