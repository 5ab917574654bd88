"""The look of PNG pictures, drawn by matplotlib."""

from __future__ import annotations

from matplotlib.axes import Axes

from presage.cli.drawing.axes import SOFT, Limits, plan_ticks, plan_values

WIDTH_IN, DPI = 14.0, 100


def finish_axes(axes: Axes, span: tuple[float, float], limits: Limits, zone: str | None, most: int) -> None:
    """Give a chart its scales, ticks and look.

    Args:
        axes: The chart.
        span: First and last moment, epoch seconds.
        limits: The value axis.
        zone: IANA name of the zone of the times; None = UTC.
        most: How many labels of time have room.
    """
    ticks, values = plan_ticks(*span, zone, most), plan_values(limits.bottom, limits.top, 5)
    axes.set_xlim(*span)
    axes.set_ylim(limits.bottom, limits.top)
    if limits.cut is not None:
        note = f"highest, not shown: {limits.cut:.4g}"
        axes.text(0.995, 0.98, note, transform=axes.transAxes, ha="right", va="top", fontsize=7.5, color=SOFT)
    axes.set_xticks([at for at, _ in ticks], [label for _, label in ticks], fontsize=8)
    axes.set_yticks([value for value, _ in values], [label for _, label in values], fontsize=8)
    axes.grid(visible=True, color="#e9ebef", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(colors=SOFT, length=2)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#8a919c")
