"""A replay as a PNG picture, drawn by matplotlib: a row a rule, the whole window and one stretch from near."""

from __future__ import annotations

from pathlib import Path
from textwrap import wrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from presage.cli.drawing.axes import INK, LOAD, MISS, SOFT, plan_limits, shorten, thin
from presage.cli.drawing.png import DPI, WIDTH_IN, finish_axes
from presage.cli.simulate.picture import Picture, Row, build_picture
from presage.cli.simulate.result import Simulation, describe_run, describe_saving

_HEAD_IN, _ROW_IN, _GAP_IN, _FOOT_IN, _REPLICAS_IN = 1.4, 1.5, 0.62, 0.95, 1.5
_LEFT_IN, _RIGHT_IN, _BETWEEN_IN, _NEAR_IN = 0.75, 0.25, 0.5, 4.0
_POINTS = 1_600  # columns of the wide charts
_MARK = 0.14  # of the axis: the highest mark
_LINE = 150  # characters of a line in the head
_WIDTHS = {"presage": 1.8}


def draw(result: Simulation, path: Path) -> None:
    """Write the picture.

    Raises:
        OSError: If the file cannot be written.
    """
    picture = build_picture(result)
    rows = len(picture.rows)
    height = _HEAD_IN + rows * (_ROW_IN + _GAP_IN) + _REPLICAS_IN + _FOOT_IN
    figure = Figure(figsize=(WIDTH_IN, height), dpi=DPI)
    FigureCanvasAgg(figure)
    _draw_head(figure, result, height)
    for number, row in enumerate(picture.rows):
        top = _HEAD_IN + number * (_ROW_IN + _GAP_IN)
        for near in (False, True):
            axes = figure.add_axes(_place(height, top, _ROW_IN, near=near))
            _draw_row(axes, picture, row, result, near=near)
    top = _HEAD_IN + rows * (_ROW_IN + _GAP_IN)
    for near in (False, True):
        _draw_replicas(figure.add_axes(_place(height, top, _REPLICAS_IN, near=near)), picture, result, near=near)
    _draw_legend(figure, picture, result)
    figure.savefig(path, format="png")


def _place(height: float, top: float, tall: float, *, near: bool) -> tuple[float, float, float, float]:
    """Return left, bottom, width and height as shares of the figure; `top` is measured from above."""
    wide = WIDTH_IN - _LEFT_IN - _RIGHT_IN - _BETWEEN_IN - _NEAR_IN
    left = _LEFT_IN + (wide + _BETWEEN_IN if near else 0.0)
    return left / WIDTH_IN, 1 - (top + tall) / height, (_NEAR_IN if near else wide) / WIDTH_IN, tall / height


def _draw_head(figure: Figure, result: Simulation, height: float) -> None:
    left = _LEFT_IN / WIDTH_IN
    name = shorten(result.load.name, 100)
    figure.text(left, 1 - 0.30 / height, name, fontsize=15, fontweight="bold", color=INK, parse_math=False)
    lines = [*((line, 10, INK) for line in wrap(describe_saving(result), _LINE)), (describe_run(result), 9, SOFT)]
    for number, (text, size, colour) in enumerate(lines):
        figure.text(left, 1 - (0.56 + 0.22 * number) / height, text, fontsize=size, color=colour, parse_math=False)


def _draw_row(axes: Axes, picture: Picture, row: Row, result: Simulation, *, near: bool) -> None:
    span = picture.near if near else picture.span
    part = (picture.at >= span[0]) & (picture.at <= span[1])
    at, load = picture.at[part], picture.load[part]
    axes.fill_between(*thin(at, load, _POINTS), color=LOAD, linewidth=0)
    axes.fill_between(at, row.served[part], load, color=MISS, alpha=0.75, linewidth=0.6, step="mid")
    width = _WIDTHS.get(row.rule, 1.4)
    if near:
        axes.step(at, row.capacity[part], where="mid", color=row.colour, linewidth=width)
    else:
        axes.plot(*thin(at, row.capacity[part], _POINTS), color=row.colour, linewidth=width * 0.7)
        axes.axvspan(*picture.near, color=INK, alpha=0.06, linewidth=0)
    inside = (row.spells[:, 1] >= span[0]) & (row.spells[:, 0] <= span[1])
    begin, end = row.spells[inside].T
    tall = row.heights[inside] * _MARK * (picture.limits.top - picture.limits.bottom)
    least = (span[1] - span[0]) / _POINTS
    axes.bar(begin, tall, np.maximum(end - begin, least), picture.limits.bottom, align="edge", color=MISS, linewidth=0)
    finish_axes(axes, span, picture.limits, result.zone, 5 if near else 9)
    if near:
        first = row.rule == picture.rows[0].rule
        axes.set_title(picture.why_near if first else "", loc="left", fontsize=8, color=SOFT, pad=4)
        return
    axes.set_title(row.title, loc="left", fontsize=9.5, fontweight="bold", color=row.colour, pad=4)
    axes.set_title(row.note, loc="right", fontsize=9, color=INK, pad=4)
    axes.set_ylabel(shorten(result.unit or "load", 24), color=SOFT, fontsize=8.5, parse_math=False)


def _draw_replicas(axes: Axes, picture: Picture, result: Simulation, *, near: bool) -> None:
    span = picture.near if near else picture.span
    part = (picture.at >= span[0]) & (picture.at <= span[1])
    for row in reversed(picture.rows):
        replicas = result.outcomes[row.rule].replicas[part].astype(np.float64)
        width = _WIDTHS.get(row.rule, 1.2) * (1 if near else 0.7)
        points = (picture.at[part], replicas) if near else thin(picture.at[part], replicas, _POINTS)
        axes.plot(*points, color=row.colour, linewidth=width, drawstyle="steps-mid" if near else "default")
    limits = plan_limits(0.0, float(picture.most_replicas), float(picture.most_replicas))
    finish_axes(axes, span, limits, result.zone, 5 if near else 9)
    if not near:
        axes.set_title("replicas asked for", loc="left", fontsize=9.5, fontweight="bold", color=INK, pad=4)
        axes.set_ylabel("replicas", color=SOFT, fontsize=8.5)
        axes.axvspan(*picture.near, color=INK, alpha=0.06, linewidth=0)


def _draw_legend(figure: Figure, picture: Picture, result: Simulation) -> None:
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    entries = [
        axes.fill_between([], [], color=LOAD, label="load"),
        axes.fill_between([], [], color=MISS, alpha=0.75, label="not served (marks at the foot: when, and how much)"),
        *(axes.plot([], [], color=row.colour, linewidth=1.8, label=row.title)[0] for row in picture.rows),
    ]
    figure.legend(
        handles=entries, loc="lower center", ncols=len(entries), fontsize=8.5, columnspacing=1.4, frameon=False
    )
    text = f"lines: load that the ready pods serve; below: pods asked for; times in {result.zone or 'UTC'}"
    figure.text(0.5, 0.42 / figure.get_figheight(), text, ha="center", fontsize=8.5, color=SOFT, parse_math=False)
