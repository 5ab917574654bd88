"""What ends a command that reads a load."""

from __future__ import annotations


class InputError(Exception):
    """The load cannot be used; the message says where, what and what to do.

    Attributes:
        exit_code: 2 for bad input or usage, 3 for a source that cannot be reached.
    """

    def __init__(self, message: str, exit_code: int = 2) -> None:
        super().__init__(message)
        self.exit_code = exit_code
