"""What a picture of a backtest shows, whoever draws it: which stretches, which points, which ticks. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from presage.cli.backtest.result import Result, compare
from presage.core.forecast.rolling import PRESAGE, SCORED_LEVELS, YESTERDAY, Origin
from presage.core.forecast.types import BoolArray, FloatArray
from presage.core.units import format_duration

INK, SOFT, LOAD, AHEAD, RIVAL, MISS = "#1d2129", "#5c6470", "#c6ccd6", "#007a5a", "#a65300", "#d1003f"
TOP_LEVEL = SCORED_LEVELS[-1]
MOST_PANELS = 12
_BEFORE = 0.5  # history shown before a forecast, in horizons
_OVERSHOOT = 1.6  # a band is shown up to so many times what came
_LITTLE_MORE = 1.3  # so much more is shown rather than cut
_USUAL_SHARE, _RARE_PEAK = 0.99, 2.5  # a peak beyond so many times what the load usually stays below is cut
_HOURS = (1, 2, 3, 4, 6, 12)
_DAYS = (1, 2, 4, 7, 14, 28, 56, 91, 182, 364)
_SUFFIXES = (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e4))
_MINUTES = (1, 2, 5, 10, 15, 20, 30)
_SECONDS = (1, 2, 5, 10, 15, 20, 30)


@dataclass(frozen=True, slots=True)
class Panel:
    """One origin from near.

    Attributes:
        title: When the forecast was made.
        note: How good it was, in words.
        worst: Whether it is the worst of all.
        origin: Epoch second of the forecast's start.
        before: (n,) load before it; the times are those of the slots' middles.
        before_at: (n,) their times.
        at: (h,) times of forecast and truth.
        truth: (h,) load that came.
        point: (h,) median forecast.
        bands: Lower and upper edge of each band, the widest first, with its name.
        top: (h,) highest scored quantile.
        rival: (h,) yesterday's value.
        missed: (h,) whether the truth lies above `top`.
    """

    title: str
    note: str
    worst: bool
    origin: float
    before: FloatArray
    before_at: FloatArray
    at: FloatArray
    truth: FloatArray
    point: FloatArray
    bands: Sequence[tuple[str, FloatArray, FloatArray]]
    top: FloatArray
    rival: FloatArray
    missed: BoolArray

    @property
    def span(self) -> tuple[float, float]:
        """First and last moment shown."""
        half = (self.at[1] - self.at[0]) / 2 if len(self.at) > 1 else 0.0
        first = self.before_at[0] if len(self.before_at) else self.origin
        return float(first - half), float(self.at[-1] + half)


def build_panels(result: Result) -> list[Panel]:
    """Return a panel for each origin."""
    return [_build_panel(result, origin) for origin in result.origins]


def choose_panels(panels: Sequence[Panel], most: int = MOST_PANELS) -> list[Panel]:
    """Return the panels to show: all, or so many evenly spaced ones, the worst among them."""
    if len(panels) <= most:
        return list(panels)
    kept = {round(float(i)) for i in np.linspace(0, len(panels) - 1, most)}
    worst = next((i for i, panel in enumerate(panels) if panel.worst), None)
    if worst is not None and worst not in kept:
        kept = kept - {min(kept, key=lambda i: abs(i - worst))} | {worst}
    return [panels[i] for i in sorted(kept)]


def _build_panel(result: Result, origin: Origin) -> Panel:
    step, curves = result.load.step, origin.curves[PRESAGE]
    start, horizon = result.at(origin.slot), len(origin.truth)
    before = origin.history[-max(1, math.ceil(_BEFORE * horizon)) :]
    top = curves.quantiles[TOP_LEVEL]
    return Panel(
        title=f"{result.moment(origin.slot):%a %d %b %Y, %H:%M}",
        note=_note(result, origin),
        worst=origin is result.worst() and len(result.origins) > 1,
        origin=start,
        before=before,
        before_at=_middles(start, -len(before), 0, step),
        at=_middles(start, 0, horizon, step),
        truth=origin.truth,
        point=curves.point,
        bands=list(_bands(curves.quantiles)),
        top=top,
        rival=origin.curves[YESTERDAY].point,
        missed=find_missed(origin.truth, top),
    )


def _middles(start: float, first: int, last: int, step: int) -> FloatArray:
    return np.asarray(start + (np.arange(first, last) + 0.5) * step, dtype=np.float64)


def find_missed(truth: FloatArray, top: FloatArray) -> BoolArray:
    """Return where the truth lies above the band; a missing one lies nowhere."""
    return np.isfinite(truth) & (np.where(np.isfinite(truth), truth, 0.0) > top + 1e-9)


def _note(result: Result, origin: Origin) -> str:
    scores = origin.scores.get(result.longest)
    if scores is None:
        return "no truth is known"
    error, _ = compare(scores, PRESAGE)
    return f"error {error:.2f} × yesterday's, {1 - scores[PRESAGE].covered[TOP_LEVEL]:.0%} above the band"


def _bands(quantiles: Mapping[float, FloatArray]) -> Iterator[tuple[str, FloatArray, FloatArray]]:
    """Yield name, lower and upper edge between the median and each other level, the widest first."""
    middle = quantiles[0.5]
    for level in sorted((q for q in quantiles if q != 0.5), key=lambda q: -abs(q - 0.5)):
        edges = (middle, quantiles[level]) if level > 0.5 else (quantiles[level], middle)
        yield f"median to {level:g}", *edges


def count_missed(result: Result) -> int:
    """Return how many slots of all origins lie above the band; slots in two forecasts count twice."""
    tops = [origin.curves[PRESAGE].quantiles[TOP_LEVEL] for origin in result.origins]
    pairs = zip(result.origins, tops, strict=True)
    return sum(int(find_missed(origin.truth, top).sum()) for origin, top in pairs)


@dataclass(frozen=True, slots=True)
class Limits:
    """Lowest and highest load that an axis shows; `cut` is the highest there is, if it lies beyond."""

    bottom: float
    top: float
    cut: float | None


def find_limits(result: Result, panels: Sequence[Panel]) -> Limits:
    """Return the axis of the whole load: all of it, but for rare peaks that would flatten the rest."""
    values = result.load.grid.values
    known = values[np.isfinite(values)]
    high, usual = float(known.max()), _RARE_PEAK * float(np.quantile(known, _USUAL_SHARE))
    reach = max((_highest(panel) for panel in panels), default=0.0)
    return _limit(float(known.min()), max(min(high, usual) if usual > 0 else high, reach), high)


def find_panel_limits(panel: Panel) -> Limits:
    """Return the axis of one origin: what came and the bands near it; a peak before it may be cut."""
    shown = np.concatenate([panel.truth, panel.before])
    known = shown[np.isfinite(shown)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    reach = max(_highest(panel), float(panel.point.max()))
    usual = float(np.quantile(known, _USUAL_SHARE)) if len(known) else 0.0
    return _limit(min(low, float(panel.point.min())), max(reach, min(high, _RARE_PEAK * usual)), high)


def _highest(panel: Panel) -> float:
    """Return the highest truth, or the band's top where that is little higher."""
    known = panel.truth[np.isfinite(panel.truth)]
    came = float(known.max()) if len(known) else 0.0
    return max(came, min(float(panel.top.max()), came * _OVERSHOOT))


def _limit(low: float, high: float, highest: float) -> Limits:
    bottom = min(low, 0.0)
    top = max(high, highest) if highest <= _LITTLE_MORE * high else high
    room = (top - bottom) * 0.06 or 1.0
    return Limits(bottom - (room if low < 0 else 0.0), top + room, highest if highest > top + room else None)


def thin(at: FloatArray, values: FloatArray, columns: int) -> tuple[FloatArray, FloatArray]:
    """Return at most some 2 × `columns` points that look the same: lowest and highest value of each column.

    Args:
        at: (n,) times.
        values: (n,) NaN where missing; a column without a value stays a gap.
        columns: Columns of the picture.
    """
    if len(values) <= 2 * columns:
        return at, values
    width = math.ceil(len(values) / columns)
    pad = -len(values) % width
    block = np.append(values, np.full(pad, np.nan)).reshape(-1, width)
    known = np.isfinite(block)
    low = np.where(known, block, np.inf).argmin(axis=1)
    high = np.where(known, block, -np.inf).argmax(axis=1)
    index = np.sort(np.stack([low, high], axis=1), axis=1) + (np.arange(len(block)) * width)[:, None]
    kept = np.minimum(index.ravel(), len(values) - 1)
    return at[kept], np.where(np.repeat(known.any(axis=1), 2), values[kept], np.nan)


def plan_ticks(first: float, last: float, zone: str | None, most: int) -> list[tuple[float, str]]:
    """Return time and label of the ticks of a time axis: round moments of the zone, at most `most` of them.

    Args:
        first: Start of the axis, epoch seconds.
        last: Its end.
        zone: IANA name; None = UTC.
        most: How many labels have room.
    """
    tz = ZoneInfo(zone) if zone else UTC
    begin = datetime.fromtimestamp(first, tz)
    midnight = begin.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    span = last - first
    sizes = [*_SECONDS, *(60 * m for m in _MINUTES), *(3_600 * h for h in _HOURS), *(86_400 * d for d in _DAYS)]
    size = next((each for each in sizes if span / each <= most), sizes[-1])
    ticks: list[tuple[float, str]] = []
    number = math.floor((first - begin.timestamp() + _seconds_of(begin)) / size)
    while len(ticks) <= 2 * most:
        wall = midnight + timedelta(seconds=number * size)
        moment = wall.replace(tzinfo=tz).timestamp()
        number += 1
        if moment > last:
            break
        if moment >= first:
            ticks.append((moment, _label(wall, size)))
    return ticks


def _seconds_of(moment: datetime) -> float:
    return moment.hour * 3_600 + moment.minute * 60 + moment.second


def _label(wall: datetime, size: int) -> str:
    if size >= 86_400 or (wall.hour, wall.minute, wall.second) == (0, 0, 0):
        return f"{wall:%d %b}" if size < 91 * 86_400 else f"{wall:%b %Y}"
    return f"{wall:%H:%M:%S}" if size < 60 else f"{wall:%H:%M}"


def plan_values(bottom: float, top: float, most: int) -> list[tuple[float, str]]:
    """Return value and label of the ticks of a value axis: round numbers, at most `most` of them."""
    raw = (top - bottom) / most
    power = 10.0 ** math.floor(math.log10(raw))
    size = next(each * power for each in (1, 2, 5, 10) if each * power >= raw * (1 - 1e-9))
    first = math.ceil(bottom / size - 1e-9)
    count = math.floor((top - first * size) / size + 1e-9) + 1
    largest = max(abs(bottom), abs(top))
    rounded = [float(f"{(first + i) * size:.10g}") for i in range(count)]
    return [(value, _short(value, largest)) for value in rounded]


def _short(value: float, largest: float) -> str:
    """Return a number as an axis has room for, all with the suffix of the largest: 5k and 12k, 3.5M."""
    suffix, size = next(((s, size) for s, size in _SUFFIXES if largest >= size), ("", 1.0))
    return f"{value / (1e3 if suffix == 'k' else size):g}{suffix if value else ''}"


def describe_panels(result: Result, shown: int) -> str:
    """Return what the small pictures show."""
    horizon = format_duration(result.plan.horizon * result.load.step)
    which = "each origin" if shown == len(result.origins) else f"{shown} of {len(result.origins)} origins"
    return f"{which} from near: what was known before it, what was forecast for {horizon}, and what came"


def shorten(text: str, most: int) -> str:
    """Return the text in one line, cut to so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"
