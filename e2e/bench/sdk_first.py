"""A small function that serves events: what the bench starts again and again to see when the first one is served.

It imports what a program of its kind imports: presage.sdk, or the plain OpenTelemetry SDK with its OTLP exporter, or
neither. It is run as a file, so that nothing of the bench is imported; with -P, since a module beside it is named as
one of Python's.
"""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable

Handle = Callable[[], None]


def serve(number: int, handle: Handle) -> None:
    """Answer one request after the other on a socket that listens already."""
    listening = socket.socket(fileno=number)
    while True:
        connection, _ = listening.accept()
        with connection:
            connection.recv(4096)
            handle()
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")


def with_presage() -> Handle:
    """Return a handler that presage.sdk measures."""
    from presage.sdk import Telemetry

    order = Telemetry().event("order")

    def handle() -> None:
        with order.measure(route="/order"):
            pass

    return handle


def with_plain() -> Handle:
    """Return a handler that the plain OpenTelemetry SDK measures."""
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

    meter = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())]).get_meter("order")
    requests, latency = meter.create_counter("requests"), meter.create_histogram("latency", "s")

    def handle() -> None:
        started = time.perf_counter()
        attributes = {"route": "/order", "outcome": "ok"}
        requests.add(1, attributes)
        latency.record(time.perf_counter() - started, attributes)

    return handle


def with_nothing() -> Handle:
    """Return a handler that nobody measures."""
    return lambda: None


if __name__ == "__main__":
    makers = {"presage": with_presage, "plain": with_plain, "none": with_nothing}
    serve(int(sys.argv[2]), makers[sys.argv[1]]())
