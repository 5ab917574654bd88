"""Command line of the demo: run a day, draw it again, clean up."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType

from e2e.cluster.errors import ClusterError
from e2e.cluster.progress import part, say
from e2e.demo.errors import BAD_INPUT, INTERRUPTED, UNREACHABLE, DemoError
from e2e.demo.page import render_page
from e2e.demo.plan import LONGEST_DAY, SHORTEST_DAY, Plan
from e2e.demo.plot import draw
from e2e.demo.record import RunRecord, read_record
from e2e.demo.report import Summary, build_document, render_markdown, render_text, summarize
from e2e.demo.traces import CompressedLoad, TraceError, compress, generate, read_csv

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_SEED = 1
EXAMPLES = """examples:
  python -m e2e.demo run                                   the built-in load, a day in 8 minutes
  python -m e2e.demo run --trace my.csv --day-seconds 360  the last whole day of a trace of yours
  python -m e2e.demo plot                                  table, picture and page of the last run again
  python -m e2e.demo clean                                 remove all that the demo put into the cluster

A trace is a CSV file with the header timestamp,value (epoch seconds or ISO 8601, UTC): at least 3 whole days, of which
the last is played and the others are history. Exit codes: 0 done, 1 failed, 2 bad input, 3 cluster unreachable,
130 interrupted (and cleaned up).
"""


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(
        prog="python -m e2e.demo",
        description="Plays one compressed day of load on a real cluster and shows what presage did about it.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="play one day; takes the day's length and about 2 min more once all is built")
    run.add_argument("--trace", type=Path, help="CSV file to play; without it the built-in load")
    run.add_argument(
        "--day-seconds", type=int, default=480, help=f"length of the day, {SHORTEST_DAY} to {LONGEST_DAY} (default 480)"
    )
    run.add_argument("--history-days", type=int, default=14, help="days of history at most (default 14)")
    run.add_argument("--seed", type=int, default=DEFAULT_SEED, help="of the built-in load")
    run.add_argument("--capacity", type=float, default=40.0, help="requests a second that one pod serves (default 40)")
    run.add_argument("--remove", action="store_true", help="clean up at the end instead of leaving all for a look")
    plot = commands.add_parser("plot", help="write table, picture and page again from a recorded run")
    for command in (run, plot):
        command.add_argument(
            "--out", type=Path, default=Path("out/demo"), help="folder of the results (default out/demo)"
        )
    text = "remove namespaces, release, kinds and Prometheus of the demo; can be repeated"
    clean = commands.add_parser("clean", help=text)
    for command in (run, clean):
        command.add_argument(
            "--cluster", default="own", metavar="KIND", help="own (default), existing or kind: see CONTRIBUTING.md"
        )
    return parser


def load_trace(options: argparse.Namespace, plan: Plan) -> CompressedLoad:
    """Return the load to play.

    Raises:
        TraceError: the trace cannot be played.
    """
    days = options.history_days + 1
    trace = read_csv(options.trace) if options.trace else generate(max(days, 3), options.seed)
    return compress(trace, plan.day_seconds, plan.peak_rate, options.history_days)


def write_results(record: RunRecord, folder: Path) -> Summary:
    """Write record, table, picture and page into a folder and return the figures."""
    summary = summarize(record)
    record.write(folder / "run.json")
    (folder / "summary.json").write_text(json.dumps(build_document(summary), indent=1) + "\n")
    (folder / "summary.md").write_text(render_markdown(summary))
    (folder / "summary.txt").write_text(render_text(summary))
    draw(summary, folder / "demo.png")
    (folder / "demo.html").write_text(render_page(summary), encoding="utf-8")
    return summary


def build_plan(options: argparse.Namespace) -> Plan:
    """Return the plan that the options ask for.

    Raises:
        DemoError: an option is out of its range.
    """
    if not SHORTEST_DAY <= options.day_seconds <= LONGEST_DAY:
        raise DemoError(
            f"--day-seconds must be from {SHORTEST_DAY} to {LONGEST_DAY}, got {options.day_seconds}", BAD_INPUT
        )
    if options.history_days < 2:
        raise DemoError(f"--history-days must be at least 2, got {options.history_days}", BAD_INPUT)
    if not 20 <= options.capacity <= 100:
        raise DemoError(f"--capacity must be from 20 to 100, got {options.capacity:g}", BAD_INPUT)
    return replace(Plan(), day_seconds=options.day_seconds, capacity=options.capacity)


def run_command(options: argparse.Namespace) -> int:
    """Play one day."""
    plan = build_plan(options)
    load = load_trace(options, plan)
    from e2e.demo.gather import gather
    from e2e.demo.ground import find_ground
    from e2e.demo.play import Play
    from e2e.demo.stage import Stage

    options.out.mkdir(parents=True, exist_ok=True)
    stage = Stage(ROOT, find_ground(options.cluster))
    play = Play(stage, plan, load, options.out)
    say(f"Load: {load.name}, {load.history_days} days of history, then one day in {plan.day_seconds} s")
    try:
        stage.set_up(plan, play.initial_replicas)
        record = play.run()
    except KeyboardInterrupt:
        with part("interrupted", "clearing", "cleared"):
            stage.clear()
        return INTERRUPTED
    except (DemoError, ClusterError):
        if stage.ground.is_up():
            say(f"objects and logs: {gather(stage, options.out / 'failure')}")
        raise
    summary = write_results(record, options.out)
    print(render_text(summary))
    print(f"Picture: {options.out / 'demo.png'}, and with the reasons of each decision: {options.out / 'demo.html'}")
    if options.remove:
        with part("demo", "clearing", "cleared"):
            stage.clear()
    else:
        kubeconfig = stage.kubectl.kubeconfig
        where = f"--context {stage.kubectl.context}" if kubeconfig is None else f"--kubeconfig {kubeconfig}"
        say(f"presage still runs: kubectl {where} get mprof -A")
        say("make demo-clean removes what the demo put into the cluster, make cluster-down a cluster of our own")
    return 0


def plot_command(options: argparse.Namespace) -> int:
    """Draw a recorded run again."""
    try:
        record = read_record(options.out / "run.json")
    except (OSError, ValueError) as error:
        raise DemoError(f"no run to draw: {error}", BAD_INPUT) from error
    print(render_text(write_results(record, options.out)))
    print(f"Picture: {options.out / 'demo.png'}, and with the reasons of each decision: {options.out / 'demo.html'}")
    return 0


def clean_command(options: argparse.Namespace) -> int:
    """Remove all that the demo put into the cluster."""
    from e2e.demo.ground import find_ground
    from e2e.demo.stage import Stage

    with part("demo", "clearing", "cleared"):
        Stage(ROOT, find_ground(options.cluster)).clear()
    return 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code."""
    options = build_parser().parse_args(argv)
    signal.signal(signal.SIGTERM, _interrupt)
    commands = {"run": run_command, "plot": plot_command, "clean": clean_command}
    try:
        return commands[options.command](options)
    except TraceError as error:
        print(f"error: {error}", file=sys.stderr)
        return BAD_INPUT
    except DemoError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except ClusterError as error:
        print(error.report(), file=sys.stderr)
        return UNREACHABLE
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
