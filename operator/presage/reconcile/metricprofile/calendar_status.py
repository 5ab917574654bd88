"""`status.scaling.calendar`, and the events that tell of a window that begins or ends."""

from __future__ import annotations

from presage.core.calendar.agenda import Agenda
from presage.core.calendar.occurrences import Span
from presage.core.units import to_time
from presage.reconcile.kind import Note

MAX_IN_FORCE = 8


def build_calendar(agenda: Agenda) -> dict[str, object]:
    """Return `status.scaling.calendar`; empty without a calendar, or once all of it is over."""
    built: dict[str, object] = {}
    if agenda.current:
        built["inForce"] = [_build_span(span) for span in agenda.current[:MAX_IN_FORCE]]
    if agenda.next is not None:
        built["next"] = _build_span(agenda.next)
    if agenda.floor.replicas:
        built["minimum"] = agenda.floor.replicas
    return built


def _build_span(span: Span) -> dict[str, object]:
    return {"name": span.name, "from": to_time(span.start), "to": to_time(span.end), "effect": str(span.effect)}


def judge_calendar(before: tuple[str, ...] | None, agenda: Agenda) -> tuple[tuple[str, ...], tuple[Note, ...]]:
    """Return the names in force now and the events to write, at most one of each kind.

    Args:
        before: Names in force at the last decision; None after a restart: what began earlier is no news.
        agenda: Of now.
    """
    now = tuple(sorted({span.name for span in agenda.current}))
    if before is None:
        return now, ()
    notes = []
    begun = [
        f"{span.name} ({span.effect}, until {to_time(span.end)})" for span in agenda.current if span.name not in before
    ]
    ended = [name for name in before if name not in now]
    if begun:
        notes.append(Note("CalendarBegan", f"In the calendar begins: {', '.join(begun[:MAX_IN_FORCE])}."))
    if ended:
        notes.append(Note("CalendarEnded", f"In the calendar ends: {', '.join(ended[:MAX_IN_FORCE])}."))
    return now, tuple(notes)
