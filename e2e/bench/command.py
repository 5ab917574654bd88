"""The frame of a bench's command line: its parser, its inputs, and what becomes an exit code."""

from __future__ import annotations

import argparse
import os
import signal
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from e2e.bench.processes import BenchError
from e2e.cluster import ClusterError
from e2e.cluster.progress import say
from e2e.real_traces import DEFAULT_FOLDER
from e2e.waiting import NotInTimeError

ROOT = Path(__file__).resolve().parents[2]
DONE, FELL_SHORT, BAD_INPUT, BROKEN, INTERRUPTED = 0, 1, 2, 3, 130


class MissingInputError(Exception):
    """The scorer or the traces are not where they should be; the message says what to do."""


def build_parser(program: str, description: str, examples: str) -> argparse.ArgumentParser:
    """Return a bench's parser without its options; the examples follow them in its help."""
    return argparse.ArgumentParser(
        prog=f"python -m {program}",
        description=description,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_traces(parser: argparse.ArgumentParser) -> None:
    """Add the option that says where traces are."""
    parser.add_argument(
        "--traces",
        default=os.environ.get("PRESAGE_TRACES", DEFAULT_FOLDER),
        help=f"folder of traces (default: PRESAGE_TRACES, else {DEFAULT_FOLDER})",
    )


def add_inputs(parser: argparse.ArgumentParser, variable: str, scorer: str) -> None:
    """Add the options that say where traces and scorer are; `variable` may hold the scorer's path, too."""
    add_traces(parser)
    parser.add_argument(
        "--scorer",
        default=os.environ.get(variable, scorer),
        help=f"the scorer's script (default: {variable}, else {scorer})",
    )


def find_inputs(options: argparse.Namespace, variable: str) -> tuple[Path, Path]:
    """Return the scorer's script and the folder of traces.

    Raises:
        MissingInputError: One of them is missing.
    """
    script = find_input(options.scorer, "scorer", f"set {variable} or --scorer to its script")
    manifest = find_input(f"{options.traces}/manifest.json", "traces", "set PRESAGE_TRACES or --traces to their folder")
    return script, manifest.parent


def find_input(path: str, what: str, remedy: str) -> Path:
    """Return the path, seen from the repository's folder.

    Raises:
        MissingInputError: There is nothing.
    """
    found = (ROOT / path).resolve()
    if not found.exists():
        raise MissingInputError(f"no {what} at {path}: {remedy}")
    return found


def positive(text: str) -> int:
    """Return the whole number that an option gives, 1 at least."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("1 at least")
    return value


def run_bench(run: Callable[[], bool], broken: tuple[type[Exception], ...] = ()) -> int:
    """Run a bench and return its exit code.

    Args:
        run: Measures and prints; true if every figure holds what it must.
        broken: What else may stop it beside the errors that each bench knows.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    failures: tuple[type[Exception], ...] = (BenchError, ClusterError, NotInTimeError, ValueError, *broken)
    try:
        return DONE if run() else FELL_SHORT
    except MissingInputError as error:
        say(f"bench: {error}")
        return BAD_INPUT
    except failures as error:
        say(f"bench: {error}")
        return BROKEN
    except KeyboardInterrupt:
        say("bench: interrupted; what it made is removed")
        return INTERRUPTED


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
