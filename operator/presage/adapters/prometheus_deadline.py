"""A hard end for one blocking HTTP request, headers included, however slowly its bytes drip in.

A read timeout starts anew with every byte, so it cannot end a request; shutting its socket down from outside can.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self

_current = threading.local()


class Deadline:
    """Within the `with` block, the calling thread's request is cut off when the time is up.

    What was being read then ends as if the peer had closed, which can look like a whole answer: ask `passed`
    before believing it. Looking up the name, connecting and the TLS handshake have no socket to shut yet; these are
    bounded by the resolver and by the connect timeout.

    Args:
        seconds: Time for the whole block.

    Attributes:
        passed: Whether the time was up before the block ended.
    """

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        """Start the clock; from here on this thread's connections report to this deadline."""
        _current.deadline = self
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the clock; the socket may go on to serve another request."""
        self._timer.cancel()
        _current.deadline = None
        with self._lock:
            self._socket = None

    def guard(self, sock: socket.socket) -> None:
        """Shut `sock` down when the time is up, at once if it already is."""
        with self._lock:
            self._socket = sock
            if self.passed:
                _shut(sock)

    def _expire(self) -> None:
        with self._lock:
            self.passed = True
            if self._socket is not None:
                _shut(self._socket)


def guard_current(sock: socket.socket) -> None:
    """Put `sock` under the calling thread's deadline, if it has one."""
    deadline: Deadline | None = getattr(_current, "deadline", None)
    if deadline is not None:
        deadline.guard(sock)


def _shut(sock: socket.socket) -> None:
    """End both directions. The plain socket's method: TLS's own would pull its state from under the reading thread."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
