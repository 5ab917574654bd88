"""A function with a stated capacity and start-up time, for seeing how a fleet of it is scaled and what it records.

It serves ``/order`` at ``--capacity`` requests a second through a bounded queue and answers 503 at once beyond it.
Requests are counted when they arrive, so that a saturated pod does not hide demand. ``/metrics`` answers from the
first moment, ``/readyz`` only ``--startup-seconds`` after the process began and no longer once SIGTERM came; work goes
on for ``--drain-seconds`` after it, until no Service sends anything here any more.

What ``/metrics`` says is counted here and is always the same. ``/telemetry`` says what `presage.sdk` records, which is
as much as its profile calls for.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from presage.dataplane.demo.http1 import JSON, METRICS_TEXT, Reply, ServerProtocol, build_response
from presage.dataplane.demo.work_queue import WorkQueue
from presage.sdk import Event, Telemetry

ROUTE = "/order"
EVENT_TYPE = "order"
VERSION = "1"
_REFUSED = build_response(503, "queue full\n")


@dataclass
class Counts:
    """Requests since start: arrived, answered 200, answered 503."""

    arrived: int = 0
    served: int = 0
    rejected: int = 0


class DemoFunction:
    """State and routes of one pod."""

    def __init__(self, queue: WorkQueue, telemetry: Telemetry, region: str) -> None:
        """Args: queue: decides when a request is served; telemetry: records them; region: where the pod is."""
        self._queue = queue
        self._telemetry = telemetry
        self._event_type = telemetry.event(EVENT_TYPE)
        self._region = region
        self._serving: set[asyncio.Task[None]] = set()
        self.counts = Counts()
        self.ready = False

    def handle(self, path: str, reply: Reply) -> None:
        """Answer one request, at once or when its turn comes."""
        if path == ROUTE:
            self._order(reply)
        elif path == "/metrics":
            reply(build_response(200, self._metrics(), METRICS_TEXT))
        elif path == "/telemetry":
            reply(build_response(200, self._telemetry.render_prometheus().decode(), METRICS_TEXT))
        elif path == "/healthz":
            reply(build_response(200, "ok\n"))
        elif path == "/readyz":
            reply(build_response(200, "ready\n") if self.ready else build_response(503, "not ready\n"))
        else:
            reply(build_response(404))

    def _order(self, reply: Reply) -> None:
        self.counts.arrived += 1
        arrived = asyncio.get_running_loop().time()
        event = self._event_type.measure(route=ROUTE, method="GET", region=self._region, version=VERSION)
        finish = self._queue.admit(arrived)
        if finish is None:
            self._refuse(event, reply)
            return
        task = asyncio.get_running_loop().create_task(self._serve(event, arrived, finish, reply))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    def _refuse(self, event: Event, reply: Reply) -> None:
        self.counts.rejected += 1
        with event:
            event.fail()
            event.payload(len(_REFUSED))
            reply(_REFUSED)

    async def _serve(self, event: Event, arrived: float, finish: float, reply: Reply) -> None:
        """Wait for the turn, work, and answer; all that is recorded of it was measured."""
        loop = asyncio.get_running_loop()
        async with event:
            await asyncio.sleep(finish - self._queue.service_seconds - loop.time())
            event.queued(loop.time() - arrived)
            with event.dependency("worker"):
                await asyncio.sleep(finish - loop.time())
            self.counts.served += 1
            with event.dependency("rendering"):
                answer = build_response(200, json.dumps({"order": self.counts.served, "region": self._region}), JSON)
            event.payload(len(answer))
            with event.dependency("sending"):
                reply(answer)

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


def make_function(queue: WorkQueue, region: str) -> DemoFunction:
    """Return a function whose telemetry has loaded all that it needs, so that no request waits for that."""
    telemetry = Telemetry(prometheus=True)
    function = DemoFunction(queue, telemetry, region)
    telemetry.render_prometheus()
    return function


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
    parser.add_argument("--startup-seconds", type=float, default=0.0, help="least time from start to ready")
    parser.add_argument("--region", default="local", help="attribute of what is recorded (default %(default)s)")
    parser.add_argument("--drain-seconds", type=float, default=3.0, help="time served after SIGTERM")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the function; return the exit code."""
    started = time.monotonic()
    parser = build_parser()
    options = parser.parse_args(argv)
    try:
        queue = WorkQueue(options.capacity, options.queue_seconds)
    except ValueError as error:
        parser.error(str(error))
    function = make_function(queue, options.region)
    left = max(0.0, started + options.startup_seconds - time.monotonic())
    asyncio.run(serve(function, options.port, left, options.drain_seconds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
