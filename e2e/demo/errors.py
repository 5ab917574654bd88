"""The one error of the demo: a line that a person can act on, and the exit code that goes with it."""

from __future__ import annotations

FAILED, BAD_INPUT, UNREACHABLE, INTERRUPTED = 1, 2, 3, 130


class DemoError(Exception):
    """What went wrong and what to do; ``exit_code`` is 1 failed, 2 bad input, 3 cluster or source unreachable."""

    def __init__(self, message: str, exit_code: int = FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code
