"""The command `presage backtest`: read, forecast from each origin, score, print, draw."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: the work is many small steps, as in the operator
os.environ.setdefault("OMP_NUM_THREADS", "1")

from presage.cli.backtest.document import build_document
from presage.cli.backtest.errors import InputError
from presage.cli.backtest.load import Load
from presage.cli.backtest.progress import Progress
from presage.cli.backtest.read import read_load
from presage.cli.backtest.result import Result
from presage.cli.backtest.table import render
from presage.core.forecast.api import Series
from presage.core.forecast.rolling import PRESAGE, Origin, TooShortError, plan_rolling, roll, summarise
from presage.core.units import format_duration

PICTURES = (".png", ".html")


def backtest(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit code."""
    progress = Progress()
    try:
        plot = _check_plot(arguments.plot)
        load = read_load(arguments, progress.tell)
        result = run(arguments, load, progress)
        _write_plot(plot, result, progress)
    except InputError as error:
        progress.end()
        print(f"presage backtest: {error}", file=sys.stderr)
        return error.exit_code
    progress.end()
    for warning in load.warnings:
        print(f"presage backtest: warning: {warning}", file=sys.stderr)
    if arguments.format == "json":
        print(json.dumps(build_document(result), indent=2, allow_nan=False))
    else:
        print(render(result))
    return _judge(result, arguments.fail_above)


def run(arguments: argparse.Namespace, load: Load, progress: Progress) -> Result:
    """Forecast and score.

    Raises:
        InputError: If the load is too short, or options do not fit it.
    """
    grid, seasons = load.grid, tuple(arguments.season)
    if short := [season for season in seasons if season < 2 * load.step]:
        what = f"a season of {format_duration(min(short))} needs slots of half its length at most"
        raise InputError(f"{load.source}: {what}, not of {format_duration(load.step)}: give --step")
    horizon = None if arguments.horizon is None else max(1, round(arguments.horizon / load.step))
    try:
        plan = plan_rolling(len(grid.values), load.step, seasons, horizon, arguments.origins)
    except TooShortError as error:
        remedy = "give more history" if horizon is None else "give more history or a shorter --horizon"
        raise InputError(f"{load.source}: too short: {error}: {remedy}") from None
    except ValueError as error:
        raise InputError(f"--horizon: {error}") from None
    series = Series(grid.values, load.start, float(load.step), seasons or None, arguments.time_zone)
    origins: list[Origin] = []
    progress.tell(f"forecasting from {len(plan.origins)} origins")
    for origin in roll(series, plan, arguments.quantile, arguments.effort):
        origins.append(origin)
        progress.tell(f"forecast {len(origins)} of {len(plan.origins)} origins")
    summary = summarise(origins, plan)
    if not summary:
        what = "no forecast can be scored: nothing is known in the weeks before any origin, or after it"
        raise InputError(f"{load.source}: {what}: begin after the hole by --from, or end before it by --to")
    unit = f"{arguments.unit} per second".strip() if arguments.counter else arguments.unit
    return Result(load, plan, origins, summary, arguments.effort, arguments.time_zone, unit)


def _check_plot(name: str | None) -> Path | None:
    if name is None:
        return None
    path = Path(name)
    if path.suffix.lower() not in PICTURES:
        raise InputError(f"--plot {name}: its name must end in {' or '.join(PICTURES)}")
    if not path.parent.is_dir() or path.is_dir():
        raise InputError(f"--plot {name}: there is no folder {path.parent}, or a folder has that name")
    return path


def _write_plot(path: Path | None, result: Result, progress: Progress) -> None:
    if path is None:
        return
    progress.tell(f"drawing {path}")
    try:
        if path.suffix.lower() == ".html":
            from presage.cli.backtest.page import render_page

            path.write_text(render_page(result), encoding="utf-8")
        else:
            from presage.cli.backtest.png import draw

            draw(result, path)
    except OSError as error:
        raise InputError(f"--plot {path}: cannot be written: {error.strerror or error}", 1) from None


def _judge(result: Result, most: float | None) -> int:
    """Return 1 if presage's error is above what was asked for in any span."""
    if most is None:
        return 0
    failed = [span for span in result.summary if not result.relative(span, PRESAGE)[0] <= most]
    for span in failed:
        error, _ = result.relative(span, PRESAGE)
        what = f"{result.name_span(span)}: error {error:.3f} × yesterday's, above --fail-above {most:g}"
        print(f"presage backtest: {what}", file=sys.stderr)
    return 1 if failed else 0
