"""The command `presage backtest`: read, forecast from each origin, score, print, draw."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: the work is many small steps, as in the operator
os.environ.setdefault("OMP_NUM_THREADS", "1")

from presage.cli.backtest.document import build_document
from presage.cli.backtest.result import Result
from presage.cli.backtest.table import render
from presage.cli.drawing.show import Faces, show
from presage.cli.loads.errors import InputError
from presage.cli.loads.load import Load
from presage.cli.loads.progress import Progress
from presage.cli.loads.read import plan_reading, read_load
from presage.core.forecast.api import Series
from presage.core.forecast.rolling import PRESAGE, Origin, TooShortError, plan_rolling, roll, summarise
from presage.core.units import format_duration


def backtest(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit code."""

    def work(progress: Progress) -> Result:
        return run(arguments, read_load(arguments, plan_reading(arguments), progress.tell), progress)

    faces = Faces(build_document, render, _render, _draw, lambda result: result.load.warnings)
    return show("backtest", arguments, work, faces, lambda result: _judge(result, arguments.fail_above))


def _render(result: Result) -> str:
    from presage.cli.backtest.page import render_page

    return render_page(result)


def _draw(result: Result, path: Path) -> None:
    from presage.cli.backtest.png import draw

    draw(result, path)


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
