"""Servers for the tests of the Prometheus adapter, and the adapter itself."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from presage.adapters.prometheus import PrometheusLoads
from presage.core.source_reading import Source
from tests.unit.adapters.metric_server import SPEC, Answer, Handler, no_secret


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], tuple[Source, list[tuple[str, str | None]]]]]:
    servers: list[http.server.ThreadingHTTPServer] = []

    def start(answer: Answer) -> tuple[Source, list[tuple[str, str | None]]]:
        asked: list[tuple[str, str | None]] = []
        handler = type("Handled", (Handler,), {"answer": staticmethod(answer), "asked": asked})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        servers.append(server)
        threading.Thread(target=lambda: server.serve_forever(0.01), daemon=True).start()
        return Source("main", 1, replace(SPEC, url=f"http://127.0.0.1:{server.server_port}")), asked

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
async def loads() -> Any:
    adapter = PrometheusLoads(no_secret, allow_loopback=True)
    yield adapter
    await adapter.close()
