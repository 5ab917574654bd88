"""Which profile an event type is recorded by, of what a document says; pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from presage.core.recording.catalogue import BUILT_IN
from presage.core.recording.types import MINIMAL, Escalation, Recording, RecordingProfile

FALLBACK = Recording(namespace="", name="", event_types={}, default=BUILT_IN[MINIMAL])
"""What is recorded where nothing was injected, or nothing good was read yet."""

MAX_ESCALATION_S = 24 * 3600.0
"""Longest escalation, whatever its end and the clock say."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """When an escalation ends: by the wall clock, and by one that never steps."""

    until: float
    monotonic: float

    def has_passed(self, wall: float, monotonic: float) -> bool:
        """Whether either clock says so: a step back of the wall clock does not prolong it."""
        return wall >= self.until or monotonic >= self.monotonic


def set_deadline(escalation: Escalation, wall: float, monotonic: float) -> Deadline:
    """Return when an escalation seen now for the first time ends; times in seconds."""
    remaining = min(max(escalation.until - wall, 0.0), MAX_ESCALATION_S)
    return Deadline(escalation.until, monotonic + remaining)


def is_in_share(instance: str, share: float) -> bool:
    """Return whether an instance belongs to the share of all: SHA-256 of its name, first 8 bytes, as part of 2^64."""
    digest = hashlib.sha256(instance.encode(errors="replace")).digest()
    return int.from_bytes(digest[:8], "big") / 2.0**64 < share


class Chooser:
    """Answers for one document and instance; remembers when each escalation was first seen."""

    def __init__(self, instance: str, recording: Recording = FALLBACK) -> None:
        """Args: instance: name by which escalations pick."""
        self._instance = instance
        self._deadlines: dict[tuple[str, float], Deadline] = {}
        self.recording = recording

    @property
    def has_escalations(self) -> bool:
        """Whether answers may change with time alone."""
        return bool(self._deadlines)

    def take(self, recording: Recording, wall: float, monotonic: float) -> None:
        """Answer by another document from now on; an escalation known already keeps its end."""
        seen: dict[tuple[str, float], Deadline] = {}
        for name, event in recording.event_types.items():
            if event.escalation is not None:
                key = (name, event.escalation.until)
                seen[key] = self._deadlines.get(key) or set_deadline(event.escalation, wall, monotonic)
        self._deadlines = seen
        self.recording = recording

    def choose(self, event_type: str, wall: float, monotonic: float) -> RecordingProfile:
        """Return the profile in force for an event type."""
        event = self.recording.event_types.get(event_type)
        if event is None:
            return self.recording.default
        up = event.escalation
        if up is not None and is_in_share(self._instance, up.share):
            deadline = self._deadlines.get((event_type, up.until))
            if deadline is not None and not deadline.has_passed(wall, monotonic):
                return up.profile
        return event.profile
