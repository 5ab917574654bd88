"""A replay as a table for a person."""

from __future__ import annotations

import math
from collections.abc import Iterator

from presage.cli.drawing.columns import align
from presage.cli.simulate.result import Simulation, describe_run, describe_saving, percent
from presage.core.units import format_duration

_LEGEND = """\
unmet: load above what the ready pods serve, as a share of all load. under-provisioned: minutes in which there was such
load. replica-hours: pods asked for, ready or not. changes: times the number of replicas changed. The clairvoyant knows
the load in advance and uses the objective up: a bound to measure by."""


def render(result: Simulation) -> str:
    """Return the replay as lines of text."""
    known = sum(map(math.isfinite, result.series.tolist())) / len(result.series)
    span = format_duration(result.end - result.start)
    parts = [
        f"{result.load.name}: {result.clock(result.start)} to {result.clock(result.end)} ({span}), "
        f"slots of {format_duration(result.load.step)}, {1 - known:.1%} missing",
        describe_run(result),
        "",
        *_rows(result),
        "",
        _LEGEND,
    ]
    parts += [f"{result.name(rule)}: not played: {why}" for rule, why in result.missing.items()]
    if saving := describe_saving(result):
        parts += ["", saving]
    return "\n".join(parts)


def _rows(result: Simulation) -> Iterator[str]:
    rows = [["rule", "unmet", "under-provisioned", "replica-hours", "changes"]]
    for rule, outcome in result.outcomes.items():
        minutes = f"{outcome.under_minutes:,.0f} min" if outcome.under_minutes else "-"
        hours, changes = f"{outcome.replica_hours:,.1f}", f"{outcome.changes:,}"
        rows.append([result.name(rule), percent(outcome.unmet_share), minutes, hours, changes])
    yield from align(rows, 1)
