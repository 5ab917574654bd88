"""The run as a picture: the same load under presage and under the rival, with what each could not serve in red.

Below both, what was recorded meanwhile and what that cost.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from e2e.demo.accounting import Fleet, FloatArray, ready_per_second
from e2e.demo.plot_recording import draw_recording
from e2e.demo.record import RunRecord
from e2e.demo.recording import describe_recording
from e2e.demo.report import Summary, describe_outcome, describe_world, name_rival

INK, GREY, BLUE, GREEN, ORANGE, RED = "#222222", "#c9ced6", "#1f5fbf", "#5aa469", "#c77800", "#d62728"


def draw(summary: Summary, path: Path) -> None:
    """Write the picture as a PNG file; it has a panel more where it is known what was recorded."""
    record, recording = summary.record, summary.recording
    mpl.use("Agg")
    heights = [3.0, 3.0] if recording is None else [3.0, 3.0, 2.0]
    figure = Figure(figsize=(12, 1.6 + sum(heights)), dpi=110, layout="constrained")
    above, below, *others = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    load = record.counts.load
    minutes = np.arange(len(load)) / 60
    _draw_world(above, record, record.presage, minutes, BLUE, "capacity under presage")
    _draw_forecast(above, record)
    _draw_world(below, record, record.rival, minutes, ORANGE, "capacity under the HPA rule")
    for axes, name, own in ((above, "presage", summary.presage), (below, name_rival(record), summary.rival)):
        axes.set_title(describe_world(name, own), loc="left", fontsize=12, color=INK)
    figure.suptitle(describe_outcome(summary), fontsize=15, fontweight="bold", color=INK)
    _finish_axes(above, below, record, load)
    drawn: list[Axes] = [above, below, *others]
    if others and record.recorded is not None and recording is not None:
        drawn.append(draw_recording(others[0], record.recorded, load, record.start))
        others[0].set_title(describe_recording(recording), loc="left", fontsize=12, color=INK)
    drawn[len(heights) - 1].set_xlabel(f"minutes of the run (one day in {record.day_seconds / 60:g} min)")
    labelled = [axes.get_legend_handles_labels() for axes in drawn]
    legends = {text: handle for handles, texts in labelled for handle, text in zip(handles, texts, strict=True)}
    figure.legend(legends.values(), legends.keys(), loc="outside lower center", ncols=3, fontsize=9, frameon=False)
    figure.savefig(path)


def _draw_world(axes: Axes, record: RunRecord, fleet: Fleet, minutes: FloatArray, colour: str, label: str) -> None:
    load = record.counts.load
    capacity = record.capacity * ready_per_second(fleet.lives, record.start, len(load))
    axes.fill_between(minutes, load, color=GREY, linewidth=0, label="load")
    axes.fill_between(minutes, load, np.minimum(load, capacity), color=RED, linewidth=0, label="not served")
    axes.plot(minutes, capacity, color=colour, linewidth=1.8, label=label)


def _draw_forecast(axes: Axes, record: RunRecord) -> None:
    inside = [s for s in record.forecast if record.start <= s.at <= record.start + record.day_seconds]
    if not inside:
        return
    minutes = np.array([(sample.at - record.start) / 60 for sample in inside])
    lower, upper = np.array([s.median for s in inside]), np.array([s.upper for s in inside])
    label = "forecast a lead time ahead (from the median to what replicas are made for)"
    axes.fill_between(minutes, lower, upper, color=GREEN, alpha=0.35, linewidth=0, label=label)
    axes.plot(minutes, upper, color=GREEN, linewidth=0.9)


def _scale(factor: float) -> Callable[[ArrayLike], ArrayLike]:
    return lambda values: np.asarray(values, dtype=float) * factor


def _finish_axes(above: Axes, below: Axes, record: RunRecord, load: FloatArray) -> None:
    length = record.day_seconds / 60
    fleets = (record.presage, record.rival)
    most = max(float(ready_per_second(fleet.lives, record.start, len(load)).max()) for fleet in fleets)
    top = max(float(load.max()), record.capacity * most) * 1.06
    for axes in (above, below):
        axes.set_xlim(0, length)
        axes.set_ylim(0, top)
        axes.set_ylabel("requests/s")
        axes.grid(visible=True, color="#eeeeee")
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        pods = axes.secondary_yaxis("right", functions=(_scale(1 / record.capacity), _scale(record.capacity)))
        pods.set_ylabel("pods")
    hours = above.secondary_xaxis("top", functions=(_scale(24 / length), _scale(length / 24)))
    hours.set_xticks(range(0, 25, 2))
    hours.set_xticklabels([f"{hour}:00" for hour in range(0, 25, 2)], fontsize=8, color="#666666")
