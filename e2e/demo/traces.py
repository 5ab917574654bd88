"""Load traces: read from CSV or generated, cut into whole days, and compressed into a day of minutes (pure).

Invariants: a trace's samples lie on the grid of its own step; a value is held until the next sample, since a line
between two samples would show a scaler the next one early. A compressed trace has the same shape as its source;
only time and scale differ.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

DAY_SECONDS = 86_400
PEAK_QUANTILE = 0.999
WHOLE_DAY_SHARE = 0.9


class TraceError(ValueError):
    """A trace that cannot be played; the message names the file or row and what to do."""


@dataclass(frozen=True)
class Trace:
    """Whole days of load: ``values[d, i]`` is the load in slot i of day d, each slot ``step_seconds`` long."""

    name: str
    step_seconds: float
    values: FloatArray

    @property
    def days(self) -> int:
        """Number of whole days."""
        return int(self.values.shape[0])


@dataclass(frozen=True)
class CompressedLoad:
    """Load in requests a second on a compressed time axis; the last day is the one to be played.

    ``rates[d, i]`` is held for ``step_seconds`` of real time; a day lasts ``day_seconds`` of real time.
    """

    name: str
    day_seconds: int
    step_seconds: float
    rates: FloatArray

    @property
    def history_days(self) -> int:
        """Number of days before the played one."""
        return int(self.rates.shape[0]) - 1

    @property
    def played(self) -> FloatArray:
        """Rates of the day to be played, (slots of a day,)."""
        return np.asarray(self.rates[-1])

    def tail_of_history(self, seconds: float) -> FloatArray:
        """Return the rates of the last ``seconds`` before the played day, (round(seconds / step),)."""
        flat = self.rates[:-1].ravel()
        return np.asarray(flat[len(flat) - round(seconds / self.step_seconds) :])


def read_csv(path: Path) -> Trace:
    """Read a trace with the header ``timestamp,value`` and cut it into whole days of UTC.

    Timestamps are epoch seconds or ISO 8601. Rows may be unsorted; of two with one timestamp the last counts. A
    day counts as whole with 90 % of its samples; only the last run of whole days on end is kept.

    Raises:
        TraceError: the file cannot be read or holds fewer than three whole days.
    """
    samples = _read_samples(path)
    if len(samples) < 2:
        raise TraceError(f"{path}: needs at least two rows of timestamp,value")
    times = np.array(sorted(samples))
    values = np.maximum(np.array([samples[t] for t in times]), 0.0)
    step = float(np.median(np.diff(times)))
    first, last = int(times[0] // DAY_SECONDS), int(times[-1] // DAY_SECONDS)
    per_day = np.bincount((times // DAY_SECONDS).astype(int) - first, minlength=last - first + 1)
    whole = per_day >= WHOLE_DAY_SHARE * DAY_SECONDS / step
    kept = _last_run(whole)
    if len(kept) < 3:
        raise TraceError(
            f"{path}: {len(kept)} whole days on end at a step of {step:g} s; at least 3 are needed: "
            "the last is played, those before it are its history"
        )
    slots = max(1, round(DAY_SECONDS / step))
    grid = (first + kept[0]) * DAY_SECONDS + np.arange(len(kept) * slots) * (DAY_SECONDS / slots)
    held = values[np.maximum(np.searchsorted(times, grid, side="right") - 1, 0)]
    return Trace(path.stem, DAY_SECONDS / slots, held.reshape(len(kept), slots))


def _last_run(flags: NDArray[np.bool_]) -> list[int]:
    """Return the indices of the last run of true values on end."""
    run: list[int] = []
    for index in np.flatnonzero(flags)[::-1]:
        if run and run[0] - index > 1:
            break
        run.insert(0, int(index))
    return run


def _read_samples(path: Path) -> dict[float, float]:
    try:
        with path.open(newline="") as file:
            rows = csv.reader(file)
            header = [name.strip().lower() for name in next(rows, [])]
            if header != ["timestamp", "value"]:
                raise TraceError(f"{path}: the first line must be 'timestamp,value', found {','.join(header)!r}")
            return dict(_parse_rows(path, rows))
    except (OSError, UnicodeDecodeError) as error:
        raise TraceError(f"{path}: {error}") from error


def _parse_rows(path: Path, rows: Iterable[list[str]]) -> Iterable[tuple[float, float]]:
    for number, row in enumerate(rows, start=2):
        if not row:
            continue
        try:
            stamp, value = row
            sample = _parse_time(stamp), float(value)
        except ValueError as error:
            raise TraceError(f"{path}, line {number}: {','.join(row)!r} is not timestamp,value ({error})") from error
        if not np.isfinite(sample).all():
            raise TraceError(f"{path}, line {number}: {','.join(row)!r} is not finite; leave missing samples out")
        yield sample


def _parse_time(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        stamp = datetime.fromisoformat(text.strip())
        return (stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)).timestamp()


def generate(days: int, seed: int, step_seconds: int = 60) -> Trace:
    """Return the built-in load: two rushes a day that open and close within minutes, no two days alike.

    Each day has its own height (12 % around the mean), its own balance of the two rushes and its own lateness of each
    (about 6 min); a slow wander and white noise lie over it, and on some days a burst of half an hour.

    Args:
        days: number of days, at least 3.
        seed: the same seed gives the same trace, and a longer one begins like a shorter one.
        step_seconds: slot length, a divisor of a day.

    Raises:
        TraceError: fewer than three days.
    """
    if days < 3:
        raise TraceError(f"{days} days asked; at least 3 are needed")
    values = np.vstack([_generate_day(np.random.default_rng((seed, day)), step_seconds) for day in range(days)])
    return Trace("built-in", float(step_seconds), values)


def _generate_day(rng: np.random.Generator, step_seconds: int) -> FloatArray:
    slots = DAY_SECONDS // step_seconds
    hour = np.arange(slots) * step_seconds / 3600
    shape = 0.12 * np.ones(slots)
    for opens, closes, height in ((8.5, 11.5, 0.8), (18.0, 21.5, 1.0)):
        shape += height * np.exp(rng.normal(0, 0.1)) * _rush(hour - rng.normal(0, 0.1), opens, closes)
    if rng.random() < 0.4:
        shape += rng.uniform(0.2, 0.4) * np.exp(-0.5 * ((hour - rng.uniform(9, 21)) / 0.25) ** 2)
    knots = np.linspace(0, slots - 1, 24)
    wander = np.interp(np.arange(slots), knots, rng.normal(0, 0.04, len(knots)))
    noise = rng.normal(0, 0.03, slots)
    return np.asarray(100 * np.exp(rng.normal(0, 0.12) + wander + noise) * shape)


def _rush(hour: FloatArray, opens: float, closes: float) -> FloatArray:
    """Return a bell from ``opens`` to ``closes`` whose flanks take about 25 min from a tenth to nine tenths."""
    flanks = 1 / (1 + np.exp((opens - hour) / 0.1)) / (1 + np.exp((hour - closes) / 0.1))
    middle, width = (opens + closes) / 2, closes - opens
    return np.asarray(flanks * (1 - 0.6 * ((hour - middle) / width) ** 2).clip(0))


def compress(trace: Trace, day_seconds: int, peak_rate: float, max_history_days: int) -> CompressedLoad:
    """Return the trace played at ``day_seconds`` a day, scaled so that its last day peaks at ``peak_rate``.

    The peak is the 99.9 % quantile of the last day, so that one odd sample does not set the scale.

    Raises:
        TraceError: the last day has no load.
    """
    kept = trace.values[-(max_history_days + 1) :]
    peak = float(np.quantile(kept[-1], PEAK_QUANTILE))
    if peak <= 0:
        raise TraceError(f"{trace.name}: the last whole day has no load to play")
    step = trace.step_seconds * day_seconds / DAY_SECONDS
    return CompressedLoad(trace.name, day_seconds, step, kept * (peak_rate / peak))
