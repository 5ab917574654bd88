"""The scorer of decisions: one trace and start-up time a call, side by side, kept with a key of the code.

Who wants figures of their own leaves kept ones alone; who was interrupted, or changed nothing, takes them up.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from e2e.bench.command import ROOT
from e2e.bench.processes import BenchError
from e2e.bench.scaling_scores import OURS, Replay, Standing, read_replays, stand
from e2e.bench.tool import LOCK, Tool
from e2e.images.cache import digest

CORE = ROOT / "operator/presage/core"
PLUGIN = ROOT / "e2e/bench/scaling_plugin.py"
FUNCTION = "replay_rule"
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # as in the operator
_TABLE = re.compile(r"^### start-up (\d+) s, objective ([\d.]+)% of load\n(.*?)(?:\n\n|\Z)", re.M | re.S)


@dataclass(frozen=True)
class Task:
    """One trace at one start-up time."""

    trace: str
    startup_s: int


@dataclass(frozen=True)
class Done:
    """What came of a task.

    Attributes:
        replay: The figures.
        took_s: Seconds of the call, when it was made.
        kept: Whether it is an earlier call's.
    """

    replay: Replay
    took_s: float
    kept: bool


class ScalingScorer(Tool):
    """The scorer of decisions, for a plug-in."""

    @property
    def manifest(self) -> dict[str, dict[str, Any]]:
        """Trace -> what is known of it."""
        read = json.loads((self.traces / "manifest.json").read_text())
        found: dict[str, dict[str, Any]] = read.get("series", read)
        return found

    def trace_names(self) -> list[str]:
        """Return the traces that the scorer replays when none are named."""
        return [
            name
            for name, meta in self.manifest.items()
            if meta.get("eval_step") == 300 and meta.get("scored", True) and meta["group"] != "sparse"
        ]

    def command(self, traces: Sequence[str], startups_s: Sequence[int], objectives: Sequence[float]) -> list[object]:
        """Return the scorer's arguments; no traces = all that it replays."""
        series = ["--series", ",".join(traces)] if traces else []
        argv: list[object] = [self.script, self.traces, *series, "--startup", *startups_s]
        return [*argv, "--objective", *objectives, "--workers", 1, "--plugin", Path(f"{PLUGIN}:{FUNCTION}")]

    def run(
        self, tasks: Sequence[Task], objectives: Sequence[float], jobs: int, *, reuse: bool
    ) -> Iterator[tuple[Task, Done]]:
        """Yield the tasks as they are done, so many side by side; all end when one fails or the caller stops."""
        code = digest(*code_files(self.script), json.dumps(list(objectives)), str(self.python))
        with ThreadPoolExecutor(jobs) as pool:
            waiting = {pool.submit(self._do, task, objectives, code, reuse=reuse): task for task in tasks}
            try:
                for each in as_completed(waiting):
                    yield waiting[each], each.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                self.stop()
                raise

    def _do(self, task: Task, objectives: Sequence[float], code: str, *, reuse: bool) -> Done:
        key = digest(code, self.traces / f"{task.trace}.csv", json.dumps(self.manifest[task.trace]))
        kept = self.folder / "replays" / f"{task.trace}-{task.startup_s}.json"
        known = _read_kept(kept, key) if reuse else None
        return (
            self._read(known, kept=True) if known else self._read(self._call(task, objectives, kept, key), kept=False)
        )

    def _call(self, task: Task, objectives: Sequence[float], kept: Path, key: str) -> dict[str, Any]:
        name, began = f"{task.trace}-{task.startup_s}", time.monotonic()
        out = self.folder / f"{name}.json"
        argv = [*self.command([task.trace], [task.startup_s], objectives), "--out", out]
        text = self.call(argv, f"{name}.log")
        document = {"key": key, "took_s": time.monotonic() - began, "rows": json.loads(out.read_text())}
        out.unlink()
        check_tables(text, self._read(document, kept=False).replay)
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(json.dumps(document))
        return document

    def _read(self, document: Mapping[str, Any], *, kept: bool) -> Done:
        groups = {name: meta["group"] for name, meta in self.manifest.items()}
        (replay,) = read_replays(document["rows"], groups)
        return Done(replay, document["took_s"], kept)


def code_files(script: Path) -> list[Path]:
    """Return all that a replay's figures hang on but for its trace."""
    return [script, PLUGIN, LOCK, *sorted(CORE.rglob("*.py"))]


def _read_kept(path: Path, key: str) -> dict[str, Any] | None:
    """Return what was kept under this key; None where that is nothing, or of other code or data."""
    try:
        document: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return document if document.get("key") == key else None


def check_tables(text: str, replay: Replay) -> None:
    """Compare what the scorer printed of one replay with what the bench makes of its rows.

    Raises:
        BenchError: They differ: scorer and bench no longer mean the same.
    """
    for _, percent, table in _TABLE.findall(text):
        objective = next(each for each in replay.bound if math.isclose(100 * each, float(percent)))
        for rule, said in _parse_table(table).items():
            ours = stand([replay], OURS if rule == "plugin" else rule, objective)
            if said.holds != ours.holds or abs(said.cost - ours.cost) > 0.0051:
                raise BenchError(
                    f"{rule} on {replay.trace}, {replay.startup_s} s, {percent} %: "
                    f"the scorer says {said}, the bench {ours}"
                )


def _parse_table(table: str) -> dict[str, Standing]:
    _, _, *lines = ([cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines())
    found = {}
    for rule, holds, cost, *_ in lines:
        count, _, of = holds.partition("/")
        found[rule] = Standing(int(count), int(of), float(cost))
    return found
