"""Command line of the bench."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import yaml
from kubernetes import client

from e2e.bench import command
from e2e.bench.command import positive, run_bench
from e2e.bench.load import prometheus
from e2e.bench.measure import figures_of_edits, figures_of_idle, figures_of_start, watch_idle
from e2e.bench.objects import Objects, objects
from e2e.bench.operator import operating
from e2e.bench.report import Figure, build_document, describe_machine, render_table
from e2e.cluster import Cluster
from e2e.cluster.progress import part

_VALUES = Path(__file__).resolve().parents[2] / "charts/presage/values.yaml"
_SETTLE_S = 20.0  # first writes and the first forecasts are no idleness
EXAMPLES = """examples:
  python -m e2e.bench                         all figures, in some five minutes
  python -m e2e.bench --objects 50 --idle 60  fewer objects, a shorter look
  python -m e2e.bench --idle 700              long enough to see the refresh of status, which comes every 600 s
  python -m e2e.bench --json > figures.json   for programs; progress goes to standard error
  python -m e2e.bench --profile op.prof       cProfile around the operator; figures are then worth less

Exit codes: 0 every figure holds what is asked, 1 one falls short, 2 bad usage, 3 something did not start,
130 interrupted (and cleaned up).
"""


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = command.build_parser(
        "e2e.bench",
        "Measures what the operator costs and how fast it is: a real control plane, a real Prometheus with days of "
        "history, the operator as its own process. A cluster that runs already is used and left running.",
        EXAMPLES,
    )
    parser.add_argument("--objects", type=positive, default=200, help="MetricProfiles of the large run (default 200)")
    parser.add_argument("--idle", type=positive, default=75, help="seconds of each idle look (default 75)")
    parser.add_argument("--edits", type=positive, default=100, help="spec edits (default 100)")
    parser.add_argument("--profile", type=Path, help="profile the large run into this file")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench; return the exit code."""
    options = build_parser().parse_args(argv)
    return run_bench(lambda: run(options), (client.ApiException,))


def run(options: argparse.Namespace) -> bool:
    """Measure and print; return whether every figure holds what is asked."""
    began, machine = time.monotonic(), [f"before: {describe_machine()}"]
    cluster = Cluster("control")
    started = not cluster.is_up()
    if started:
        cluster.up()
    try:
        with tempfile.TemporaryDirectory(prefix="presage-bench-") as folder:
            figures = _measure(cluster.kubeconfig, Path(folder), options)
    finally:
        if started:
            cluster.down()
    machine.append(f"after:  {describe_machine()}; the bench took {time.monotonic() - began:.0f} s")
    print(json.dumps(build_document(figures, machine), indent=1) if options.json else render_table(figures, machine))
    return all(figure.verdict != "falls short" for figure in figures)


def _measure(kubeconfig: Path, folder: Path, options: argparse.Namespace) -> list[Figure]:
    with prometheus(folder / "prometheus", options.objects) as url, objects(kubeconfig, url) as made:
        small = _measure_size(kubeconfig, folder, url, made, 1, options)
        return small + _measure_size(kubeconfig, folder, url, made, options.objects, options)


def _measure_size(
    kubeconfig: Path, folder: Path, url: str, made: Objects, count: int, options: argparse.Namespace
) -> list[Figure]:
    """Return the figures of an operator that starts among so many objects."""
    large = count > 1
    with part(f"{count} objects", "creating", "ready"):
        made.grow(count)
    log, profile = folder / f"operator-{count}.log", options.profile if large else None
    with operating(kubeconfig, made.system, log, profile) as operator:
        with part("first decisions", "waiting", "decided"):
            figures = list(figures_of_start(operator, count))
        with part("idle", "looking", "seen"):
            time.sleep(_SETTLE_S)
            idle = watch_idle(operator, url, options.idle if large else min(options.idle, 30))
        figures += figures_of_idle(idle, count, _requested_memory())
        with part("spec edits", "editing", "seen"):
            figures += figures_of_edits(operator, made, options.edits if large else min(options.edits, 10))
    return figures


def _requested_memory() -> float:
    """Return the memory that the chart requests by default, in MiB: who needs more is evicted first."""
    asked = str(yaml.safe_load(_VALUES.read_text())["resources"]["requests"]["memory"])
    number, unit = asked[:-2], asked[-2:]
    return float(number) * {"Mi": 1.0, "Gi": 1024.0}[unit]


if __name__ == "__main__":
    sys.exit(main())
