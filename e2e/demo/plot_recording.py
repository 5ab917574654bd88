"""The panel of what was recorded: profiles as a band, bytes and CPU of telemetry above it, by time."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes

from e2e.demo.accounting import FloatArray, smooth
from e2e.demo.recording import Recorded, derive_reference

BYTES, CORES, LINE = "#5b7fb8", "#7a3e9d", "#222222"
BAND = ("#dfe7ef", "#a9cbe8", "#f2a65a")
_BAND_SHARE = 0.13
"""Of the panel's height, for the bands at its foot."""


def draw_recording(axes: Axes, recorded: Recorded, load: FloatArray, start: float) -> Axes:
    """Draw the panel; return the axes of CPU laid over it.

    Args:
        axes: The panel, whose time is in minutes.
        recorded: What to draw.
        load: Requests sent in each second of the day, (n,).
        start: Unix seconds at which the day begins.
    """
    cost, reference = recorded.cost, derive_reference(recorded)
    minutes = np.arange(len(cost.pods)) * cost.step_seconds / 60
    kilobytes, millicores = cost.bytes_per_second / 1000, cost.cores * 1000
    right = axes.twinx()
    axes.fill_between(minutes, kilobytes, color=BYTES, alpha=0.35, linewidth=0, label="telemetry scraped")
    right.plot(minutes, millicores, color=CORES, linewidth=1.5, label="CPU of telemetry")
    tops = [float(kilobytes.max()), float(millicores.max())]
    if reference is not None:
        of_bytes, of_cores = reference.bytes_per_second / 1000, reference.cores * 1000
        top = recorded.levels[-1].profile
        axes.plot(minutes, of_bytes, color=BYTES, linewidth=1.2, linestyle=":", label=f"the same, always {top}")
        right.plot(minutes, of_cores, color=CORES, linewidth=1.2, linestyle=":", label=f"its CPU, always {top}")
        tops = [max(tops[0], float(of_bytes.max())), max(tops[1], float(of_cores.max()))]
    for each, most, label in ((axes, tops[0], "kB/s"), (right, tops[1], "CPU, millicores")):
        span = max(most, 1e-9) * 1.08
        each.set_ylim(-span * _BAND_SHARE / (1 - _BAND_SHARE), span)
        each.set_yticks([tick for tick in each.get_yticks() if 0 <= tick <= span])
        each.set_ylabel(label)
        each.spines["top"].set_visible(False)
    _draw_band(axes, recorded)
    _mark_rises(axes, recorded, load)
    axes.grid(visible=True, color="#eeeeee")
    axes.set_axisbelow(True)
    return right


def _draw_band(axes: Axes, recorded: Recorded) -> None:
    """Draw which profile all pods recorded by, at the foot of the panel."""
    level = np.array(recorded.in_force)
    edges = [0, *(np.flatnonzero(np.diff(level)) + 1).tolist(), len(level)]
    foot = axes.get_ylim()[0]
    for begin, end in pairwise(edges):
        colour = BAND[min(int(level[begin]), len(BAND) - 1)]
        axes.fill_between([begin / 60, end / 60], foot, 0, color=colour, linewidth=0)
    for index, each in enumerate(recorded.levels):
        meant = f"{each.profile} in force" + (f" (meant above {each.above:g}/s)" if each.above else "")
        axes.fill_between([], [], color=BAND[min(index, len(BAND) - 1)], linewidth=0, label=meant)


def _mark_rises(axes: Axes, recorded: Recorded, load: FloatArray) -> None:
    """Mark where the load first called for a higher level, so that it shows what came first."""
    smoothed, foot = smooth(load), axes.get_ylim()[0]
    for level in recorded.levels[1:]:
        over = smoothed > level.above
        rises = np.flatnonzero(over[1:] & ~over[:-1]) + 1
        label = "load crosses a level's threshold" if level is recorded.levels[1] else "_as before"
        axes.vlines(rises / 60, foot, 0, color=LINE, linewidth=1.0, label=label)
