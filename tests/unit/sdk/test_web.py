"""Requests as events, under servers that speak WSGI and ASGI."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from presage.sdk.web import EVENT, AsgiMiddleware, WsgiMiddleware
from tests.unit.sdk.conftest import Make, profile, write
from tests.unit.sdk.reading import points, total

EVERYTHING = profile(requests=1, errors=1, latency=1, payload=1, queue_time=1)


def call_wsgi(app: Any, path: str, **environ: str) -> list[bytes]:
    request: dict[str, Any] = {"PATH_INFO": path, **environ}
    setup_testing_defaults(request)
    request |= {"QUERY_STRING": "", "SCRIPT_NAME": ""}
    answer = app(request, lambda *_: lambda _: None)
    try:
        return list(answer)
    finally:
        answer.close()


def test_a_wsgi_request_is_an_event(make: Make, tmp_path: Path) -> None:
    telemetry = make(str(write(tmp_path / "d", EVERYTHING)))

    def app(environ: dict[str, Any], start: Any) -> Iterator[bytes]:
        status = "503 Busy" if environ["PATH_INFO"].startswith("/busy") else "200 OK"
        start(status, [("Content-Type", "text/plain")])
        if environ["PATH_INFO"].startswith("/broken"):
            raise RuntimeError
        yield b"a"
        time.sleep(0.01)
        yield b"b"

    measured = validator(WsgiMiddleware(validator(app), telemetry.event("order")))
    started = f"t={time.time() - 2}"
    assert call_wsgi(measured, "/order/17", CONTENT_LENGTH="12", HTTP_X_REQUEST_START=started) == [b"a", b"b"]
    call_wsgi(measured, "/busy/1", CONTENT_LENGTH="", HTTP_X_REQUEST_START="nonsense")
    with pytest.raises(RuntimeError):
        call_wsgi(measured, "/broken/1")
    assert total(telemetry, "presage.order.events", route="/order", outcome="ok") == 1
    assert total(telemetry, "presage.order.errors", route="/busy", outcome="error") == 1
    assert total(telemetry, "presage.order.errors", route="/broken", outcome="error") == 1
    assert points(telemetry, "presage.order.latency", route="/order")[0].sum >= 0.01
    assert [p.sum for p in points(telemetry, "presage.order.payload")] == [12]
    (waited,) = points(telemetry, "presage.order.queue_time")
    assert waited.count == 1
    assert 2 <= waited.sum < 5


async def test_an_asgi_request_is_an_event(make: Make, tmp_path: Path) -> None:
    telemetry = make(str(write(tmp_path / "d", EVERYTHING)))
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(EVENT in scope)
        if scope.get("path") == "/broken":
            raise RuntimeError
        await send({"type": "http.response.start", "status": 500 if scope.get("path") == "/busy" else 200})

    async def send(message: Any) -> None:
        assert message["status"]

    async def receive() -> Any:
        raise AssertionError

    measured = AsgiMiddleware(app, telemetry.event("order"))
    headers = [(b"content-length", b"12")]
    await measured({"type": "http", "method": "GET", "path": "/order/1", "headers": headers}, receive, send)
    await measured({"type": "http", "method": "GRAB", "path": "/busy"}, receive, send)
    with pytest.raises(RuntimeError):
        await measured({"type": "http", "path": "/broken"}, receive, send)
    with pytest.raises(RuntimeError):
        await measured({"type": "websocket", "path": "/broken"}, receive, send)
    assert seen == [True, True, True, False]
    found = {(p.attributes["route"], p.attributes["outcome"]) for p in points(telemetry, "presage.order.events")}
    assert found == {("/order", "ok"), ("/busy", "error"), ("/broken", "error")}
    assert [p.sum for p in points(telemetry, "presage.order.payload")] == [12]
