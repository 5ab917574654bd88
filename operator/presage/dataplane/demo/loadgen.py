"""Replays a load over real HTTP: evenly spaced requests, a new connection each, through a Service.

The rates come from a schedule file (``schedule.py``). An answer 503 is rejected load; no whole status line within
``--timeout-seconds`` is late; anything else than 200 is failed. ``/counts`` gives the counts by second as JSON,
``/metrics`` the totals. The process stays after the replay's end, so that the counts can be read, until SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from presage.dataplane.demo.http1 import JSON, METRICS_TEXT, Reply, ServerProtocol, build_response
from presage.dataplane.demo.schedule import RateSchedule, parse_schedule
from presage.dataplane.demo.tally import Outcome, Tally

BEHIND_SECONDS = 0.1
_STATUS_LINE_BYTES = len(b"HTTP/1.1 200")
_OUTCOMES = {b"200": Outcome.OK, b"503": Outcome.REJECTED}


class _Exchange(asyncio.Protocol):
    """One request and its answer; resolves ``outcome`` once the status line or the end of the connection is seen."""

    def __init__(self, request: bytes, outcome: asyncio.Future[Outcome]) -> None:
        self._request = request
        self._outcome = outcome
        self._head = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - narrows the type for the checker
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if not self._outcome.done():
            self._head += data
            if len(self._head) >= _STATUS_LINE_BYTES:
                self._outcome.set_result(_OUTCOMES.get(self._head[9:12], Outcome.FAILED))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._outcome.done():
            self._outcome.set_result(Outcome.FAILED)


class Replayer:
    """Sends the schedule's requests to one address and counts what becomes of them."""

    def __init__(self, host: str, port: int, path: str, timeout_seconds: float, tally: Tally) -> None:
        """Aim at ``http://host:port/path``; the host is resolved once, when the replay starts."""
        self._host = host
        self._port = port
        self._request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode("ascii")
        self._timeout_seconds = timeout_seconds
        self._tally = tally
        self._running: set[asyncio.Task[None]] = set()

    async def run(self, schedule: RateSchedule) -> None:
        """Send every request when it is due; return when the last one's fate is known.

        Raises:
            OSError: the host's name cannot be resolved.
        """
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        address: tuple[str, int] = (str(found[0][4][0]), self._port)
        origin = loop.time() + schedule.start_epoch - time.time()
        for due in schedule.due_offsets():
            wait = origin + due - loop.time()
            if wait > 0:
                await asyncio.sleep(wait)
            self._send(address, loop.time() - origin, due)
        await asyncio.sleep(origin + schedule.duration_seconds - loop.time())
        await asyncio.gather(*self._running)
        self._tally.done = True

    def _send(self, address: tuple[str, int], offset: float, due: float) -> None:
        self._tally.record_sent(offset, behind=offset - due > BEHIND_SECONDS)
        task = asyncio.get_running_loop().create_task(self._exchange(address, offset))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _exchange(self, address: tuple[str, int], offset: float) -> None:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Outcome] = loop.create_future()
        transport: asyncio.Transport | None = None
        try:
            async with asyncio.timeout(self._timeout_seconds):
                transport, _ = await loop.create_connection(lambda: _Exchange(self._request, answer), *address)
                outcome = await answer
        except TimeoutError:
            outcome = Outcome.LATE
        except OSError:
            outcome = Outcome.FAILED
        self._tally.record_outcome(offset, outcome)
        if transport is not None and outcome is Outcome.LATE:
            transport.abort()


def build_handler(tally: Tally) -> Callable[[str, Reply], None]:
    """Return the routes of the generator's own server."""

    def handle(path: str, reply: Reply) -> None:
        if path == "/counts":
            reply(build_response(200, tally.render_json(), JSON))
        elif path == "/metrics":
            reply(build_response(200, tally.render_metrics(), METRICS_TEXT))
        elif path in ("/healthz", "/readyz"):
            reply(build_response(200, "ok\n"))
        else:
            reply(build_response(404))

    return handle


async def generate(schedule: RateSchedule, replayer: Replayer, tally: Tally, port: int) -> None:
    """Serve the counts and replay; return on SIGTERM or SIGINT, or at once when the replay itself fails."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    handler = build_handler(tally)
    server = await loop.create_server(lambda: ServerProtocol(handler), "0.0.0.0", port)  # noqa: S104 - a pod's port
    async with server:
        replay = loop.create_task(replayer.run(schedule))
        waiting = loop.create_task(stop.wait())
        await asyncio.wait((replay, waiting), return_when=asyncio.FIRST_COMPLETED)
        if replay.done():
            replay.result()
            await waiting
        else:
            replay.cancel()


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(prog="presage.dataplane.demo.loadgen", description=__doc__)
    parser.add_argument("--schedule", type=Path, required=True, help="JSON file with startEpoch, stepSeconds and rates")
    parser.add_argument("--host", required=True, help="name or address of the Service")
    parser.add_argument("--target-port", type=int, default=80)
    parser.add_argument("--path", default="/order")
    parser.add_argument(
        "--timeout-seconds", type=float, default=1.0, help="an answer after this is late (default %(default)s)"
    )
    parser.add_argument("--port", type=int, default=8080, help="port for /counts and /metrics (default %(default)s)")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Replay the load; return the exit code: 0 done, 2 bad input, 3 target unknown."""
    options = build_parser().parse_args(argv)
    try:
        schedule = parse_schedule(options.schedule.read_text())
    except (OSError, ValueError) as error:
        print(f"{options.schedule}: {error}", file=sys.stderr)
        return 2
    tally = Tally(schedule.start_epoch, max(1, round(schedule.duration_seconds)))
    replayer = Replayer(options.host, options.target_port, options.path, options.timeout_seconds, tally)
    try:
        asyncio.run(generate(schedule, replayer, tally, options.port))
    except OSError as error:
        print(f"{options.host}:{options.target_port}: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
