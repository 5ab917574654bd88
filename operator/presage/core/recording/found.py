"""Event types that are found from the values of a label: which ones count, and what each is called.

A label may hold anything, as many values as there are requests, or nothing for a while. So their number is bounded, a
place is given away slowly, and where no value is seen at all, nothing is concluded.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from presage.core.profile import EventsByLabel
from presage.core.source_reading import LabelValues

MAX_VALUES = 256  # asked for: so many more than may count that who is left out is known
MAX_VALUE_CHARS = 256
LOOK_PERIOD_S = 60.0
GIVE_WAY_S = 3_600.0  # absent for so long, a value gives its place to another one: a churning label costs few forecasts
FORGET_S = 8 * 86_400.0  # what comes once a week is no news each time
_MAX_NAME = 63  # of a DNS label
_DIGEST = 8
_NO_PART_OF_A_NAME = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class FoundEvent:
    """An event type that was found.

    Attributes:
        name: A DNS label, unique in the profile; it stays as long as the event type is known.
        value: Of the label.
        found_at: Epoch second.
        absent_s: For how long it has not been among the values seen; time in which none was seen does not count.
    """

    name: str
    value: str
    found_at: float
    absent_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of a label's values.

    Attributes:
        basis: What they were found by; on another one nothing of this holds. None before the first look.
        events: In the order in which they were found.
        left_out: Whether there were more than may count, at the last look that saw any.
        looked_at: Epoch second of the last look.
        fault: Why that look saw nothing; empty if the source answered.
    """

    basis: object = None
    events: tuple[FoundEvent, ...] = ()
    left_out: bool = False
    looked_at: float = -math.inf
    fault: str = ""

    def is_due(self, now: float) -> bool:
        """Return whether it is time for another look; also after the clock stepped back."""
        return not 0 <= now - self.looked_at < LOOK_PERIOD_S


def take_in(
    known: Found, seen: LabelValues, by_label: EventsByLabel, given: Collection[str], now: float
) -> tuple[Found, tuple[FoundEvent, ...]]:
    """Return what is known after a look at the values, and which event types are new.

    Those known keep their places; those that come have the largest loads of all that are left.

    Args:
        known: From the last look.
        seen: Values and loads now.
        by_label: What is looked for.
        given: Names of event types that the user gives: a value of such a name is that event type.
        now: Epoch seconds.
    """
    loads = {v: load for v, load in seen.loads.items() if is_usable(v) and _find_name(v) not in given}
    if not loads:
        return replace(known, looked_at=now, fault=""), ()
    kept = _keep(known, loads, by_label.most, given, now)
    values = {each.value for each in kept}
    waiting = sorted((v for v in loads if v not in values), key=lambda v: (-loads[v], v))
    free = by_label.most - len(kept)
    for absent in sorted((e for e in kept if e.absent_s >= GIVE_WAY_S), key=lambda e: -e.absent_s):
        if free < len(waiting):
            kept.remove(absent)
            free += 1
    new: list[FoundEvent] = []
    for value in waiting[: max(0, free)]:
        taken = {*given, *(each.name for each in (*kept, *new))}
        new.append(FoundEvent(name_event_type(value, by_label.label, taken), value, now))
    left_out = len(waiting) > len(new)
    return Found(known.basis, (*kept, *new), left_out=left_out, looked_at=now), tuple(new)


def _keep(known: Found, loads: Collection[str], most: int, given: Collection[str], now: float) -> list[FoundEvent]:
    """Return those that stay, with how long they have been absent; if fewer may count, those absent go first."""
    passed = min(max(0.0, now - known.looked_at), 2 * LOOK_PERIOD_S)  # a look that failed saw nobody absent
    aged = (replace(e, absent_s=0.0 if e.value in loads else e.absent_s + passed) for e in known.events)
    alive = [e for e in aged if e.absent_s < FORGET_S and e.name not in given and _find_name(e.value) not in given]
    staying = sorted(alive, key=lambda e: e.absent_s)[:most]
    return [e for e in alive if e in staying]


def is_usable(value: str) -> bool:
    """Return whether a label's value may be an event type: neither empty nor long, and a person can read it."""
    return 0 < len(value) <= MAX_VALUE_CHARS and value.isprintable()


def name_event_type(value: str, label: str, taken: Collection[str]) -> str:
    """Return the name of a value's event type, a DNS label: `/api/Order` is `api-order`.

    Where nothing is left of the value, or the name is too long or taken, part of the value's digest ends it.

    Args:
        value: Of the label.
        label: The label, which names what has no letter of its own.
        taken: Names that others have.
    """
    name = _find_name(value)
    if name and name not in taken:
        return name
    stem = _slug(value) or _slug(label) or "event"
    digest = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
    for length in range(_DIGEST, _MAX_NAME):  # a clash of digests takes more than chance
        name = f"{stem[: _MAX_NAME - 1 - length].strip('-')}-{digest[:length]}".lstrip("-")
        if name not in taken:
            break
    return name


def _find_name(value: str) -> str:
    """Return the name that a value gives by itself; empty if it gives none."""
    slug = _slug(value)
    return slug if len(slug) <= _MAX_NAME else ""


def _slug(text: str) -> str:
    return _NO_PART_OF_A_NAME.sub("-", text.lower()).strip("-")


def list_names(events: Sequence[FoundEvent]) -> str:
    """Return the names of event types for a sentence."""
    return ", ".join(each.name for each in events)
