"""A local server that answers metrics queries as a test says, to see how the adapter takes it."""

from __future__ import annotations

import contextlib
import http.server
import json
from collections.abc import Callable
from typing import Any

from presage.adapters.prometheus import PrometheusLoads
from presage.core.faults import SourceFault
from presage.core.query import GaugeLoad, Selection
from presage.core.source import SourceLimits
from presage.core.source_reading import Source, TickSample
from tests import builders

Answer = Callable[[http.server.BaseHTTPRequestHandler], None]

SPEC = builders.source(url="", limits=SourceLimits(timeout_s=1, max_bytes=10_000, max_series=5, max_concurrency=2))


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers as the test says and remembers what was asked."""

    answer: Answer
    asked: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("Authorization")))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            type(self).answer(self)

    def do_POST(self) -> None:
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.path = f"{self.path}?{form}"
        self.do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        pass


def say(body: bytes | str, status: int = 200, **headers: str) -> Answer:
    raw = body.encode() if isinstance(body, str) else body

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(raw)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(raw)

    return answer


def result(*entries: Any) -> Answer:
    return say(json.dumps({"status": "success", "data": {"resultType": "vector", "result": list(entries)}}))


async def no_secret(name: str, key: str) -> bytes:
    raise SourceFault("SecretMissing", f"{name}/{key}")


async def observe(loads: PrometheusLoads, source: Source, metric: str) -> TickSample:
    """Ask for a gauge as one asker alone does."""
    (sample,) = await loads.observe(source, [Selection(GaugeLoad(metric, ()))], 60)
    return sample
