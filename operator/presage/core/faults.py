"""What goes wrong outside, as seen from inside: a reason for programs, a message for a person.

    Fault
    ├── SourceFault   a metrics source did not give what was asked
    └── WriteRefused  the API server did not take a write

Messages never carry bodies of foreign answers, credentials or tracebacks.
"""

from __future__ import annotations


class Fault(Exception):
    """Base of all faults.

    Attributes:
        reason: PascalCase constant for a condition.
        message: What happened, where, and what to do about it.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message


class SourceFault(Fault):
    """A metrics source is unreachable, refuses, or answers nonsense."""


class WriteRefused(Fault):
    """The API server refused a write, or was not there."""
