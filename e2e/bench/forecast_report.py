"""Text for people: the table on the terminal, and the results in docs/benchmarks/forecast.md; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from e2e.bench.forecast_scores import (
    BASE,
    MEASURES,
    SPANS,
    Comparison,
    LeftOut,
    Row,
    Span,
    compare,
    coverage,
    fallbacks,
    groups,
    leave_one_group_out,
    leave_one_series_out,
    methods,
    ratios,
)
from e2e.bench.judged import Judged
from e2e.bench.page import align, judged_cells, render_table

TIERS = ("full", "batch")
SPAN_NAMES = {"short": "Short (the next hour)", "day": "Day (the next 24 hours)"}


@dataclass(frozen=True)
class Run:
    """All that one run found.

    Attributes:
        table: The judged rows.
        rows: The scorer's rows: both tiers, all peers.
        facts: Lines on machine, date, versions and commands.
        remarks: What a reader has to know about this very run; empty for a whole one.
    """

    table: Sequence[Judged]
    rows: Sequence[Row]
    facts: Mapping[str, str]
    remarks: Sequence[str] = ()

    @property
    def void(self) -> str:
        """Return why the run counts for nothing; empty if it does count."""
        failed = fallbacks(self.rows)
        return ", ".join(f"{who} ×{count}" for who, count in failed.items())


def render_text(run: Run) -> str:
    """Return the table for a terminal, with what voids or limits it."""
    lines = [
        *align(judged_cells(run.table)),
        "",
        *(f"{name}: {text}" for name, text in run.facts.items()),
        *run.remarks,
    ]
    if run.void:
        lines += ["", f"VOID: the scorer fell back to yesterday's value for {run.void}"]
    return "\n".join(lines)


def render_results(run: Run) -> str:
    """Return all results as Markdown."""
    parts = ["## Results"]
    if run.void:
        parts.append(f"**This run is void**: the scorer fell back to yesterday's value for {run.void}.")
    parts += [
        *run.remarks,
        render_table([("what", "value"), *run.facts.items()]),
        render_table(judged_cells(run.table)),
        *_comparisons(run.rows),
        *_left_out(run.rows),
        *_per_series(run.rows),
    ]
    return "\n\n".join(parts)


def _comparisons(rows: Sequence[Row]) -> list[str]:
    found = [
        "### Against each peer",
        "Geometric mean over series of the ratio of the scores, below 1 where presage errs less, with the 90 % "
        'bootstrap interval over series. "Better" and "worse" are said only where the whole interval lies on one side.',
    ]
    for tier in TIERS:
        for span in SPANS:
            found += [f"{tier.capitalize()} tier, {span}:", render_table(comparison_cells(rows, tier, span))]
    return found


def comparison_cells(rows: Sequence[Row], tier: str, span: Span) -> list[list[str]]:
    """Return a tier against each peer, and the full tier against the batch tier, too."""
    cells = [["peer", "MASE ratio", "90 % interval", "full tier is" if tier == "full" else "batch tier is"]]
    cells[0] += ["WQL ratio", "90 % interval", cells[0][-1]]
    for peer in methods(rows):
        if peer == tier or (tier, peer) == ("batch", "full"):
            continue
        line = [peer]
        for measure in MEASURES:
            line += _comparison(compare(ratios(rows, tier, peer, span, measure)))
        cells.append(line)
    return cells


def _comparison(found: Comparison) -> list[str]:
    return [f"{found.ratio:.3f}", f"{found.low:.3f}–{found.high:.3f}", found.says]


def _left_out(rows: Sequence[Row]) -> list[str]:
    cells: list[list[str]] = [["tier, measure, span", "all", "lowest without", "highest without"]]
    by_group: list[list[str]] = [["tier, measure, span", *(f"without {name}" for name in _group_names(rows))]]
    for tier in TIERS:
        for measure in MEASURES:
            for span in SPANS:
                found, name = ratios(rows, tier, BASE, span, measure), f"{tier}, rel {measure}, {span}"
                single = leave_one_series_out(found)
                cells.append([name, f"{compare(found).ratio:.3f}", _left(single[0]), _left(single[-1])])
                parted = {each.name: each.mean for each in leave_one_group_out(found, groups(rows))}
                by_group.append([name, *(f"{parted[group]:.3f}" for group in _group_names(rows))])
    return ["### Leave one out", "One series:", render_table(cells), "One group:", render_table(by_group)]


def _group_names(rows: Sequence[Row]) -> list[str]:
    return sorted(set(groups(rows).values()))


def _left(found: LeftOut) -> str:
    return f"{found.mean:.3f} ({found.name})"


def _per_series(rows: Sequence[Row]) -> list[str]:
    found = ["### Each series, worst first", "By the full tier's rel MASE. cov = coverage at that level."]
    for span in SPANS:
        found += [f"{SPAN_NAMES[span]}:", render_table(series_cells(rows, span))]
    return found


def series_cells(rows: Sequence[Row], span: Span) -> list[list[str]]:
    """Return each series' scores for both tiers, worst first."""
    head, columns = ["series", "group"], []
    for tier in TIERS:
        head += [f"{tier}: rel MASE", "rel WQL", "cov 0.9", "cov 0.95"]
        columns += [ratios(rows, tier, BASE, span, measure) for measure in MEASURES]
        columns += [coverage(rows, tier, span, level) for level in ("0.9", "0.95")]
    group, worst_first = groups(rows), sorted(columns[0], key=lambda series: -columns[0][series])
    return [head, *([name, group[name], *(f"{each[name]:.3f}" for each in columns)] for name in worst_first)]
