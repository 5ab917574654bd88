"""Looks at the injected document once a second, and at the ends of escalations."""

from __future__ import annotations

import threading
from collections.abc import Callable

LOOK_EVERY_S = 1.0


class Watcher:
    """A thread that calls one function again and again."""

    def __init__(self, look: Callable[[], None], every_s: float = LOOK_EVERY_S) -> None:
        """Args: look: must not raise; every_s: seconds between two looks."""
        self._look = look
        self._every_s = every_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="presage-watch", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()
        if self._thread is not threading.current_thread():
            self._thread.join(self._every_s)

    def _run(self) -> None:
        while not self._stopped.wait(self._every_s):
            self._look()
