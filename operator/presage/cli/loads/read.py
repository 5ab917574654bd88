"""The load that a command was given, on a grid: from a CSV file or from a Prometheus."""

from __future__ import annotations

import argparse
import math
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from presage.cli.loads.arguments import AUTHORITY, TOKEN, USER, read_secret
from presage.cli.loads.csv_file import STDIN, Rows, Tell, read_csv
from presage.cli.loads.errors import InputError
from presage.cli.loads.load import Load
from presage.core.faults import SourceFault
from presage.core.forecast.geometry import DAY_SECONDS
from presage.core.forecast.rolling import plan_window
from presage.core.forecast.step import choose_step, finest_step
from presage.core.history import SlotRange
from presage.core.samples import MAX_SLOTS, FloatArray, Grid, mean_per_slot, rate_per_slot

_EMPTY_NOTED = 0.2


@dataclass(frozen=True, slots=True)
class Reading:
    """In which slots a load is to be read.

    Attributes:
        step: Width in seconds that the user gave; None: by the samples.
        finest: Least width in seconds for samples in a file, when none was given.
        asked: Width in seconds that a Prometheus is asked for.
        window_s: How far back a Prometheus is asked, when nobody says it.
    """

    step: int | None
    finest: int
    asked: int
    window_s: float


def plan_reading(arguments: argparse.Namespace) -> Reading:
    """Return the slots to read for a forecast: those in which the operator would model the load.

    Args:
        arguments: `step`, `horizon` and `season` as the user gave them.
    """
    seasons = tuple(arguments.season)
    finest = finest_step(arguments.horizon or DAY_SECONDS, seasons)
    step = arguments.step or finest
    return Reading(arguments.step, finest, step, plan_window(step, seasons) * step)


def read_load(arguments: argparse.Namespace, reading: Reading, tell: Tell) -> Load:
    """Read the load that the arguments name.

    Args:
        arguments: Those of `add_source`.
        reading: In which slots.
        tell: Told now and then how far it is.

    Raises:
        InputError: If there is none that can be used.
    """
    if arguments.csv is not None:
        for option, given in (("--query", arguments.query), ("--token-file", arguments.token_file)):
            if given is not None:
                raise InputError(f"{option} goes with --prometheus, not with --csv")
        return _read_file(arguments, reading, tell)
    if arguments.query is None:
        raise InputError("--prometheus needs --query with the PromQL of the load, such as 'sum(rate(requests[5m]))'")
    if arguments.counter:
        raise InputError("--counter goes with --csv; in a query, write rate(…[5m])")
    return _read_prometheus(arguments, reading, tell)


def _read_file(arguments: argparse.Namespace, reading: Reading, tell: Tell) -> Load:
    name = "standard input" if arguments.csv == STDIN else arguments.csv
    rows = read_csv(arguments.csv, arguments.value, tell)
    times, values = _clip(name, *rows.arrays(), arguments.since, arguments.until)
    try:
        step = reading.step or choose_step(times, reading.finest)
        grid = (rate_per_slot if arguments.counter else mean_per_slot)(times, values, step)
    except ValueError as error:
        raise InputError(f"{name}: {error}") from None
    if not np.isfinite(grid.values).any():
        raise InputError(f"{name}: no slot has a value: a counter needs two samples at least: give more rows")
    title = name if arguments.csv == STDIN else Path(arguments.csv).stem
    negative = 0 if arguments.counter else int((values < 0).sum())
    warnings = (*_note_rows(name, rows, grid, negative), *_note_grid(name, grid))
    return Load(title, name, _trim(grid), len(values) - grid.duplicates - grid.dropped, warnings)


def _clip(
    name: str, times: FloatArray, values: FloatArray, since: float | None, until: float | None
) -> tuple[FloatArray, FloatArray]:
    """Return the samples within [since, until)."""
    inside = (times >= (-math.inf if since is None else since)) & (times < (math.inf if until is None else until))
    if not inside.any():
        raise InputError(f"{name}: no row lies between --from and --to")
    return times[inside], values[inside]


def _note_rows(name: str, rows: Rows, grid: Grid, negative: int) -> tuple[str, ...]:
    """Return what was mended on the way, one sentence each."""
    notes = {
        "came after one of a later time; they were sorted": grid.unsorted,
        "have the time of a later row, which counts": grid.duplicates,
        "have no value; they count as missing": rows.empty,
        "have a time without an offset, which was read as UTC": rows.naive,
        "are below zero, which no counter is; they count as missing": grid.dropped,
        "are below zero, which the operator refuses as a load": negative,
    }
    return tuple(f"{name}: {count:,} rows {what}" for what, count in notes.items() if count)


def _trim(grid: Grid) -> Grid:
    """Return the grid from its first known slot to its last; there must be one."""
    known = np.flatnonzero(np.isfinite(grid.values))
    start = grid.start + int(known[0]) * grid.step
    return replace(grid, values=grid.values[known[0] : known[-1] + 1], start=start)


def _note_grid(name: str, grid: Grid) -> tuple[str, ...]:
    missing = float(np.isnan(grid.values).mean())
    return (f"{name}: {missing:.0%} of the slots of {grid.step:g} s are missing",) if missing > _EMPTY_NOTED else ()


def _read_prometheus(arguments: argparse.Namespace, reading: Reading, tell: Tell) -> Load:
    from presage.adapters.prometheus_range import Access, check_url, read_range
    from presage.adapters.prometheus_session import QueryFault

    try:
        url = check_url(arguments.prometheus)
    except ValueError as error:
        raise InputError(f"--prometheus: {error}") from None
    token, user = _secret(arguments.token_file, TOKEN), _secret(arguments.user_file, USER)
    wanted = _plan_slots(arguments, reading)
    access = Access(url, token, user, _authority(arguments.ca))
    try:
        values = read_range(access, arguments.query, wanted, tell)
    except QueryFault as fault:
        raise InputError(fault.message.rstrip("."), 2) from None
    except SourceFault as fault:
        raise InputError(fault.message.rstrip("."), 3) from None
    grid = Grid(values.astype(np.float64), float(wanted.first * wanted.step_s), wanted.step_s, 0, 0, 0)
    if not np.isfinite(grid.values).any():
        raise InputError(f"{url}: the query has no value in that time: check --query, --from and --to")
    grid = _trim(grid)
    return Load(arguments.query, url, grid, int(np.isfinite(grid.values).sum()), _note_grid(url, grid))


def _plan_slots(arguments: argparse.Namespace, reading: Reading) -> SlotRange:
    """Return the complete slots between --from and --to."""
    step = reading.asked
    until = time.time() if arguments.until is None else min(arguments.until, time.time())
    since = until - reading.window_s if arguments.since is None else arguments.since
    wanted = SlotRange(max(math.ceil(since / step), 0), int(until // step) - 1, step)
    if not 0 < len(wanted) <= MAX_SLOTS:
        what = "--from must lie before --to" if not len(wanted) else f"more than {MAX_SLOTS:,}: give a larger --step"
        raise InputError(f"{len(wanted)} slots of {step} s between --from and --to: {what}")
    return wanted


def _secret(file: str | None, variable: str) -> str:
    try:
        return read_secret(file, variable)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text in UTF-8"
        raise InputError(f"{file}: cannot be read: {reason}") from None


def _authority(file: str | None) -> bytes | None:

    file = file or os.environ.get(AUTHORITY) or None
    if file is None:
        return None
    try:
        content = Path(file).read_bytes()
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}: give the authority's PEM file by --ca") from None
    if b"-----BEGIN CERTIFICATE-----" not in content:
        raise InputError(f"{file}: no certificate in PEM form: give the authority's PEM file by --ca")
    return content
