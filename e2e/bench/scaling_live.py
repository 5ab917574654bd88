"""Command line of the live scaling bench: `python -m e2e.bench.scaling_live --help`."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from e2e.bench import command
from e2e.bench.command import ROOT, run_bench
from e2e.bench.facts import build_facts
from e2e.bench.page import align, judged_cells, render_table, write_results
from e2e.bench.report import describe_machine
from e2e.bench.scaling_live_rows import NOISE, REPEATING, UTILIZATIONS, LiveDay, day_cells, judge_days
from e2e.cluster import ClusterError
from e2e.cluster.control_plane import AUDIT_LOG
from e2e.cluster.progress import part, say
from e2e.demo import manifests
from e2e.demo.__main__ import write_results as write_day
from e2e.demo.accounting import account
from e2e.demo.errors import DemoError
from e2e.demo.gather import gather
from e2e.demo.ground import find_ground
from e2e.demo.plan import LONGEST_DAY, SHORTEST_DAY, Plan
from e2e.demo.play import Play
from e2e.demo.stage import Stage
from e2e.demo.traces import compress, read_csv
from e2e.faults.written import Write, find_repeats, parse_log
from e2e.real_traces import DEFAULT_FOLDER

OUT = ROOT / "out/bench-scaling-live"
PAGE = ROOT / "docs/benchmarks/scaling.md"
PLACE = "live"
HISTORY_DAYS = 14
RIVAL = 0.8
TRACES = {REPEATING: "svc_saturating", NOISE: "elb_requests"}
EXAMPLES = """examples:
  python -m e2e.bench.scaling_live                      both days, some ten minutes each
  python -m e2e.bench.scaling_live --write              and put the figures into docs/benchmarks/scaling.md
  python -m e2e.bench.scaling_live --repeating svc_office_bursts --day-seconds 720
  python -m e2e.bench.scaling_live --only noise

Needs what `make e2e` needs. Exit codes: 0 every figure holds what it must, 1 one falls short, 2 traces are missing,
3 something failed, 130 interrupted (and cleaned up).
"""


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = command.build_parser(
        "e2e.bench.scaling_live",
        "Plays a compressed day of two traces on a real cluster, one that repeats and one that is noise, and judges "
        "what presage did beside the HPA rule on the same requests.",
        EXAMPLES,
    )
    command.add_traces(parser)
    for kind, trace in TRACES.items():
        parser.add_argument(f"--{kind}", default=trace, metavar="TRACE", help=f"the trace that is {kind} ({trace})")
    parser.add_argument("--only", choices=tuple(TRACES), help="play one of them")
    parser.add_argument(
        "--day-seconds", type=int, default=480, help=f"length of a day, {SHORTEST_DAY} to {LONGEST_DAY} (default 480)"
    )
    parser.add_argument("--write", action="store_true", help="write the figures to docs/benchmarks/scaling.md")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench; return the exit code."""
    words = sys.argv[1:] if argv is None else list(argv)
    options = build_parser().parse_args(words)
    shown = shlex.join(["python", "-m", "e2e.bench.scaling_live", *words])
    return run_bench(lambda: report(options, shown), (DemoError,))


def report(options: argparse.Namespace, shown: str) -> bool:
    """Play, print and write; return whether every figure holds what it must. `shown` is the command as it was typed."""
    if not SHORTEST_DAY <= options.day_seconds <= LONGEST_DAY:
        raise command.MissingInputError(f"--day-seconds must be from {SHORTEST_DAY} to {LONGEST_DAY}")
    kinds = [options.only] if options.only else list(TRACES)
    paths = {kind: _find_trace(options.traces, getattr(options, kind)) for kind in kinds}
    began, before = time.monotonic(), describe_machine()
    days = _play_all(paths, Plan(day_seconds=options.day_seconds, rival_utilization=RIVAL))
    table, cells = judge_days(days), day_cells(days)
    facts = build_facts("operator/presage", before, time.monotonic() - began, describe_stage(days), [shown])
    print("\n".join([*align(judged_cells(table)), "", *align(cells), "", *(f"{n}: {t}" for n, t in facts.items())]))
    if options.write:
        tables: list[list[tuple[str, ...]]] = [[("what", "value"), *facts.items()], judged_cells(table), cells]
        write_results(PAGE, "\n\n".join(render_table(each) for each in tables), PLACE)
    return all(each.verdict != "falls short" for each in table)


def describe_stage(days: Sequence[LiveDay]) -> str:
    """Return what the days were played with."""
    record = days[0].summary.record
    return (
        f"a day in {record.day_seconds} s after {record.history_days} days of history, a pod serves "
        f"{record.capacity:g}/s and starts in {record.startup_seconds:.1f} s"
    )


def _find_trace(folder: str, name: str) -> Path:
    return command.find_input(f"{folder}/{name}.csv", "trace", f"set PRESAGE_TRACES or --traces ({DEFAULT_FOLDER})")


def _play_all(paths: dict[str, Path], plan: Plan) -> list[LiveDay]:
    """Play a day of each trace on a stage of its own making, which is cleared at the end."""
    stage = Stage(ROOT, find_ground("own"))
    try:
        return [_play(stage, kind, path, plan) for kind, path in paths.items()]
    except (DemoError, ClusterError):
        if stage.ground.is_up():
            say(f"objects and logs: {gather(stage, OUT / 'failure')}")
        raise
    finally:
        with part("live bench", "clearing", "cleared"):
            stage.clear()


def _play(stage: Stage, kind: str, path: Path, plan: Plan) -> LiveDay:
    folder = OUT / path.stem
    folder.mkdir(parents=True, exist_ok=True)
    load = compress(read_csv(path), plan.day_seconds, plan.peak_rate, HISTORY_DAYS)
    say(f"Load: {load.name} ({kind}), {load.history_days} days of history, then one day in {plan.day_seconds} s")
    day = Play(stage, plan, load, folder)
    stage.set_up(plan, day.initial_replicas)
    summary = write_day(day.run(), folder)
    record = summary.record
    curve = {u: account(record.counts.load, record.start, day.replay_rival(u), record.capacity) for u in UTILIZATIONS}
    return LiveDay(kind, summary, curve, len(find_repeats(_read_scales(stage, record.start))))


def _read_scales(stage: Stage, since: float) -> list[Write]:
    """Return the scales of the function from a time on, by the API server's audit log."""
    with (stage.cluster.logs / AUDIT_LOG).open() as log:
        return [
            write
            for write in parse_log(log)
            if write.at >= since
            and write.place == "apps/deployments/scale"
            and (write.namespace, write.name) == (manifests.NAMESPACE, manifests.FUNCTION)
        ]


if __name__ == "__main__":
    sys.exit(main())
