"""Progress of a command on stderr: silent while quick, one moving line on a terminal, few plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TextIO

PATIENCE_S = 2.0  # nobody wonders before
_LINE_EVERY_S = 10.0  # between plain lines, which stay in a log


class Progress:
    """Tells what is going on.

    Args:
        stream: Where to; None is stderr.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._live = self._stream.isatty()
        self._next = time.monotonic() + PATIENCE_S
        self._shown = False

    def tell(self, what: str) -> None:
        """Show what is being done, if it is time to."""
        now = time.monotonic()
        if now < self._next:
            return
        self._shown = True
        if self._live:
            self._stream.write(f"\r\x1b[K{what}")
        else:
            self._next = now + _LINE_EVERY_S
            self._stream.write(f"{time.strftime('%H:%M:%S')} {what}\n")
        self._stream.flush()

    def end(self) -> None:
        """Wipe the moving line, before anything else is written."""
        if self._live and self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
