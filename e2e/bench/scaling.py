"""Command line of the scaling bench: `python -m e2e.bench.scaling --help`."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence

from e2e.bench import command, forecast_load, scaling_cost
from e2e.bench.command import ROOT, positive, run_bench
from e2e.bench.facts import build_facts
from e2e.bench.forecast_rows import judge_load
from e2e.bench.judged import Judged
from e2e.bench.page import write_results
from e2e.bench.report import describe_machine
from e2e.bench.scaling_cost import judge_costs
from e2e.bench.scaling_report import Run, describe_done, render_results, render_text, unexplained
from e2e.bench.scaling_rows import OBJECTIVES, STARTUPS_S, judge_levels
from e2e.bench.scaling_scorer import ONE_THREAD, ScalingScorer, Task
from e2e.bench.scaling_scores import Replay
from e2e.bench.tool import environment_python, render_command
from e2e.cluster.progress import part, say

VARIABLE, DEFAULT_SCORER = "PRESAGE_SCALING_SCORER", "../shared/tools/scaling_sim.py"
OUT = ROOT / "out/bench-scaling"
PAGE = ROOT / "docs/benchmarks/scaling.md"
OBJECTS, FITS = 1000, 20
FEW_TRACES, FEW_STARTUPS_S = ("svc_smooth_daily", "svc_office_bursts", "elb_requests"), (180,)
EXAMPLES = """examples:
  python -m e2e.bench.scaling                    all traces, start-up times and objectives
  python -m e2e.bench.scaling --write            and put the results into docs/benchmarks/scaling.md
  python -m e2e.bench.scaling --reuse            keeps replays of the same code from earlier runs: go on after a stop
  python -m e2e.bench.scaling --quick            three traces at one start-up time: what did a change do?
  python -m e2e.bench.scaling --series svc_saturating --startup 60 180
  PRESAGE_TRACES=DIR PRESAGE_SCALING_SCORER=FILE python -m e2e.bench.scaling

A part of the traces is shown and not judged. Exit codes: 0 every figure holds what it must, 1 one falls short, 2 scorer
or traces are missing, 3 something failed, 130 interrupted.
"""


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = command.build_parser(
        "e2e.bench.scaling",
        "Replays real traces through the replica decision, beside the HPA rule, simple forecast rules and the "
        "clairvoyant bound, and judges unmet load and replica-hours. docs/benchmarks/scaling.md says how to read it.",
        EXAMPLES,
    )
    command.add_inputs(parser, VARIABLE, DEFAULT_SCORER)
    parser.add_argument("--quick", action="store_true", help=f"only {', '.join(FEW_TRACES)} at {FEW_STARTUPS_S[0]} s")
    parser.add_argument("--series", type=lambda text: text.split(","), help="traces, with commas between (default all)")
    parser.add_argument("--startup", type=positive, nargs="+", help=f"start-up times, s (default {STARTUPS_S})")
    parser.add_argument("--reuse", action="store_true", help="take up replays of the same code, scorer and traces")
    parser.add_argument("--jobs", type=positive, default=os.cpu_count(), help="replays side by side (default: cores)")
    parser.add_argument("--write", action="store_true", help="write the results to docs/benchmarks/scaling.md")
    parser.add_argument("--skip-costs", action="store_true", help="leave out what decisions cost")
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
        if missing := unexplained(found.levels, PAGE.read_text(encoding="utf-8")):
            say(f"bench: no sentence in {PAGE.relative_to(ROOT)} on {', '.join(missing)}: write one below the results")
    return found.holds


def run(options: argparse.Namespace) -> Run:
    """Replay, measure what decisions cost, and judge it."""
    script, traces = command.find_inputs(options, VARIABLE)
    began, before = time.monotonic(), describe_machine()
    with part("scorer's environment", "making"):
        scorer = ScalingScorer(script, traces, environment_python(), OUT, ONE_THREAD)
    names, startups_s = _chosen(options, scorer)
    replays, kept = _replay(scorer, [Task(name, s) for s in startups_s for name in names], options)
    costs = [] if options.skip_costs else _measure_costs()
    everything = names == scorer.trace_names()
    shown = render_command(scorer.command([] if everything else names, startups_s, OBJECTIVES))
    took_s = time.monotonic() - began
    facts = build_facts("operator/presage/core", before, took_s, scorer.versions(), [shown])
    return Run(judge_levels(replays), costs, facts, _remarks(options, len(replays), kept))


def _chosen(options: argparse.Namespace, scorer: ScalingScorer) -> tuple[Sequence[str], Sequence[int]]:
    known = scorer.trace_names()
    names = options.series or ([n for n in known if n in FEW_TRACES] if options.quick else known)
    unknown = [name for name in names if name not in scorer.manifest]
    if unknown or not names:
        raise command.MissingInputError(f"no trace {', '.join(unknown)} in {options.traces}: --series takes its names")
    return names, options.startup or (FEW_STARTUPS_S if options.quick else STARTUPS_S)


def _replay(scorer: ScalingScorer, tasks: Sequence[Task], options: argparse.Namespace) -> tuple[list[Replay], int]:
    """Return the replays in the order of the tasks, and how many of them are of an earlier run."""
    found, kept = {}, 0
    with part(f"{len(tasks)} replays", "replaying", "replayed"):
        for task, done in scorer.run(tasks, OBJECTIVES, options.jobs, reuse=options.reuse):
            found[task] = done.replay
            kept += done.kept
            how = "kept" if done.kept else f"{done.took_s:.0f} s"
            say(f"  {len(found)}/{len(tasks)} {describe_done(done.replay)} ({how})")
    return [found[task] for task in tasks], kept


def _measure_costs() -> list[Judged]:
    with part("cost of decisions", "measuring", "measured"):
        return [*judge_costs(scaling_cost.measure(OBJECTS)), *judge_load(forecast_load.measure(OBJECTS, FITS))]


def _remarks(options: argparse.Namespace, replays: int, kept: int) -> list[str]:
    found = []
    if options.quick or options.series or options.startup:
        found.append("A part of the traces or start-up times only: a part of the traces is not judged.")
    if kept:
        found.append(f"{kept} of {replays} replays are of an earlier run of the same code, scorer and traces.")
    return found


if __name__ == "__main__":
    sys.exit(main())
