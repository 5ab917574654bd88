"""The run as one HTML page that needs no network: both worlds, what happened at each moment, and why.

The page is a template of ours with the figures as JSON in it. A chart library would weigh megabytes for two panels.
"""

from __future__ import annotations

from html import escape
from typing import Any

from e2e.demo.accounting import Account, Fleet, ready_per_second, unmet_per_second
from e2e.demo.record import RunRecord
from e2e.demo.report import Summary, build_notes, build_tables, describe_outcome, describe_world, name_rival
from presage.cli.drawing.page import embed, fill_page

DIGITS = 2


def render_page(summary: Summary) -> str:
    """Return the page."""
    parts = {
        "__TITLE__": f"presage: {escape(summary.record.trace)}",
        "__OUTCOME__": escape(describe_outcome(summary)),
        "__TABLE__": "".join(map(_table, build_tables(summary))),
        "__NOTES__": "<ul>" + "".join(f"<li>{escape(note)}</li>" for note in build_notes(summary)) + "</ul>",
        "__DATA__": embed(_data(summary)),
    }
    return fill_page(__package__, parts)


def _table(rows: list[tuple[str, str, str]]) -> str:
    head, *body = rows
    lines = ["<tr>" + "".join(f"<th>{escape(cell)}</th>" for cell in head) + "</tr>"]
    lines += ["<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in body]
    return "<table>" + "".join(lines) + "</table>"


def _data(summary: Summary) -> dict[str, Any]:
    record = summary.record
    return {
        "load": list(record.counts.sent),
        "capacity": record.capacity,
        "presage": _world(record, record.presage, summary.presage, "presage"),
        "rival": _world(record, record.rival, summary.rival, name_rival(record)),
        "forecast": [
            [round(each.at - record.start, DIGITS), round(each.median, DIGITS), round(each.upper, DIGITS)]
            for each in record.forecast
        ],
        "decisions": _decisions(record),
    }


def _world(record: RunRecord, fleet: Fleet, own: Account, name: str) -> dict[str, Any]:
    load = record.counts.load
    ready = ready_per_second(fleet.lives, record.start, len(load))
    unmet = unmet_per_second(load, ready, record.capacity)
    return {
        "title": describe_world(name, own),
        "capacity": (record.capacity * ready).round(DIGITS).tolist(),
        "unmet": unmet.round(DIGITS).tolist(),
    }


def _decisions(record: RunRecord) -> list[list[Any]]:
    """Return [second, replicas, replicas before, why] of each change that presage decided."""
    found: list[list[Any]] = []
    before = record.presage.replicas_at(record.start)
    for each in record.decisions:
        if each.at >= record.start + record.day_seconds:
            break
        if each.replicas != before or not found:
            found.append([round(each.at - record.start, DIGITS), each.replicas, before, each.why])
        before = each.replicas
    return found
