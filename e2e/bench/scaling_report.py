"""Text for people: the tables on the terminal and in docs/benchmarks/scaling.md; pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from e2e.bench.judged import Judged
from e2e.bench.page import align, judged_cells, marks, render_table
from e2e.bench.scaling_rows import Level
from e2e.bench.scaling_scores import (
    HPA_70,
    HPA_80,
    OURS,
    Replay,
    cheapest,
    curve_hours,
    stand,
    stand_in_hindsight,
)

DEAR = 1.5
"""A trace that costs more than this over the bound is a worst case, too."""
LEVEL_HEAD = (
    "start-up, objective", "HPA at 70 %", "simple forecast rule", "and the next", "best simple rule, in hindsight",
    "presage", "must", "verdict", "aim", "aim is",
)  # fmt: skip
TRACE_HEAD = (
    "trace", "group", "unmet", "holds", "cost", "hours of HPA 70 %", "its unmet", "points over HPA 80 %", "its unmet",
    "hours of the HPA at this unmet", "cheapest simple rule that holds", "its cost",
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """All that one run found.

    Attributes:
        levels: A row for each start-up time and objective.
        costs: What the operator pays; empty if not measured.
        facts: Lines on machine, date, versions and commands.
        remarks: What a reader has to know about this very run; empty for a whole one.
    """

    levels: Sequence[Level]
    costs: Sequence[Judged]
    facts: Mapping[str, str]
    remarks: Sequence[str] = ()

    @property
    def holds(self) -> bool:
        """Whether every figure holds what it must."""
        verdicts = [*(each.verdict for each in self.levels), *(each.verdict for each in self.costs)]
        return "falls short" not in verdicts


@dataclass(frozen=True)
class WorstCase:
    """A trace that does not hold an objective, or costs much; `why` says where and how much."""

    trace: str
    group: str
    why: tuple[str, ...]


def render_text(run: Run) -> str:
    """Return all tables for a terminal."""
    lines = align(level_cells(run.levels))
    for level in run.levels:
        lines += ["", f"Start-up {level.name}:", *align(trace_cells(level))]
    lines += ["", "Worst cases:", *align(worst_cells(run.levels))]
    lines += ["", "All rules:", *align(rule_cells(run.levels))]
    if run.costs:
        lines += ["", *align(judged_cells(run.costs))]
    return "\n".join([*lines, "", *(f"{name}: {text}" for name, text in run.facts.items()), *run.remarks])


def render_results(run: Run) -> str:
    """Return all tables as Markdown."""
    parts = ["## Results", *run.remarks, render_table([("what", "value"), *run.facts.items()])]
    parts.append(render_table(level_cells(run.levels)))
    if run.costs:
        parts += ["### What the operator pays", render_table(judged_cells(run.costs))]
    parts += ["### Worst cases", render_table(worst_cells(run.levels))]
    parts += ["### All rules", "Holds and cost of each.", render_table(rule_cells(run.levels))]
    for level in run.levels:
        parts += [f"### Start-up {level.name}, each trace", render_table(trace_cells(level))]
    return "\n\n".join(parts)


def level_cells(levels: Iterable[Level]) -> list[tuple[str, ...]]:
    """Return the cells of the judged table, head first."""
    found: list[tuple[str, ...]] = [LEVEL_HEAD]
    for each in levels:
        peers = (str(stand(each.replays, HPA_70, each.objective)), *_simple_forecasts(each))
        hindsight = str(stand_in_hindsight(each.replays, each.objective))
        must, aim = ("" if asked is None else str(asked) for asked in (each.must, each.aim))
        row = (each.name, *peers, hindsight, str(each.found), must, each.verdict, aim, each.aim_verdict)
        found.append(row)
    return found


def _simple_forecasts(level: Level) -> tuple[str, str]:
    """Return the simple forecast rule at the quantile that holds most traces for least, and the next below."""
    rules = sorted(rule for rule in level.replays[0].rules if rule.startswith("profile "))
    stands = [stand(level.replays, rule, level.objective) for rule in rules]
    best = max(range(1, len(rules)), key=lambda n: (stands[n].holds, -stands[n].cost))
    return f"{rules[best]}: {stands[best]}", f"{rules[best - 1]}: {stands[best - 1]}"


def trace_cells(level: Level) -> list[tuple[str, ...]]:
    """Return each trace's figures, the one that exceeds its objective most first."""
    worst_first = sorted(level.replays, key=lambda each: -each.ours[level.objective].unmet)
    return [TRACE_HEAD, *(_trace_row(each, level.objective) for each in worst_first)]


def _trace_row(replay: Replay, objective: float) -> tuple[str, ...]:
    ours, hpa, lean = replay.ours[objective], replay.rules[HPA_70], replay.rules[HPA_80]
    curve, simple = curve_hours(replay, ours.unmet), cheapest(replay, objective)
    points = 100 * (replay.cost(ours, objective) - replay.cost(lean, objective))
    return (
        replay.trace,
        replay.group,
        f"{ours.unmet:.3%}",
        "yes" if ours.holds(objective) else "no",
        f"{replay.cost(ours, objective):.2f}",
        f"{ours.hours / hpa.hours:.2f}",
        f"{hpa.unmet:.3%}",
        f"{points:+.0f}",
        f"{lean.unmet:.3%}",
        f"{ours.hours / curve:.2f}" if curve else "none reaches it",
        simple or "none",
        f"{replay.cost(replay.rules[simple], objective):.2f}" if simple else "",
    )


def rule_cells(levels: Sequence[Level]) -> list[tuple[str, ...]]:
    """Return how each of the scorer's rules stands beside presage."""
    rules = [OURS, *levels[0].replays[0].rules]
    rows = [(rule, *(str(stand(each.replays, rule, each.objective)) for each in levels)) for rule in rules]
    return [("rule", *(each.name for each in levels)), *rows]


def worst_cases(levels: Iterable[Level]) -> list[WorstCase]:
    """Return the traces that miss an objective or are dear somewhere, those that miss most first."""
    misses: dict[str, list[str]] = {}
    dear: dict[str, list[str]] = {}
    depth: dict[str, float] = {}
    groups: dict[str, str] = {}
    for level in levels:
        for replay in level.replays:
            ours = replay.ours[level.objective]
            groups[replay.trace] = replay.group
            if not ours.holds(level.objective):
                misses.setdefault(replay.trace, []).append(f"{level.name}: unmet {ours.unmet:.3%}")
                depth[replay.trace] = max(depth.get(replay.trace, 0.0), ours.unmet / level.objective)
            if replay.cost(ours, level.objective) > DEAR:
                cost = replay.cost(ours, level.objective)
                dear.setdefault(replay.trace, []).append(f"{level.name}: cost {cost:.2f}")
    names = sorted({**misses, **dear}, key=lambda name: (-depth.get(name, 0.0), name))
    return [WorstCase(name, groups[name], (*misses.get(name, ()), *dear.get(name, ()))) for name in names]


def worst_cells(levels: Iterable[Level]) -> list[tuple[str, ...]]:
    """Return the worst cases as cells."""
    return [("trace", "group", "where"), *((e.trace, e.group, "; ".join(e.why)) for e in worst_cases(levels))]


def unexplained(levels: Iterable[Level], page: str) -> list[str]:
    """Return the worst cases of which the page's own words, below the results, say nothing."""
    words = page.rpartition(marks()[1])[2]
    return [each.trace for each in worst_cases(levels) if f"`{each.trace}`" not in words]


def describe_done(replay: Replay) -> str:
    """Return a replay in one line, for who waits."""
    said = []
    for objective, ours in replay.ours.items():
        cost = replay.cost(ours, objective)
        shown = "no bound" if math.isnan(cost) else f"cost {cost:.2f}"
        said.append(f"{objective:.1%}: unmet {ours.unmet:.3%}{'' if ours.holds(objective) else ' !'}, {shown}")
    return f"{replay.trace}, {replay.startup_s} s: {'; '.join(said)}"
