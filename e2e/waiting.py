"""Waiting for a state: bounded, and a failure tells what was seen last."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
LOOK_SECONDS = 0.2


class NotInTimeError(AssertionError):
    """What was waited for did not come: a test fails, a tool says so."""


def eventually(
    look: Callable[[], T], accept: Callable[[T], bool], within_s: float, what: str, *, each_s: float = LOOK_SECONDS
) -> T:
    """Look until it is accepted, at least once; return what was accepted.

    Args:
        look: reads the state.
        accept: tells whether that is it.
        within_s: seconds until it must be so.
        what: what is waited for, for the failure.
        each_s: seconds between two looks.

    Raises:
        NotInTimeError: it did not come; the message has the last state.
    """
    deadline = time.monotonic() + within_s
    while True:
        last = look()
        if accept(last):
            return last
        if time.monotonic() >= deadline:
            raise NotInTimeError(f"{what}: not within {within_s:g} s; last seen: {last}")
        time.sleep(each_s)
