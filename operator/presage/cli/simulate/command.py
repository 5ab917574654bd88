"""The command `presage simulate`: read, replay each rule, print, draw."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: the work is many small steps, as in the operator
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from presage.cli.drawing.show import Faces, show
from presage.cli.loads.errors import InputError
from presage.cli.loads.load import Load
from presage.cli.loads.progress import Progress
from presage.cli.loads.read import Reading, read_load
from presage.cli.simulate.arguments import PRESAGE
from presage.cli.simulate.document import build_document
from presage.cli.simulate.replay import WEEK_S, Replay, TooShortError, cut_ticks, find_start, replay
from presage.cli.simulate.result import Simulation, percent
from presage.cli.simulate.rule import Wish, make_rule
from presage.cli.simulate.table import render
from presage.core.forecast.rolling import plan_window
from presage.core.forecast.step import MODEL_STEP_SECONDS, finest_step
from presage.core.scaling.rivals import SYNC_S, Target
from presage.core.scaling.world import Outcome
from presage.core.units import format_duration

ASKED_S = 60  # resolution at which a Prometheus is asked
COARSE_S = 60  # a load known less often hides what happens between


def simulate(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit code."""

    def work(progress: Progress) -> Simulation:
        if arguments.min > arguments.max:
            raise InputError(f"--min {arguments.min} is more than --max {arguments.max}")
        return run(arguments, read_load(arguments, _plan_reading(arguments), progress.tell), progress)

    def judge(result: Simulation) -> int:
        return _judge(result.outcomes[PRESAGE], arguments.fail_above_unmet)

    faces = Faces(build_document, render, _render, _draw, lambda result: result.load.warnings)
    return show("simulate", arguments, work, faces, judge)


def _plan_reading(arguments: argparse.Namespace) -> Reading:
    """Return the slots to read: as fine as there are, for the window and the history that the operator would have."""
    step = _choose_step(arguments)
    window = (arguments.last or WEEK_S) + plan_window(step, tuple(arguments.season)) * step
    return Reading(arguments.resolution, round(SYNC_S), arguments.resolution or ASKED_S, window)


def _choose_step(arguments: argparse.Namespace) -> int:
    return arguments.step or finest_step(MODEL_STEP_SECONDS * 12, tuple(arguments.season))


def run(arguments: argparse.Namespace, load: Load, progress: Progress) -> Simulation:
    """Replay all rules.

    Raises:
        InputError: If the load is too short, or options do not fit it.
    """
    target = Target(arguments.per_pod, float(arguments.start_up), arguments.min, arguments.max)
    ticks = cut_ticks(load.grid)
    try:
        start = find_start(len(ticks), arguments.last)
    except TooShortError as error:
        remedy = "give more history" if arguments.last is None else "give more history or a shorter --last"
        raise InputError(f"{load.source}: too short: {error}: {remedy}") from None
    given = Replay(ticks, load.start, start, target, arguments.objective, arguments.hpa_target, arguments.time_zone)
    if not np.nansum(given.window) > 0:
        raise InputError(f"{load.source}: there is no load in the time to replay: choose another by --to and --last")
    step = max(_choose_step(arguments), load.step)
    wish = Wish(target, arguments.objective, step, arguments.season, arguments.time_zone)
    rule = partial(make_rule, first=load.start, wish=wish)
    outcomes: dict[str, Outcome] = {}
    missing: dict[str, str] = {}
    progress.tell(f"replaying {format_duration(len(given.window) * SYNC_S)}")
    for name, outcome in replay(given, arguments.against, rule, progress.tell):
        if isinstance(outcome, str):
            missing[name] = outcome
        else:
            outcomes[name] = outcome
        progress.tell(f"replayed {len(outcomes)} of {1 + len(arguments.against)} rules")
    unit = f"{arguments.unit} per second".strip() if arguments.counter else arguments.unit
    return Simulation(
        load=replace(load, warnings=(*load.warnings, *_note_resolution(load))),
        start=load.start + start * SYNC_S,
        series=given.window,
        target=target,
        objective=arguments.objective,
        utilization=arguments.hpa_target,
        step=step,
        outcomes=outcomes,
        missing=missing,
        zone=arguments.time_zone,
        unit=unit,
    )


def _note_resolution(load: Load) -> tuple[str, ...]:
    if load.step <= COARSE_S:
        return ()
    what = f"the load is known every {format_duration(load.step)} only"
    return (f"{load.source}: {what}: what rises and falls within is not seen, and every rule looks better for it",)


def _render(result: Simulation) -> str:
    from presage.cli.simulate.page import render_page

    return render_page(result)


def _draw(result: Simulation, path: Path) -> None:
    from presage.cli.simulate.png import draw

    draw(result, path)


def _judge(outcome: Outcome, most: float | None) -> int:
    """Return 1 if presage leaves more unmet than was asked for."""
    if most is None or outcome.unmet_share <= most:
        return 0
    what = f"{percent(outcome.unmet_share)} of the load unmet, above --fail-above-unmet {percent(most)}"
    print(f"presage simulate: {what}", file=sys.stderr)
    return 1
