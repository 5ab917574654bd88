"""Conditions of an object's status: merge and transitions.

Invariants: one condition a type; `last_transition_time` moves only when `status` changes; merging twice changes
nothing (idempotent); messages are cut at 1,024 characters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

MESSAGE_LIMIT = 1024
Status = Literal["True", "False", "Unknown"]


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition as Kubernetes writes it.

    Attributes:
        type: Adjective or past participle, such as `Ready`.
        status: `True`, `False` or `Unknown`.
        reason: PascalCase constant, documented with its kind.
        message: For a person: what, where, what to do.
        observed_generation: `metadata.generation` this judgement was made for.
        last_transition_time: RFC 3339 time of the last change of `status`; empty before the merge.
    """

    type: str
    status: Status
    reason: str
    message: str = ""
    observed_generation: int = 0
    last_transition_time: str = ""

    def to_json(self) -> dict[str, object]:
        """Return the object as the API server stores it."""
        return {
            "type": self.type,
            "status": self.status,
            "reason": self.reason,
            "message": self.message,
            "observedGeneration": self.observed_generation,
            "lastTransitionTime": self.last_transition_time,
        }


def parse_conditions(raw: object) -> tuple[Condition, ...]:
    """Read `status.conditions` as stored; entries without a type or a known status are left out."""
    if not isinstance(raw, list):
        return ()
    return tuple(parsed for entry in raw if isinstance(entry, Mapping) and (parsed := _parse_one(entry)))


def _parse_one(entry: Mapping[str, object]) -> Condition | None:
    kind, status, generation = entry.get("type"), entry.get("status"), entry.get("observedGeneration")
    if not isinstance(kind, str) or status not in ("True", "False", "Unknown"):
        return None
    return Condition(
        type=kind,
        status=status,
        reason=str(entry.get("reason", "")),
        message=str(entry.get("message", "")),
        observed_generation=generation if isinstance(generation, int) else 0,
        last_transition_time=str(entry.get("lastTransitionTime", "")),
    )


def merge_conditions(old: Iterable[Condition], new: Iterable[Condition], now: str) -> tuple[Condition, ...]:
    """Return what `status.conditions` must be: `new`, with transition times carried over from `old`.

    Args:
        old: Conditions in force.
        new: Conditions decided now; they replace all of `old`, since one writer owns them.
        now: RFC 3339 time given to each condition whose status changed.
    """
    before = {condition.type: condition for condition in old}
    return tuple(_carry_over(before.get(condition.type), condition, now) for condition in new)


def _carry_over(before: Condition | None, after: Condition, now: str) -> Condition:
    kept = before is not None and before.status == after.status and before.last_transition_time
    since = before.last_transition_time if before is not None and kept else now
    return replace(after, message=after.message[:MESSAGE_LIMIT], last_transition_time=since)


def find_transitions(old: Iterable[Condition], new: Iterable[Condition]) -> tuple[Condition, ...]:
    """Return the conditions of `new` whose status or reason differs from `old`: what is worth an event."""
    before = {condition.type: (condition.status, condition.reason) for condition in old}
    return tuple(c for c in new if before.get(c.type) != (c.status, c.reason))


def summarize_ready(
    conditions: Iterable[Condition], required: Iterable[str], content: frozenset[str], generation: int
) -> Condition:
    """Return the condition `Ready`: the first required condition that does not hold gives reason and message.

    Args:
        conditions: All other conditions of the object.
        required: Types that must be `True`, the most telling first.
        content: Reasons with which a condition may be `False` because the spec itself asks for it.
        generation: `metadata.generation` judged.
    """
    by_type = {condition.type: condition for condition in conditions}
    for kind in required:
        found = by_type.get(kind)
        if found is not None and found.status != "True" and found.reason not in content:
            return Condition("Ready", "False", found.reason, found.message, generation)
    return Condition("Ready", "True", "AsSpecified", "What the spec asks for is in force.", generation)
