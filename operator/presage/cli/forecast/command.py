"""The command `presage forecast`: read an object or a load, forecast, print, draw."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: the work is many small steps, as in the operator
os.environ.setdefault("OMP_NUM_THREADS", "1")

from presage.cli.drawing.show import Faces, show
from presage.cli.forecast.document import build_document
from presage.cli.forecast.text import render
from presage.cli.forecast.view import View
from presage.cli.loads.errors import InputError
from presage.cli.loads.progress import Progress

_OF_A_LOAD = ("query", "since", "until", "token_file", "user_file", "ca", "step", "horizon", "time_zone")


def forecast(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit code."""

    def work(progress: Progress) -> View:
        return _view_live(arguments) if arguments.object else _view_own(arguments, progress)

    return show("forecast", arguments, work, Faces(build_document, render, _render, _draw, lambda view: view.warnings))


def _view_live(arguments: argparse.Namespace) -> View:
    """Return the forecast of a live object.

    Raises:
        InputError: If it cannot be read, or there is none.
    """
    if arguments.csv is not None or arguments.prometheus is not None:
        raise InputError("give an object, --csv or --prometheus: one of them")
    given = [name for name in _OF_A_LOAD if getattr(arguments, name) is not None]
    given += [name for name in ("season", "quantile", "counter") if getattr(arguments, name)]
    if given:
        option = {"since": "--from", "until": "--to"}.get(given[0], f"--{given[0].replace('_', '-')}")
        raise InputError(f"{option} goes with --csv or --prometheus; an object is forecast as its spec says")
    from presage.adapters.kubeconfig_reader import ClusterReader, ReaderError
    from presage.cli.forecast.live import view_profile
    from presage.cli.live import read_profile

    try:
        profile = read_profile(ClusterReader(arguments.context), arguments.object, arguments.namespace)
    except ReaderError as error:
        raise InputError(str(error), error.exit_code) from None
    view = view_profile(profile, arguments.unit, arguments.metric)
    if view is None:
        what = f"{arguments.object} has no forecast of its {arguments.metric}"
        raise InputError(f"{what}: see presage explain {arguments.object}", 1)
    return view


def _view_own(arguments: argparse.Namespace, progress: Progress) -> View:
    """Return a forecast of the load that the arguments name.

    Raises:
        InputError: If it cannot be read or forecast.
    """
    if arguments.csv is None and arguments.prometheus is None:
        raise InputError("give an object such as mprof/checkout, or --csv FILE, or --prometheus URL")
    other = None if arguments.metric == "load" else arguments.metric
    for option, value in (("-n", arguments.namespace), ("--context", arguments.context), ("--metric", other)):
        if value is not None:
            raise InputError(f"{option} goes with an object, not with --csv or --prometheus")
    from presage.cli.forecast.own import view_load
    from presage.cli.loads.read import plan_reading, read_load

    load = read_load(arguments, plan_reading(arguments), progress.tell)
    progress.tell("forecasting")
    return view_load(arguments, load)


def _render(view: View) -> str:
    from presage.cli.forecast.page import render_page

    return render_page(view)


def _draw(view: View, path: Path) -> None:
    from presage.cli.forecast.png import draw

    draw(view, path)
