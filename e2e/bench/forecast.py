"""Command line of the forecast bench: `python -m e2e.bench.forecast --help`."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from e2e.bench import command, forecast_load
from e2e.bench.command import ROOT, MissingInputError, run_bench
from e2e.bench.facts import build_facts
from e2e.bench.forecast_report import Run, render_results, render_text
from e2e.bench.forecast_rows import Costs, judge
from e2e.bench.forecast_scorer import Scorer
from e2e.bench.forecast_scores import BASE, Row, join_peers, largest_difference, read_rows
from e2e.bench.page import write_results
from e2e.bench.report import describe_machine
from e2e.bench.tool import environment_python
from e2e.cluster.progress import part

VARIABLE, DEFAULT_SCORER = "PRESAGE_SCORER", "../shared/tools/forecast_eval.py"
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
    parser = command.build_parser(
        "e2e.bench.forecast",
        "Scores the forecaster on real traces beside its peers, judges the figures by what they must and should be, "
        "and says what may be claimed. docs/benchmarks/forecast.md explains how to read it.",
        EXAMPLES,
    )
    command.add_inputs(parser, VARIABLE, DEFAULT_SCORER)
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
    return run_bench(lambda: report(options))


def report(options: argparse.Namespace) -> bool:
    """Run, print and write; return whether every figure holds what it must."""
    found = run(options)
    print(render_text(found))
    if options.write:
        write_results(PAGE, render_results(found))
    return not found.void and all(each.verdict != "falls short" for each in found.table)


def run(options: argparse.Namespace) -> Run:
    """Score both tiers, measure what they cost, and judge it."""
    script, traces = command.find_inputs(options, VARIABLE)
    earlier = _read_earlier(options.reuse) if options.reuse else None
    began, before = time.monotonic(), describe_machine()
    with part("scorer's environment", "making"):
        scorer = Scorer(script, traces, environment_python(), OUT)
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
    commands = [result.command for result in (full, batch, alone)]
    took_s = time.monotonic() - began
    facts = build_facts("operator/presage/core/forecast", before, took_s, scorer.versions(), commands)
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


if __name__ == "__main__":
    sys.exit(main())
