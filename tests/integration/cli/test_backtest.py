"""`presage backtest` against a real Prometheus that holds eleven days of history."""

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

STEP, DAYS = 300, 11
SCORES = ("mase", "wql", "cov90", "cov95")


@dataclass(frozen=True)
class History:
    """What Prometheus holds: a gauge sampled at the end of each slot, and a counter that grows at that rate."""

    prometheus: Prometheus
    first: int
    loads: list[float]

    def backtest(self, query: str, *options: str) -> subprocess.CompletedProcess[str]:
        return run("--prometheus", self.prometheus.url, "--query", query, *options)


def run(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "presage", "backtest", *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    folder = tmp_path_factory.mktemp("backtest")
    last = int(time.time()) // STEP - 1
    first = last - DAYS * 86_400 // STEP + 1
    noise = np.random.default_rng(3).normal(0, 4, last - first + 1)
    loads = [100 + 60 * math.sin(math.tau * (first + i) * STEP / 86_400) + float(n) for i, n in enumerate(noise)]
    lines = ["# TYPE load gauge"]
    lines += [f'load{{pod="a"}} {load:.6g} {(first + i + 1) * STEP}' for i, load in enumerate(loads)]
    lines += ["# TYPE parts gauge"]
    for pod in ("a", "b"):
        lines += [f'parts{{pod="{pod}"}} {load / 2:.6g} {(first + i + 1) * STEP}' for i, load in enumerate(loads)]
    lines += ["# TYPE orders counter"]
    total = 0.0
    for i, load in enumerate(loads):
        for part in range(5):
            lines.append(f"orders_total {total:.6f} {(first + i) * STEP + part * 60}")
            total = 0.0 if (i, part) == (1_000, 0) else total + load * 60  # the process restarts once
    with serve(folder, lines) as server:
        yield History(server, first, loads)


def read(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert (done.returncode, "presage backtest:" in done.stderr) == (0, False), done.stderr  # progress is told there
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_what_is_asked_is_scored_as_the_same_load_from_a_file(history: History, tmp_path: Path) -> None:
    path = tmp_path / "load.csv"
    rows = [f"{(history.first + i) * STEP},{load:.6g}" for i, load in enumerate(history.loads)]
    path.write_text("timestamp,value\n" + "\n".join(rows) + "\n")
    until = ("--to", str((history.first + len(history.loads)) * STEP))
    asked = read(history.backtest('load{pod="a"}', "--format", "json", *until))
    from_file = read(run("--csv", str(path), "--format", "json"))
    assert asked["series"]["slots"] == from_file["series"]["slots"] == len(history.loads)
    assert asked["series"]["start"] == from_file["series"]["start"]
    assert asked["series"]["missingSlots"] == 0
    for span, methods in from_file["spans"].items():
        for method, scores in methods.items():
            got = asked["spans"][span][method]
            assert [got[name] for name in SCORES] == pytest.approx(
                [scores[name] for name in SCORES], rel=1e-3, abs=2e-3
            )
    assert asked["spans"]["day"]["presage"]["relMase"] < 1


def test_the_rate_of_a_counter_with_a_picture(history: History, tmp_path: Path) -> None:
    query = "sum(rate(orders_total[5m]))"
    options = ("--from", "9d", "--plot", str(tmp_path / "x.html"), "--unit", "orders/s", "--fail-above", "1")
    done = history.backtest(query, *options)
    assert (done.returncode, "presage backtest:" in done.stderr) == (0, False), done.stderr  # progress is told there
    assert done.stdout.startswith(f"{query}: ")
    assert " 0.0% missing" in done.stdout.splitlines()[0]
    assert "orders/s" in (tmp_path / "x.html").read_text()


@pytest.mark.parametrize(
    ("query", "options", "message"),
    [
        pytest.param("sum(load", (), "it refuses the query (HTTP 400, ", id="a bracket is missing"),
        pytest.param("parts", (), "the query gives 2 series (", id="two series"),
        pytest.param("absent_metric", (), "the query has no value in that time: check --query", id="no such metric"),
        pytest.param("load", ("--from", "30h"), "too short: ", id="too short a time"),
    ],
)
def test_a_query_at_fault_is_2(history: History, query: str, options: tuple[str, ...], message: str) -> None:
    done = history.backtest(query, *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert history.prometheus.url in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_another_server_and_none_are_3(history: History) -> None:
    away = run("--prometheus", f"http://127.0.0.1:{free_port()}", "--query", "load")
    assert (away.returncode, away.stdout) == (3, "")
    other = run("--prometheus", f"{history.prometheus.url}/nowhere", "--query", "load")
    assert other.returncode == 3
    assert "there is no Prometheus API at this address (HTTP 404): check --prometheus" in other.stderr
