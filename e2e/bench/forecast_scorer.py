"""The scorer, run as its own process in an environment of its own."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from e2e.bench.forecast_scores import MEASURES, SPANS, Row, column, methods, read_rows
from e2e.bench.processes import BenchError
from e2e.images.cache import digest

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements/bench.txt"
PLUGIN = "e2e/bench/forecast_plugin.py"
_SPEED = re.compile(r"^batch of \d+: ([\d.]+) CPU ms, ([\d.]+) wall ms a series$", re.M)
_TABLE = re.compile(r"^### (\w+)\n(.*?)(?:\n\n|\Z)", re.M | re.S)


class MissingInputError(Exception):
    """The scorer or the traces are not where they should be; the message says what to do."""


@dataclass(frozen=True)
class Result:
    """One run of the scorer: the command, its rows, and the time a series took in one large batch."""

    command: str
    rows: list[Row]
    cpu_ms: float = float("nan")
    wall_ms: float = float("nan")


@dataclass(frozen=True)
class Scorer:
    """How to run the scorer: its script, the traces, a Python that has what it needs, a folder for what it writes."""

    script: Path
    traces: Path
    python: Path
    folder: Path

    def run(self, peers: Sequence[str], function: str, name: str, batch: int = 0) -> Result:
        """Run the scorer once on a function of the plugin, called `name` in what comes back.

        Raises:
            BenchError: It failed, or its table and its rows say different things.
        """
        out = self.folder / f"{function}.json"
        argv = [self.script, self.traces, "--workers", 1, "--methods", ",".join(peers)]
        argv += ["--plugin", ROOT / f"{PLUGIN}:{function}"]
        argv += ["--plugin-batch", "--speed", batch] if batch else []
        text = self.call([*argv, "--out", out])
        rows = read_rows(json.loads(out.read_text()), name)
        check_columns(text, rows, name)
        speed = _SPEED.search(text)
        if batch and not speed:
            raise BenchError("the scorer did not say how long a batch took")
        cpu, wall = (float(each) for each in speed.groups()) if speed else (float("nan"), float("nan"))
        return Result(render_command(argv), rows, cpu, wall)

    def time_ticks(self) -> dict[str, float]:
        """Return CPU milliseconds of `advance` a series, in a batch of 1,000, by the length of the horizon."""
        text = self.call(["-m", "e2e.bench.forecast_ticks", self.script, self.traces])
        times: dict[str, float] = json.loads(text)
        return times

    def versions(self) -> str:
        """Return the versions of Python and of what counts."""
        names = "numpy", "scipy", "statsmodels", "scikit-learn"
        code = f"import sys,json,importlib.metadata as m;print(sys.version.split()[0],*[m.version(n) for n in {names}])"
        python, *found = self.call(["-c", code]).split()
        return ", ".join([f"Python {python}", *(f"{n} {v}" for n, v in zip(names, found, strict=True))])

    def call(self, argv: Sequence[object]) -> str:
        """Run a program of the environment to its end; return what it printed. Its children end with it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "operator")}
        log = self.folder / "scorer.log"
        with log.open("w") as errors:
            process = subprocess.Popen(
                [str(word) for word in (self.python, *argv)],
                stdout=subprocess.PIPE, stderr=errors, text=True, env=environment, cwd=ROOT, start_new_session=True,
            )  # fmt: skip
            try:
                text, _ = process.communicate()
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise
        if process.returncode != 0:
            last = "\n".join(log.read_text().splitlines()[-15:])
            raise BenchError(f"{shlex.join(map(str, argv))} ended with exit code {process.returncode}:\n{last}")
        return text


def render_command(argv: Sequence[object]) -> str:
    """Return the scorer's command as a person types it in the repository's folder, with paths seen from there."""
    words = [os.path.relpath(word, ROOT) if isinstance(word, Path) else str(word) for word in argv]
    return f"PYTHONPATH=operator python {shlex.join(words)}"


def check_columns(text: str, rows: Sequence[Row], plugin: str) -> None:
    """Compare the scorer's printed columns with ours, to the three digits that it prints.

    Raises:
        BenchError: They differ: scorer and bench no longer mean the same.
    """
    tables = {span: _parse_table(table) for span, table in _TABLE.findall(text)}
    for span in SPANS:
        for method in methods(rows):
            for measure in MEASURES:
                shown = tables[span]["plugin" if method == plugin else method][f"rel {measure}"]
                ours = column(rows, method, span, measure)
                if abs(shown - ours) > 0.00051:
                    raise BenchError(
                        f"rel {measure}, {span}, of {method}: the scorer says {shown}, the bench {ours:.4f}"
                    )


def _parse_table(table: str) -> dict[str, dict[str, float]]:
    head, _, *lines = ([cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines())
    return {line[0]: dict(zip(head[1:], map(float, line[1:]), strict=True)) for line in lines}


def find_input(path: str, what: str, remedy: str) -> Path:
    """Return the path, seen from the repository's folder.

    Raises:
        MissingInputError: There is nothing.
    """
    found = (ROOT / path).resolve()
    if not found.exists():
        raise MissingInputError(f"no {what} at {path}: {remedy}")
    return found


def environment_python(lock: Path = LOCK) -> Path:
    """Return the Python of the scorer's environment, which is made if it is not there.

    Raises:
        BenchError: It could not be made.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "presage", "bench")
    folder = cache / digest(lock, sys.version)
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".env-", dir=cache) as scratch:
            made = Path(scratch) / "env"
            _uv("venv", "--python", sys.executable, made)
            _uv("pip", "install", "--python", made / "bin/python", "--require-hashes", "-r", lock)
            shutil.move(made, folder)
    return folder / "bin/python"


def _uv(*words: object) -> None:
    argv: list[Any] = [Path(sys.executable).with_name("uv"), *words]
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchError(f"the scorer's environment could not be made: {shlex.join(map(str, argv))}\n{done.stderr}")
