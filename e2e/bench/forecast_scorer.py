"""The scorer of forecasts, and whether it means the same as the bench."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from e2e.bench.command import ROOT
from e2e.bench.forecast_scores import MEASURES, SPANS, Row, column, methods, read_rows
from e2e.bench.processes import BenchError
from e2e.bench.tool import Tool, render_command

PLUGIN = "e2e/bench/forecast_plugin.py"
_SPEED = re.compile(r"^batch of \d+: ([\d.]+) CPU ms, ([\d.]+) wall ms a series$", re.M)
_TABLE = re.compile(r"^### (\w+)\n(.*?)(?:\n\n|\Z)", re.M | re.S)


@dataclass(frozen=True)
class Result:
    """One run of the scorer: the command, its rows, and the time a series took in one large batch."""

    command: str
    rows: list[Row]
    cpu_ms: float = float("nan")
    wall_ms: float = float("nan")


class Scorer(Tool):
    """The scorer of forecasts."""

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
