"""A backtest as a PNG picture, drawn by matplotlib: the whole load above, each origin from near below."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from presage.cli.backtest import picture
from presage.cli.backtest.picture import Panel
from presage.cli.backtest.result import Result, describe_run, describe_scores
from presage.cli.drawing.axes import AHEAD, INK, LOAD, MISS, RIVAL, SOFT, shorten, thin
from presage.cli.drawing.png import DPI, WIDTH_IN, finish_axes

_COLUMNS = 4
_HEAD_IN, _OVERVIEW_IN, _ROW_IN, _GAP_IN, _FOOT_IN = 1.25, 2.5, 2.05, 0.75, 0.9
_LEFT_IN, _RIGHT_IN = 0.7, 0.3
_DASHES = (0, (4, 2))
_ALPHAS = (0.22, 0.42)  # of the widest band and of those inside it


def draw(result: Result, path: Path) -> None:
    """Write the picture.

    Raises:
        OSError: If the file cannot be written.
    """
    panels = picture.build_panels(result)
    shown = picture.choose_panels(panels)
    rows = -(-len(shown) // _COLUMNS)
    height = _HEAD_IN + _OVERVIEW_IN + rows * (_ROW_IN + _GAP_IN) + _FOOT_IN
    figure = Figure(figsize=(WIDTH_IN, height), dpi=DPI)
    FigureCanvasAgg(figure)
    _draw_head(figure, result, height)
    _draw_overview(figure.add_axes(_place(height, _HEAD_IN, _OVERVIEW_IN, 0, 1)), result, panels)
    for number, panel in enumerate(shown):
        top = _HEAD_IN + _OVERVIEW_IN + _GAP_IN + (number // _COLUMNS) * (_ROW_IN + _GAP_IN)
        axes = figure.add_axes(_place(height, top, _ROW_IN, number % _COLUMNS, _COLUMNS))
        _draw_panel(axes, panel, result.zone)
    _draw_legend(figure, result, panels, len(shown))
    figure.savefig(path, format="png")


def _place(height: float, top: float, tall: float, column: int, columns: int) -> tuple[float, float, float, float]:
    """Return left, bottom, width and height as shares of the figure; `top` is measured from above."""
    gap = 0.45
    wide = (WIDTH_IN - _LEFT_IN - _RIGHT_IN - gap * (columns - 1)) / columns
    left = _LEFT_IN + column * (wide + gap)
    return left / WIDTH_IN, 1 - (top + tall) / height, wide / WIDTH_IN, tall / height


def _draw_head(figure: Figure, result: Result, height: float) -> None:
    left = _LEFT_IN / WIDTH_IN
    name = shorten(result.load.name, 100)
    figure.text(left, 1 - 0.30 / height, name, fontsize=15, fontweight="bold", color=INK, parse_math=False)
    for number, line in enumerate([*describe_scores(result), describe_run(result)]):
        size, colour = (10, INK) if number < len(result.summary) else (9, SOFT)
        figure.text(left, 1 - (0.55 + 0.22 * number) / height, line, fontsize=size, color=colour, parse_math=False)


def _draw_overview(axes: Axes, result: Result, panels: Sequence[Panel]) -> None:
    limits = picture.find_limits(result, panels)
    axes.fill_between(*thin(result.load.middles(), result.load.grid.values, 2_000), color=LOAD, linewidth=0)
    for panel in panels:
        axes.axvspan(panel.origin, panel.span[1], color=AHEAD, alpha=0.05, linewidth=0)
        _draw_bands(axes, panel)
        axes.axvline(panel.origin, color=INK, linestyle=_DASHES, linewidth=0.9)
        axes.plot(panel.at[panel.missed], panel.truth[panel.missed], ".", color=MISS, markersize=3.5)
    finish_axes(axes, (result.load.start, result.load.end), limits, result.zone, 14)
    axes.set_ylabel(shorten(result.unit or "load", 40), color=SOFT, parse_math=False)


def _draw_panel(axes: Axes, panel: Panel, zone: str | None) -> None:
    axes.fill_between(panel.before_at, panel.before, color=LOAD, linewidth=0)
    axes.fill_between(panel.at, panel.truth, color=LOAD, alpha=0.55, linewidth=0)
    _draw_bands(axes, panel)
    axes.plot(panel.at, panel.rival, color=RIVAL, linewidth=0.8, linestyle=":")
    axes.plot(panel.at, panel.point, color=AHEAD, linewidth=1.5)
    axes.plot(panel.before_at, panel.before, color=SOFT, linewidth=0.9)
    axes.plot(panel.at, panel.truth, color=INK, linewidth=1.0)
    missed = panel.missed
    axes.vlines(panel.at[missed], panel.top[missed], panel.truth[missed], color=MISS, linewidth=1.2)
    axes.plot(panel.at[missed], panel.truth[missed], ".", color=MISS, markersize=3.5)
    axes.axvline(panel.origin, color=INK, linestyle=_DASHES, linewidth=1.1)
    finish_axes(axes, panel.span, picture.find_panel_limits(panel), zone, 6)
    title = f"{panel.title}{'   ← worst' if panel.worst else ''}"
    axes.set_title(f"{title}\n{panel.note}", loc="left", fontsize=8.5, color=MISS if panel.worst else INK, pad=4)


def _draw_bands(axes: Axes, panel: Panel) -> None:
    for number, (_, lower, upper) in enumerate(panel.bands):
        axes.fill_between(panel.at, lower, upper, color=AHEAD, alpha=_ALPHAS[min(number, 1)], linewidth=0)


def _draw_legend(figure: Figure, result: Result, panels: Sequence[Panel], shown: int) -> None:
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    inner, outer = _ALPHAS[1], _ALPHAS[0]
    names = [name for name, _, _ in panels[0].bands] if panels else []
    entries = [
        axes.fill_between([], [], color=LOAD, label="load"),
        *axes.plot([], [], color=INK, linewidth=1.0, label="load that came"),
        *axes.plot([], [], color=AHEAD, linewidth=1.5, label="forecast (median)"),
        *(
            axes.fill_between([], [], color=AHEAD, alpha=outer if i == 0 else min(1.0, inner + outer), label=name)
            for i, name in reversed(list(enumerate(names)))
        ),
        *axes.plot(
            [], [], ".-", color=MISS, label=f"above the {picture.TOP_LEVEL:g} band: {picture.count_missed(result)}"
        ),
        *axes.plot([], [], color=RIVAL, linestyle=":", label="yesterday's value"),
        *axes.plot([], [], color=INK, linestyle=_DASHES, label="origin of a forecast"),
    ]
    figure.legend(handles=entries, loc="lower center", ncols=len(entries), fontsize=9, frameon=False)
    text = picture.describe_panels(result, shown)
    figure.text(0.5, 0.46 / figure.get_figheight(), text, ha="center", fontsize=8.5, color=SOFT, parse_math=False)
