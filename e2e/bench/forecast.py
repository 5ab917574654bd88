"""Command line of the forecast bench: `python -m e2e.bench.forecast --help`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from e2e.bench import forecast_load
from e2e.bench.forecast_report import Run, render_results, render_text, write_results
from e2e.bench.forecast_rows import Costs, judge
from e2e.bench.forecast_scorer import (
    ROOT,
    MissingInputError,
    Result,
    Scorer,
    environment_python,
    find_input,
)
from e2e.bench.forecast_scores import BASE, Row, join_peers, largest_difference, read_rows
from e2e.bench.processes import BenchError
from e2e.bench.report import describe_machine
from e2e.cluster.progress import part, say
from e2e.real_traces import DEFAULT_FOLDER

DONE, FELL_SHORT, BAD_INPUT, BROKEN, INTERRUPTED = 0, 1, 2, 3, 130
DEFAULT_SCORER = "../shared/tools/forecast_eval.py"
OUT = ROOT / "out/bench-forecast"
PAGE = ROOT / "docs/benchmarks/forecast.md"
FEW = [BASE, "spar"]
PEERS = [BASE, "snaive_week", "spar", "ridge_fl", "sm_autoreg", "sm_stl_ets", "sm_hw", "hgb"]
SPEED_SERIES, LOAD_FITS = 1000, 20
EXAMPLES = """examples:
  python -m e2e.bench.forecast                  both tiers against all peers
  python -m e2e.bench.forecast --write          and put the results into docs/benchmarks/forecast.md
  python -m e2e.bench.forecast --quick          only two peers: what a change did to the figures
  python -m e2e.bench.forecast --reuse          the slow peers' scores from the last whole run
  PRESAGE_TRACES=DIR PRESAGE_SCORER=FILE python -m e2e.bench.forecast

Exit codes: 0 every figure holds what it must, 1 one falls short or the run is void, 2 scorer or traces are missing,
3 something failed, 130 interrupted.
"""


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(
        prog="python -m e2e.bench.forecast",
        description="Scores the forecaster on real traces beside its peers, judges the figures by what they must and "
        "should be, and says what may be claimed. docs/benchmarks/forecast.md explains how to read it.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--traces",
        default=os.environ.get("PRESAGE_TRACES", DEFAULT_FOLDER),
        help=f"folder of traces with a manifest.json (default: PRESAGE_TRACES, else {DEFAULT_FOLDER})",
    )
    parser.add_argument(
        "--scorer",
        default=os.environ.get("PRESAGE_SCORER", DEFAULT_SCORER),
        help=f"the scorer's script (default: PRESAGE_SCORER, else {DEFAULT_SCORER})",
    )
    peers = parser.add_mutually_exclusive_group()
    peers.add_argument("--quick", action="store_true", help=f"only {' and '.join(FEW)} as peers")
    peers.add_argument(
        "--reuse",
        type=Path,
        nargs="?",
        const=OUT / "peers.json",
        metavar="FILE",
        help=f"run only {' and '.join(FEW)} anew, read other peers from a whole run's file "
        f"(default {(OUT / 'peers.json').relative_to(ROOT)})",
    )
    parser.add_argument("--write", action="store_true", help="write the results to docs/benchmarks/forecast.md")
    parser.add_argument("--skip-load", action="store_true", help="leave out the rows of the operator under load")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench; return the exit code."""
    options = build_parser().parse_args(argv)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        found = run(options)
        print(render_text(found))
        if options.write:
            write_results(PAGE, render_results(found))
    except MissingInputError as error:
        say(f"bench: {error}")
        return BAD_INPUT
    except (BenchError, ValueError) as error:
        say(f"bench: {error}")
        return BROKEN
    except KeyboardInterrupt:
        say("bench: interrupted")
        return INTERRUPTED
    return FELL_SHORT if found.void or any(each.verdict == "falls short" for each in found.table) else DONE


def run(options: argparse.Namespace) -> Run:
    """Score both tiers, measure what they cost, and judge it."""
    script = find_input(options.scorer, "scorer", "set PRESAGE_SCORER or --scorer to forecast_eval.py")
    manifest = find_input(f"{options.traces}/manifest.json", "traces", "set PRESAGE_TRACES or --traces to their folder")
    earlier = _read_earlier(options.reuse) if options.reuse else None
    began, before = time.monotonic(), describe_machine()
    with part("scorer's environment", "making"):
        scorer = Scorer(script, manifest.parent, environment_python(), OUT)
    peers = PEERS if not (options.quick or options.reuse) else FEW
    with part(f"full tier, {len(peers)} peers", "scoring", "scored"):
        full = scorer.run(peers, "full", "full")
    if peers is PEERS:
        shutil.copy(OUT / "full.json", OUT / "peers.json")
    with part("batch tier, one call", "scoring", "scored"):
        batch = scorer.run(FEW, "batch_many", "batch", SPEED_SERIES)
    with part("batch tier, one by one", "scoring", "scored"):
        alone = scorer.run([BASE], "batch", "alone")
    with part("advance", "measuring", "measured"):
        ticks = scorer.time_ticks()
    with part("operator under load", "measuring", "measured"):
        load = None if options.skip_load else forecast_load.measure(SPEED_SERIES, LOAD_FITS)
    own = [row for row in batch.rows if row.method == "batch"]
    together = largest_difference([*own, *alone.rows], "batch", "alone")
    costs = Costs(batch.cpu_ms, batch.wall_ms, batch.rows, ticks, together, load)
    rows = [*full.rows, *own]
    rows = join_peers(rows, earlier) if earlier else rows
    facts = _facts(scorer, [full, batch, alone], before, time.monotonic() - began)
    return Run(judge(rows, costs), rows, facts, _remarks(options))


def _read_earlier(path: Path) -> list[Row]:
    if not path.is_file():
        raise MissingInputError(f"no earlier run at {path}: run once without --reuse")
    return [row for row in read_rows(json.loads(path.read_text()), "earlier") if row.method != "earlier"]


def _remarks(options: argparse.Namespace) -> list[str]:
    if options.quick:
        return ["Quick run: most peers were left out."]
    if options.reuse:
        return [
            f"Scores of other peers than {' and '.join(FEW)} come from an earlier run; CPU times are all of this run."
        ]
    return []


def _facts(scorer: Scorer, results: Sequence[Result], before: str, took_s: float) -> dict[str, str]:
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "code": _code_version(),
        "machine": f"{_processor()}, {_memory_gib():.0f} GiB, {platform.system()} {platform.machine()}",
        "load before": before,
        "load after": f"{describe_machine()}; the run took {took_s:.0f} s",
        "environment": scorer.versions(),
        **{f"command {n}": f"`{result.command}`" for n, result in enumerate(results, 1)},
    }


def _code_version() -> str:
    """Return the commit, and whether the code of the forecaster differs from it."""
    commit, changed = (
        _git("rev-parse", "--short", "HEAD"),
        _git("status", "--porcelain", "operator/presage/core/forecast"),
    )
    return (f"commit {commit}" if commit else "not from git") + (", with changes not committed" if changed else "")


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or "unknown processor")


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
