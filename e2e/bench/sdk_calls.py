"""What one call costs: a metric left out, and one sampled with exact count, beside the plain OpenTelemetry SDK.

All kinds of calls run in one process by turns, so that what the machine does meanwhile meets each of them alike; a
ratio is that of one turn, and the median of all turns counts. A call is written as in a program: its attributes are
named anew each time. The loop around it is part of each figure, which makes ratios worse, not better.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import repeat
from pathlib import Path

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from e2e.bench.command import ROOT, positive
from e2e.bench.processes import BenchError
from e2e.bench.sdk_documents import EVENT, LEFT_OUT, SAMPLED, write_built_in, write_sampled
from presage.core.recording.types import MINIMAL
from presage.sdk import EventType, Telemetry

ROUNDS, CALLS = 15, 20_000
Work = Callable[[int], float]
"""Does so many calls; returns CPU nanoseconds of one."""


@dataclass(frozen=True)
class Calls:
    """Nanoseconds of one call, by name, and shares of the plain SDK's, both as medians of all turns."""

    rounds: int
    nanoseconds: dict[str, float]
    shares: dict[str, float]


def measure(rounds: int = ROUNDS) -> Calls:
    """Measure in a process of its own.

    Raises:
        BenchError: It failed.
    """
    argv = [sys.executable, "-m", "e2e.bench.sdk_calls", f"--rounds={rounds}"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"calls of the SDK could not be measured:\n{done.stderr}")
    return Calls(**json.loads(done.stdout))


def measure_inside(rounds: int, calls: int = CALLS) -> Calls:
    """Measure in this process."""
    with tempfile.TemporaryDirectory() as folder:
        write_sampled(Path(folder, "sampled.jsonl"))
        write_built_in(Path(folder, "minimal.jsonl"), MINIMAL)
        both = [Telemetry(f"{folder}/{name}.jsonl", seed=1) for name in ("sampled", "minimal")]
        works = {**_plain(), **_ours(*(each.event(EVENT) for each in both))}
        for work in works.values():
            work(calls // 10)  # caches, and attribute sets that are new
        turns = [{name: work(calls) for name, work in works.items()} for _ in range(rounds)]
        for each in both:
            each.shutdown()
    nanoseconds = {name: statistics.median(turn[name] for turn in turns) for name in works}
    compared = {
        "left out": ("left out histogram", "plain histogram"),
        "left out counter": ("left out counter", "plain counter"),
        "sampled": ("sampled histogram", "plain histogram"),
        "event": ("event under Minimal", "plain event"),
    }
    shares = {name: statistics.median(t[ours] / t[plain] for t in turns) for name, (ours, plain) in compared.items()}
    return Calls(rounds, nanoseconds, shares)


def _plain() -> dict[str, Work]:
    provider = MeterProvider([InMemoryMetricReader()], shutdown_on_exit=False)
    meter = provider.get_meter("bench")
    histogram, counter = meter.create_histogram("sampled"), meter.create_counter("counted")
    latency, requests = meter.create_histogram("latency"), meter.create_counter("requests")

    def record(calls: int) -> float:
        began = time.thread_time_ns()
        for _ in repeat(None, calls):
            histogram.record(0.1, {"route": "/order", "outcome": "ok", "method": "POST"})
        return (time.thread_time_ns() - began) / calls

    def add(calls: int) -> float:
        began = time.thread_time_ns()
        for _ in repeat(None, calls):
            counter.add(1, {"route": "/order", "outcome": "ok", "method": "POST"})
        return (time.thread_time_ns() - began) / calls

    def event(calls: int) -> float:
        began = time.thread_time_ns()
        for _ in repeat(None, calls):
            started = time.perf_counter()
            attributes = {"route": "/order", "outcome": "ok"}
            requests.add(1, attributes)
            latency.record(time.perf_counter() - started, attributes)
        return (time.thread_time_ns() - began) / calls

    return {"plain histogram": record, "plain counter": add, "plain event": event}


def _ours(event_type: EventType, order: EventType) -> dict[str, Work]:
    sampled = event_type.histogram(SAMPLED)
    left_out, counter = event_type.histogram(LEFT_OUT), event_type.counter("left_out_counter")

    def record_left_out(calls: int) -> float:
        began = time.thread_time_ns()
        for _ in repeat(None, calls):
            left_out.record(0.1, route="/order", outcome="ok", method="POST")
        return (time.thread_time_ns() - began) / calls

    def add_left_out(calls: int) -> float:
        began = time.thread_time_ns()
        for _ in repeat(None, calls):
            counter.add(1, route="/order", outcome="ok", method="POST")
        return (time.thread_time_ns() - began) / calls

    def record_sampled(calls: int) -> float:
        began = time.thread_time_ns()
        for _ in repeat(None, calls):
            sampled.record(0.1, route="/order", outcome="ok", method="POST")
        return (time.thread_time_ns() - began) / calls

    def event(calls: int) -> float:
        began = time.thread_time_ns()
        for _ in repeat(None, calls):
            with order.measure(route="/order"):
                pass
        return (time.thread_time_ns() - began) / calls

    return {
        "left out histogram": record_left_out,
        "left out counter": add_left_out,
        "sampled histogram": record_sampled,
        "event under Minimal": event,
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m e2e.bench.sdk_calls", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=positive, default=ROUNDS, help=f"turns (default {ROUNDS})")
    print(json.dumps(asdict(measure_inside(parser.parse_args(argv).rounds))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
