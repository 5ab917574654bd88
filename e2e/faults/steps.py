"""What the replicas of a target did over a stretch of time, and what was said about it (pure)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import pairwise

from e2e.demo.accounting import Fleet
from e2e.faults.written import Write

Step = tuple[float, int]
_SAID = re.compile(r"from (\d+) to (\d+) replicas")


def find_drops(steps: Sequence[Step], begin: float, end: float) -> list[tuple[float, int, int]]:
    """Return (time, before, after) of every fall between two times; ``steps`` are (time, replicas) in order."""
    return [
        (when, before, after)
        for (_, before), (when, after) in pairwise(steps)
        if begin <= when <= end and after < before
    ]


def find_shortages(
    steps: Sequence[Step], need: Callable[[float], int], begin: float, end: float
) -> list[tuple[float, int, int]]:
    """Return (time, replicas, need) of every second between two times in which fewer were asked for than needed."""
    fleet = Fleet(tuple(steps), ())
    seconds = [begin + offset for offset in range(int(end - begin) + 1)]
    found = [(second, fleet.replicas_at(second), need(second)) for second in seconds]
    return [each for each in found if each[1] < each[2]]


def find_unfounded_events(events: Sequence[Write], scales: Sequence[Write]) -> list[Write]:
    """Return the events ``Rescaled`` that belong to no scale of their pod, or to one that was announced before.

    Args:
        events: creations of events, in order.
        scales: of the target, in order.
    """
    announced: set[float] = set()
    found = []
    for event in events:
        said = _SAID.search(str(event.body.get("note", "")))
        told_at = datetime.fromisoformat(str(event.body.get("eventTime"))).timestamp()
        behind = [each for each in scales if each.done and each.pod == event.pod and each.at <= told_at]
        if not said or not behind or behind[-1].replicas != int(said[2]) or behind[-1].at in announced:
            found.append(event)
        else:
            announced.add(behind[-1].at)
    return found
