"""Outcomes of one reconcile as values: what happened, and when to look again.

The worker maps each to the queue; nothing in presage raises to signal one of these.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ok:
    """All that was asked is in force; look again in `next_in_s` seconds."""

    next_in_s: float


@dataclass(frozen=True, slots=True)
class Retry:
    """A passing fault: try again after `delay_s` seconds, longer each time it repeats, up to `max_delay_s`."""

    reason: str
    message: str
    delay_s: float
    max_delay_s: float = 600.0


@dataclass(frozen=True, slots=True)
class Fail:
    """Only a change of the object helps; no retry until it changes or the resync comes."""

    reason: str
    message: str


Outcome = Ok | Retry | Fail
