"""A function with a stated capacity and start-up time, for seeing how a fleet of it is scaled.

It serves ``/order`` at ``--capacity`` requests a second through a bounded queue and answers 503 at once beyond it.
Requests are counted when they arrive, so that a saturated pod does not hide demand. ``/metrics`` answers from the
first moment, ``/readyz`` only after ``--startup-seconds`` and no longer once SIGTERM came; work goes on for
``--drain-seconds`` after it, until no Service sends anything here any more.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from presage.dataplane.demo.http1 import METRICS_TEXT, Reply, ServerProtocol, build_response
from presage.dataplane.demo.work_queue import WorkQueue

ROUTE = "/order"
_SERVED = build_response(200, "done\n")
_REFUSED = build_response(503, "queue full\n")


@dataclass
class Counts:
    """Requests since start: arrived, answered 200, answered 503."""

    arrived: int = 0
    served: int = 0
    rejected: int = 0


class DemoFunction:
    """State and routes of one pod."""

    def __init__(self, queue: WorkQueue) -> None:
        """Args: queue: decides when a request is served."""
        self._queue = queue
        self.counts = Counts()
        self.ready = False

    def handle(self, path: str, reply: Reply) -> None:
        """Answer one request, at once or when its turn comes."""
        if path == ROUTE:
            self._order(reply)
        elif path == "/metrics":
            reply(build_response(200, self._metrics(), METRICS_TEXT))
        elif path == "/healthz":
            reply(build_response(200, "ok\n"))
        elif path == "/readyz":
            reply(build_response(200, "ready\n") if self.ready else build_response(503, "not ready\n"))
        else:
            reply(build_response(404))

    def _order(self, reply: Reply) -> None:
        self.counts.arrived += 1
        loop = asyncio.get_running_loop()
        finish = self._queue.admit(loop.time())
        if finish is None:
            self.counts.rejected += 1
            reply(_REFUSED)
        else:
            loop.call_at(finish, self._serve, reply)

    def _serve(self, reply: Reply) -> None:
        self.counts.served += 1
        reply(_SERVED)

    def _metrics(self) -> str:
        counts = self.counts
        return (
            "# HELP http_requests_total Requests that arrived, answered or not.\n"
            "# TYPE http_requests_total counter\n"
            f'http_requests_total{{route="{ROUTE}"}} {counts.arrived}\n'
            "# HELP http_responses_total Requests answered, by status code.\n"
            "# TYPE http_responses_total counter\n"
            f'http_responses_total{{route="{ROUTE}",code="200"}} {counts.served}\n'
            f'http_responses_total{{route="{ROUTE}",code="503"}} {counts.rejected}\n'
        )


async def serve(function: DemoFunction, port: int, startup_seconds: float, drain_seconds: float) -> None:
    """Serve on ``port`` until SIGTERM or SIGINT, then drain and return."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await loop.create_server(lambda: ServerProtocol(function.handle), "0.0.0.0", port, backlog=1024)  # noqa: S104
    async with server:
        loop.call_later(startup_seconds, _become_ready, function, stop)
        await stop.wait()
        function.ready = False
        await asyncio.sleep(drain_seconds)


def _become_ready(function: DemoFunction, stop: asyncio.Event) -> None:
    function.ready = not stop.is_set()


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(prog="presage.dataplane.demo.function", description=__doc__)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--capacity", type=float, default=40.0, help="requests served a second (default %(default)s)")
    parser.add_argument(
        "--queue-seconds",
        type=float,
        default=0.25,
        help="longest wait of an accepted request (default %(default)s): well below the callers' time limit, so that "
        "none is accepted in vain, and short, so that load above capacity is refused and not carried over",
    )
    parser.add_argument("--startup-seconds", type=float, default=0.0, help="time from start to ready")
    parser.add_argument("--drain-seconds", type=float, default=3.0, help="time served after SIGTERM")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the function; return the exit code."""
    parser = build_parser()
    options = parser.parse_args(argv)
    try:
        queue = WorkQueue(options.capacity, options.queue_seconds)
    except ValueError as error:
        parser.error(str(error))
    asyncio.run(serve(DemoFunction(queue), options.port, options.startup_seconds, options.drain_seconds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
