"""What telemetry costs under real HTTP load: CPU and bytes of the built-in profiles in the same function.

A server process serves events at a fixed rate to client connections over loopback, and exports by OTLP to a receiver,
which counts what arrives. Telemetry's CPU is not the difference of two processes: that is some microseconds of
hundreds, less than one run differs from the next. It is measured inside (see sdk_server); whole requests stand beside.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from e2e.bench.command import ROOT
from e2e.bench.processes import BenchError
from e2e.bench.sdk_documents import write
from e2e.bench.sdk_server import FAILS, Cost
from presage.core.recording.catalogue import BUILT_IN

RATE, CONNECTIONS, ERROR_EVERY = 400, 4, 200
WINDOW_S, WARM_UP_S = 60.0, 5.0


@dataclass(frozen=True)
class Loaded:
    """What one run found, within the window.

    Attributes:
        profile: Built-in profile, or nothing for the server without telemetry.
        window_s: Length of the window.
        requests: Events served.
        calls_us: CPU of the SDK's calls, for one event.
        threads_us: CPU of the SDK's threads, for one event.
        process_us: CPU of the process, for one event.
        received: Bytes of all exports.
        exports: How many.
        points: Data points of the newest one.
    """

    profile: str
    window_s: float
    requests: int
    calls_us: float
    threads_us: float
    process_us: float
    received: int = 0
    exports: int = 0
    points: int = 0

    @property
    def telemetry_us(self) -> float:
        """Return CPU of telemetry for one event."""
        return self.calls_us + self.threads_us


class Receiver(ThreadingHTTPServer):
    """Takes what is exported and keeps its bodies."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Receive)
        self.bodies: list[bytes] = []

    def count_points(self) -> int:
        """Return the data points of the newest export."""
        if not self.bodies:
            return 0
        message = ExportMetricsServiceRequest.FromString(self.bodies[-1])
        metrics = [m for r in message.resource_metrics for s in r.scope_metrics for m in s.metrics]
        return sum(len(getattr(metric, metric.WhichOneof("data")).data_points) for metric in metrics)


class _Receive(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Receiver

    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def receiving() -> Iterator[Receiver]:
    """Take exports for the time of the block."""
    receiver = Receiver()
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    try:
        yield receiver
    finally:
        receiver.shutdown()
        receiver.server_close()


def measure(profile: str, window_s: float = WINDOW_S) -> Loaded:
    """Run a server under load; a window shorter than a minute shortens the interval of exports as much.

    Args:
        profile: Built-in profile; nothing for a server without telemetry.
        window_s: Seconds that count.

    Raises:
        BenchError: The server or a client failed.
    """
    with tempfile.TemporaryDirectory() as folder, receiving() as receiver:
        document = Path(folder, "recording.jsonl")
        if profile:
            built_in = BUILT_IN[profile]
            interval = max(1, round(built_in.export_interval_s * window_s / WINDOW_S))
            write(document, replace(built_in, export_interval_s=interval))
        environment = {
            "PRESAGE_PROFILE_FILE": str(document),
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{receiver.server_port}",
            "OTEL_SERVICE_NAME": "bench",
        }
        argv = [sys.executable, "-m", "e2e.bench.sdk_server", *([] if profile else ["--without"]), "--socket"]
        with serving(argv, environment) as port:
            read_cost(port)  # it has started
            with _clients(port):
                time.sleep(WARM_UP_S)  # the exporter is imported meanwhile, and every attribute set is met
                before, seen = read_cost(port), len(receiver.bodies)
                time.sleep(window_s)
                after, found = read_cost(port), receiver.bodies[seen:]
        points = receiver.count_points()
    return _compare(profile, window_s, before, after, found, points)


def _compare(profile: str, window_s: float, before: Cost, after: Cost, found: list[bytes], points: int) -> Loaded:
    served = after.requests - before.requests
    if served < RATE * window_s / 2:
        raise BenchError(f"{served} requests in {window_s:g} s are too few: the machine is too busy")
    each = 1e-3 / served
    return Loaded(
        profile, window_s, served,
        calls_us=(after.calls_ns - before.calls_ns) * each,
        threads_us=(after.threads_ns - before.threads_ns) * each,
        process_us=(after.process_ns - before.process_ns) * each,
        received=sum(map(len, found)), exports=len(found), points=points,
    )  # fmt: skip


@contextlib.contextmanager
def serving(argv: list[str], environment: dict[str, str]) -> Iterator[int]:
    """Run a server that is told its listening socket's number last; gives the port, which takes connections at once."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=64)
    port, number = listening.getsockname()[1], listening.fileno()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [*argv, str(number)], pass_fds=[number], stdout=log, stderr=log, cwd=ROOT,
            env={**os.environ, **environment},
        )  # fmt: skip
        listening.close()
        try:
            yield port
            if process.poll() is not None:
                log.seek(0)
                raise BenchError(f"the server ended:\n{log.read().decode(errors='replace')[-2000:]}")
        finally:
            process.send_signal(signal.SIGKILL)  # what it would export at its end is not asked
            process.wait()


@contextlib.contextmanager
def _clients(port: int) -> Iterator[None]:
    """Put load on a server from a process of its own."""
    process = subprocess.Popen([sys.executable, "-m", "e2e.bench.sdk_client", f"--port={port}"], cwd=ROOT)
    try:
        yield
        if process.poll() is not None:
            raise BenchError("the clients ended before the server")
    finally:
        process.kill()
        process.wait()


def read_cost(port: int) -> Cost:
    """Return what a server says of its cost."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", "/cost")
        return Cost(**json.loads(connection.getresponse().read()))
    finally:
        connection.close()


def plan_request(number: int) -> int:
    """Return the event that the n-th request asks for: every attribute set in turn, few that fail, of each set too."""
    if number < 2 * FAILS:
        return number
    return number // ERROR_EVERY % FAILS + FAILS if number % ERROR_EVERY == 0 else number % FAILS
