"""Command line of the SDK's bench: `python -m e2e.bench.sdk --help`."""

from __future__ import annotations

import argparse
import importlib.metadata
import sys
import time
from collections.abc import Sequence

from e2e.bench import command, sdk_bias, sdk_calls, sdk_load, sdk_start, sdk_text
from e2e.bench.command import ROOT, run_bench
from e2e.bench.facts import build_facts
from e2e.bench.judged import Judged
from e2e.bench.page import write_results
from e2e.bench.report import describe_machine
from e2e.bench.sdk_rows import (
    Run,
    judge_bias,
    judge_calls,
    judge_load,
    judge_starts,
    judge_text,
    render_results,
    render_text,
)
from e2e.cluster.progress import part
from presage.core.recording.types import DEBUG, MINIMAL

PAGE = ROOT / "docs/benchmarks/sdk.md"
QUICK_WINDOW_S, QUICK_PAIRS, QUICK_ROUNDS = 12.0, 5, 7
EXAMPLES = """examples:
  python -m e2e.bench.sdk            all figures, in some five minutes
  python -m e2e.bench.sdk --write    and put the results into docs/benchmarks/sdk.md
  python -m e2e.bench.sdk --quick    shorter runs: what did a change do?

Exit codes: 0 every figure holds what it must, 1 one falls short, 2 bad usage, 3 something failed, 130 interrupted.
"""


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = command.build_parser(
        "e2e.bench.sdk",
        "Measures what presage.sdk costs, sends and gets wrong, beside the plain OpenTelemetry SDK in one "
        "run. docs/benchmarks/sdk.md says how to read it.",
        EXAMPLES,
    )
    parser.add_argument("--quick", action="store_true", help="shorter runs")
    parser.add_argument("--write", action="store_true", help="write the results to docs/benchmarks/sdk.md")
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
    return found.holds


def run(options: argparse.Namespace) -> Run:
    """Measure and judge."""
    began, before = time.monotonic(), describe_machine()
    rows = measure(options.quick)
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("opentelemetry-sdk", "protobuf"))
    environment = f"Python {sys.version.split()[0]}, {versions}"
    shown = f"python -m e2e.bench.sdk{' --quick' if options.quick else ''}"
    facts = build_facts("operator/presage/sdk", before, time.monotonic() - began, environment, [shown])
    remarks = ["A short run: intervals of exports are as much shorter as the load."] if options.quick else []
    return Run(rows, facts, remarks)


def measure(quick: bool) -> list[Judged]:
    """Measure everything, one after the other."""
    window_s = QUICK_WINDOW_S if quick else sdk_load.WINDOW_S
    with part("calls", "measuring", "measured"):
        rows = judge_calls(sdk_calls.measure(QUICK_ROUNDS if quick else sdk_calls.ROUNDS))
    with part("load", "measuring", "measured"):
        bare, minimal, debug = (sdk_load.measure(profile, window_s) for profile in ("", MINIMAL, DEBUG))
        rows += judge_load(bare, minimal, debug)
        rows.append(judge_text(sdk_text.measure(MINIMAL), sdk_text.measure(DEBUG)))
    with part("sampling", "measuring", "measured"):
        rows += judge_bias(*sdk_bias.measure(), sdk_bias.count_through_calls())
    with part("starts", "measuring", "measured"):
        rows += judge_starts(sdk_start.measure(QUICK_PAIRS if quick else sdk_start.PAIRS))
    return rows


if __name__ == "__main__":
    sys.exit(main())
