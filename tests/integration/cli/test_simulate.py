"""`presage simulate` against a real Prometheus that holds three weeks of a load, a sample a minute."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from e2e.bench.processes import free_port
from tests.integration.cli.stored import serve
from tests.integration.operator.harness import Prometheus

STEP, DAYS = 60, 21
TARGET = ("--per-pod", "10", "--max", "40", "--start-up", "2m")


@dataclass(frozen=True)
class History:
    """What Prometheus holds: a gauge, sampled at the end of each minute."""

    prometheus: Prometheus
    first: int
    loads: list[float]

    @property
    def end(self) -> int:
        """Epoch second at which the last minute ends."""
        return (self.first + len(self.loads)) * STEP

    def simulate(self, *options: str, query: str = "load") -> subprocess.CompletedProcess[str]:
        """Ask this Prometheus for the whole of the history."""
        source = ("--prometheus", self.prometheus.url, "--query", query, "--to", str(self.end))
        return run(*source, *TARGET, *options)


def run(*options: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    command = [sys.executable, "-m", "presage", "simulate", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    last = int(time.time()) // STEP - 1
    first = last - DAYS * 86_400 // STEP + 1
    noise = np.random.default_rng(3).normal(0, 4, last - first + 1)
    loads = []
    for i, extra in enumerate(noise.tolist()):
        at = (first + i) * STEP
        day = 170 if 8 <= at % 86_400 / 3_600 < 18 else 0  # a step each morning, which no reactive rule sees coming
        loads.append(60 + 15 * math.sin(math.tau * at / 86_400) + day + extra)
    lines = ["# TYPE load gauge"]
    lines += [f"load {load:.6g} {(first + i + 1) * STEP}" for i, load in enumerate(loads)]
    with serve(tmp_path_factory.mktemp("simulate"), lines) as server:
        yield History(server, first, loads)


def read(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Return the JSON of a command that ended well."""
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_three_weeks_from_prometheus_are_those_of_a_file(history: History, tmp_path: Path) -> None:
    path = tmp_path / "load.csv"
    rows = [f"{(history.first + i) * STEP},{load:.6g}" for i, load in enumerate(history.loads)]
    path.write_text("timestamp,value\n" + "\n".join(rows) + "\n")
    plots = [tmp_path / "x.html", tmp_path / "x.png"]
    asked = read(history.simulate("--last", "2d", "--format", "json", "--plot", str(plots[0])))
    filed = read(run("--csv", str(path), *TARGET, "--last", "2d", "--format", "json", "--plot", str(plots[1])))
    assert asked["series"]["slots"] == filed["series"]["slots"] == DAYS * 1_440
    assert asked["series"]["stepSeconds"] == filed["series"]["stepSeconds"] == STEP
    assert asked["window"] == filed["window"]
    assert list(asked["rules"]) == ["presage", "hpa", "cron", "yesterday", "clairvoyant"]
    for name, rule in filed["rules"].items():
        got = asked["rules"][name]
        assert got["replicaHours"] == pytest.approx(rule["replicaHours"], rel=2e-3), name
        assert got["unmetShare"] == pytest.approx(rule["unmetShare"], abs=2e-4), name
    own, hpa, bound = (asked["rules"][name] for name in ("presage", "hpa", "clairvoyant"))
    assert own["unmetShare"] < asked["objective"] * 1.5
    assert own["replicaHours"] < hpa["replicaHours"], "the objective is kept for less"
    assert bound["replicaHours"] < own["replicaHours"]
    assert all(plot.stat().st_size > 50_000 for plot in plots)


def test_the_table_and_a_limit(history: History) -> None:
    options = ("--last", "6h", "--against", "hpa", "--max", "2", "--fail-above-unmet", "0.5%")
    done = history.simulate(*options)
    assert done.returncode == 1
    assert done.stdout.startswith("load: ")
    assert "above --fail-above-unmet 0.50 %" in done.stderr


def test_a_query_at_fault_is_2_and_no_server_is_3(history: History) -> None:
    done = history.simulate(query="absent_metric")
    assert (done.returncode, done.stdout) == (2, "")
    assert "the query has no value in that time" in done.stderr
    away = run("--prometheus", f"http://127.0.0.1:{free_port()}", "--query", "load", *TARGET)
    assert (away.returncode, away.stdout) == (3, "")
    assert len(away.stderr.splitlines()) == 1
