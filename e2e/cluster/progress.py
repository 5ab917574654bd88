"""One line per part on standard error, with how long it took.

On a terminal the line of the running part counts its seconds; elsewhere a long part says every minute that
it still runs, so that a log shows where the time goes.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

QUIET_SECONDS = 60.0
"""How long a part may run in a log file before it says that it still does."""


def say(text: str) -> None:
    """Print one line to standard error at once."""
    print(text, file=sys.stderr, flush=True)


def render(label: str, state: str, seconds: float) -> str:
    """Return the line for a part: label, what it does, seconds since it began."""
    return f"  {label:<26} {state:<10} {seconds:6.1f} s"


@contextmanager
def part(label: str, doing: str = "starting", done: str = "ready") -> Iterator[None]:
    """Show that `label` is at work until the block ends, then how long it took."""
    began = time.monotonic()
    ended = threading.Event()
    terminal = sys.stderr.isatty()

    def tick() -> None:
        while not ended.wait(0.5 if terminal else QUIET_SECONDS):
            line = render(label, doing, time.monotonic() - began)
            if terminal:
                print(f"\r{line}", end="", file=sys.stderr, flush=True)
            else:
                say(line)

    ticker = threading.Thread(target=tick, daemon=True)
    ticker.start()
    state = "failed"
    try:
        yield
        state = done
    finally:
        ended.set()
        ticker.join()
        say(("\r" if terminal else "") + render(label, state, time.monotonic() - began))
