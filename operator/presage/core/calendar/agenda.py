"""What of a calendar concerns the present: kept for an hour, so that a decision looks at few spans only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from presage.core.calendar.effects import Floor, floor_between, in_force
from presage.core.calendar.occurrences import Span, find_next, find_spans
from presage.core.calendar.spec import Calendar

PERIOD_S = 3600.0
AHEAD_S = 7200.0  # beyond the hour; a lead time is shorter


@dataclass(frozen=True, slots=True)
class Agenda:
    """A calendar at one moment.

    Attributes:
        floor: The most replicas it asks for from now until a replica asked for now would be ready.
        current: Spans in force now, ramps included.
        next: Span that starts next; None if none does.
    """

    floor: Floor = field(default_factory=Floor)
    current: tuple[Span, ...] = ()
    next: Span | None = None


def agenda_at(known: Calendar, now: float, lead_s: float) -> Agenda:
    """Return what a calendar says at a moment.

    Args:
        known: The calendar.
        now: Epoch seconds.
        lead_s: Seconds until a replica asked for now would be ready.
    """
    if not known:
        return Agenda()
    spans, later = _near(known, int(now // PERIOD_S))
    return Agenda(floor_between(spans, now, now + lead_s), in_force(spans, now), _first_after(spans, later, now))


def _first_after(spans: Sequence[Span], later: Span | None, now: float) -> Span | None:
    coming = [span for span in (*spans, later) if span is not None and span.start > now]
    return min(coming, key=lambda span: span.start, default=None)


@lru_cache(maxsize=2048)
def _near(known: Calendar, hour: int) -> tuple[tuple[Span, ...], Span | None]:
    """Return the spans of an hour and what follows, and the first that starts after them."""
    since = hour * PERIOD_S
    until = since + PERIOD_S + AHEAD_S
    return find_spans(known, since, until), find_next(known, until - 1)
