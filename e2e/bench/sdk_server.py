"""A function behind HTTP, with presage.sdk or without: `python -m e2e.bench.sdk_server`, made by the bench of the SDK.

It serves on a socket that it inherits. GET /event/NUMBER is an event: the number's bits give the attributes, and a few
fail. GET /cost says what telemetry has cost so far. Each stretch of the SDK's calls is taken by the thread's CPU clock;
an empty stretch beside it, as often, says what taking the time costs. The SDK's own threads are taken by the kernel.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import socket
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from e2e.bench.sdk_documents import EVENT
from presage.sdk import EventType, Telemetry

DEPENDENCIES = "db", "cache", "mail"
NAMES = "route", "method", "region", "tenant", "version"
FAILS = 32
"""The bit that lets an event fail; the lower ones are values of attributes."""
BODY = b"x" * 2048


@dataclass
class Cost:
    """CPU nanoseconds so far.

    Attributes:
        requests: Events served.
        calls_ns: Of the SDK's calls, time for taking the time taken off.
        threads_ns: Of the SDK's own threads.
        process_ns: Of the whole process.
    """

    requests: int = 0
    calls_ns: int = 0
    threads_ns: int = 0
    process_ns: int = 0


class Stretches:
    """Adds up stretches of one thread's CPU."""

    def __init__(self) -> None:
        self.total_ns = 0
        self._began = 0

    def begin(self) -> None:
        self._began = time.thread_time_ns()

    def end(self) -> None:
        self.total_ns += time.thread_time_ns() - self._began


class Function:
    """What the server does: an event's work, and the measurement of its telemetry."""

    def __init__(self, order: EventType | None) -> None:
        self._order = order
        self._lock = threading.Lock()
        self._cost = Cost()

    def serve(self, number: int) -> bytes:
        """Serve an event; return the answer."""
        attributes = {name: f"{name}-{number >> bit & 1}" for bit, name in enumerate(NAMES)}
        taken, empty = Stretches(), Stretches()
        if self._order is None:
            answer = self._work(nullcontext(), taken, empty)
        else:
            answer = self._measured(attributes, bool(number & FAILS), taken, empty)
        with self._lock:
            self._cost.requests += 1
            self._cost.calls_ns += taken.total_ns - empty.total_ns
        return answer

    def _measured(self, attributes: dict[str, str], fails: bool, taken: Stretches, empty: Stretches) -> bytes:
        assert self._order is not None
        empty.begin()
        empty.end()
        taken.begin()
        event = self._order.measure(**attributes)
        event.__enter__()
        event.queued(0.001)
        event.payload(len(BODY))
        taken.end()
        answer = self._work(event, taken, empty)
        empty.begin()
        empty.end()
        taken.begin()
        if fails:
            event.fail()
        event.__exit__(None, None, None)
        taken.end()
        return answer

    @staticmethod
    def _work(event: Any, taken: Stretches, empty: Stretches) -> bytes:
        for name in DEPENDENCIES:
            empty.begin()
            empty.end()
            taken.begin()
            call: AbstractContextManager[object] = event.dependency(name) if hasattr(event, "dependency") else event
            call.__enter__()
            taken.end()
            digest = hashlib.sha256(BODY).hexdigest()
            empty.begin()
            empty.end()
            taken.begin()
            call.__exit__(None, None, None)
            taken.end()
        return json.dumps({"digest": digest, "items": list(range(40))}).encode()

    def cost(self) -> Cost:
        """Return what was spent so far."""
        with self._lock:
            found = Cost(**asdict(self._cost))
        found.threads_ns = sum(map(_thread_ns, threading.enumerate()))
        found.process_ns = time.process_time_ns()
        return found


def _thread_ns(thread: threading.Thread) -> int:
    if not thread.name.startswith("presage-"):
        return 0
    return int(Path(f"/proc/self/task/{thread.native_id}/schedstat").read_text().split()[0])


class Handler(BaseHTTPRequestHandler):
    """Answers requests on connections that stay open."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    function: ClassVar[Function]

    def do_GET(self) -> None:
        if self.path == "/cost":
            answer = json.dumps(asdict(self.function.cost())).encode()
        else:
            answer = self.function.serve(int(self.path.rpartition("/")[2]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: what a log costs is no telemetry here."""


class Server(ThreadingHTTPServer):
    """Serves on a socket that listens already."""

    daemon_threads = True

    def __init__(self, listening: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = socket.socket(fileno=listening)


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(prog="python -m e2e.bench.sdk_server", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--socket", type=int, required=True, help="a socket that listens, inherited")
    parser.add_argument("--without", action="store_true", help="without telemetry")
    options = parser.parse_args(argv)
    Handler.function = Function(None if options.without else Telemetry().event(EVENT))
    Server(options.socket).serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
