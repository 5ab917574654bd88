"""The little HTTP/1.1 that the demo's servers speak: one request a connection, then close.

Closing after each answer lets a Service balance every request on its own. Invariants: a request head over
``MAX_HEAD_BYTES`` or slower than ``IDLE_SECONDS`` ends the connection; bodies are not read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

MAX_HEAD_BYTES = 8192
IDLE_SECONDS = 5.0
TEXT = "text/plain; charset=utf-8"
METRICS_TEXT = "text/plain; version=0.0.4; charset=utf-8"
JSON = "application/json"

_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable"}

Reply = Callable[[bytes], None]
Handler = Callable[[str, Reply], None]


def build_response(status: int, body: str = "", content_type: str = TEXT) -> bytes:
    """Return a whole response, head and body, that closes the connection."""
    payload = body.encode()
    head = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(payload)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode("ascii") + payload


def parse_target(head: bytes) -> str | int:
    """Return the path of a GET request without its query, or the status code to refuse it with."""
    parts = head.split(b"\r\n", 1)[0].split(b" ")
    if len(parts) != 3 or not parts[2].startswith(b"HTTP/1."):
        return 400
    if parts[0] != b"GET":
        return 405
    return parts[1].partition(b"?")[0].decode("ascii", "replace")


class ServerProtocol(asyncio.Protocol):
    """One connection: reads a head, hands the path to ``handler``, writes what it replies with, closes.

    ``handler`` gets the path and a reply function; it may reply at once or later, once. A reply to a peer that
    has gone is dropped.
    """

    def __init__(self, handler: Handler) -> None:
        """Args: handler: called with the path and the reply function of each request."""
        self._handler = handler
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._asked = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the clock for the request head."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - narrows the type for the checker
        self._transport = transport
        self._idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, transport.abort)

    def data_received(self, data: bytes) -> None:
        """Collect the head; hand it over once when complete."""
        if self._asked:
            return
        self._buffer += data
        if b"\r\n\r\n" in self._buffer:
            self._asked = True
            self._cancel_idle()
            target = parse_target(bytes(self._buffer))
            if isinstance(target, int):
                self._reply(build_response(target))
            else:
                self._handler(target, self._reply)
        elif len(self._buffer) > MAX_HEAD_BYTES:
            self._asked = True
            self._reply(build_response(400))

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._cancel_idle()
        self._transport = None

    def _cancel_idle(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _reply(self, response: bytes) -> None:
        if self._transport is not None:
            self._transport.write(response)
            self._transport.close()
