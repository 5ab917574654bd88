"""A receiver of OTLP over HTTP: reads what the real exporter of a real process sends."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest


@dataclass
class Collector:
    """What came in.

    Attributes:
        url: Where to send to.
        requests: Decoded, in order.
        sizes: Bytes of each.
    """

    url: str = ""
    requests: list[Any] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)

    def newest(self, metric: str) -> dict[str, dict[tuple[tuple[str, object], ...], float]]:
        """By instance: newest value of each attribute set, of a counter or of a histogram's count."""
        found: dict[str, dict[tuple[tuple[str, object], ...], float]] = {}
        for request in self.requests:
            for resource in request.resource_metrics:
                instance = dict(_plain(resource.resource.attributes))["service.instance.id"]
                for each in (m for scope in resource.scope_metrics for m in scope.metrics if m.name == metric):
                    for point in each.sum.data_points or each.gauge.data_points or each.histogram.data_points:
                        value = point.count if hasattr(point, "count") else (point.as_int or point.as_double)
                        found.setdefault(str(instance), {})[tuple(_plain(point.attributes))] = value
        return found

    def total(self, metric: str) -> float:
        """Sum over everything that was newest."""
        return sum(value for sets in self.newest(metric).values() for value in sets.values())


def _plain(attributes: Any) -> list[tuple[str, object]]:
    return sorted((a.key, getattr(a.value, a.value.WhichOneof("value"))) for a in attributes)


@contextmanager
def collecting() -> Iterator[Collector]:
    """Receive on a free port."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.sizes.append(len(body))
            collector.requests.append(ExportMetricsServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
