"""The ends of a process, and its forks: what is recorded is sent before it goes, and never twice.

Hooks are set once for the process and act on every telemetry that is alive.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import weakref
from types import FrameType
from typing import Protocol

FLUSH_S = 5.0
"""Seconds that a process which ends waits for its last export."""


class Hooked(Protocol):
    """What the hooks act on."""

    def flush(self, timeout_s: float = FLUSH_S) -> bool:
        """Export now."""

    def shutdown(self, timeout_s: float = FLUSH_S) -> None:
        """Export now and stop."""

    def begin_anew(self) -> None:
        """Count from zero, in a child of the process that counted before."""


_ALIVE: weakref.WeakSet[Hooked] = weakref.WeakSet()
_hooked = False


def watch_over(telemetry: Hooked) -> None:
    """Let a telemetry take part in forks and the process's end."""
    global _hooked
    _ALIVE.add(telemetry)
    if not _hooked:
        _hooked = True
        atexit.register(_at_exit)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=_in_child)
    _take_sigterm()


def forget(telemetry: Hooked) -> None:
    """Take no more care of a telemetry."""
    _ALIVE.discard(telemetry)


def _at_exit() -> None:
    for each in list(_ALIVE):
        each.shutdown()


def _in_child() -> None:
    pool = sys.modules.get("multiprocessing.util")
    for each in list(_ALIVE):
        each.begin_anew()
        if pool is not None:  # a child of its kind ends without the hooks of an exit, but with finalizers of its own
            pool.register_after_fork(each, _finish_with_child)


def _finish_with_child(telemetry: Hooked) -> None:
    from multiprocessing.util import Finalize

    Finalize(None, telemetry.shutdown, exitpriority=0)


def _take_sigterm() -> None:
    """Handle SIGTERM where nobody does: the default ends the process without a word.

    A handler of the user's stays: it ends the process in its own way, and that runs the hook of the exit.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _on_sigterm)


def _on_sigterm(number: int, _: FrameType | None) -> None:
    """Let another thread flush, and the default end the process after it.

    The main thread may hold a lock that the flush needs, so it must go on; and a second signal ends at once.
    """
    signal.signal(number, signal.SIG_DFL)
    threading.Thread(target=_flush_and_end, args=(number,), name="presage-sigterm", daemon=True).start()


def _flush_and_end(number: int) -> None:
    try:
        for each in list(_ALIVE):
            each.flush()
    finally:
        os.kill(os.getpid(), number)
