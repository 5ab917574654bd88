"""A source that lies, stalls, redirects or floods: each a fault with a reason, never an exception of another kind."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from presage.adapters.prometheus import PrometheusLoads
from presage.adapters.prometheus_session import is_forbidden
from presage.core.faults import SourceFault
from presage.core.source import SecretKey, SourceLimits, SourceSpec
from presage.core.source_reading import Source

Answer = Callable[[http.server.BaseHTTPRequestHandler], None]

SPEC = SourceSpec(
    url="",
    bearer_token=None,
    basic_auth=None,
    ca=None,
    verify=True,
    namespaces=None,
    tenant_label=None,
    tenant_value=None,
    limits=SourceLimits(timeout_s=1, max_bytes=10_000, max_series=5, max_concurrency=2),
    check_period_s=30,
)


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers as the test says and remembers what was asked."""

    answer: Answer
    asked: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("Authorization")))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            type(self).answer(self)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], tuple[Source, list[tuple[str, str | None]]]]]:
    servers: list[http.server.ThreadingHTTPServer] = []

    def start(answer: Answer) -> tuple[Source, list[tuple[str, str | None]]]:
        handler = type("Handled", (Handler,), {"answer": staticmethod(answer), "asked": []})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        servers.append(server)
        threading.Thread(target=lambda: server.serve_forever(0.01), daemon=True).start()
        return Source("main", 1, replace(SPEC, url=f"http://127.0.0.1:{server.server_port}")), handler.asked

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


async def no_secret(name: str, key: str) -> bytes:
    raise SourceFault("SecretMissing", f"{name}/{key}")


@pytest.fixture
async def loads() -> Any:
    adapter = PrometheusLoads(no_secret, allow_loopback=True)
    yield adapter
    await adapter.close()


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


def drip(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(40):
        handler.wfile.write(b" ")
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(say("", 500), "QueryFailed", id="server error"),
        pytest.param(say("", 401), "Unauthorized", id="credentials refused"),
        pytest.param(say("", 404), "BadAnswer", id="no such API"),
        pytest.param(say("", 302, Location="http://127.0.0.1:1/"), "Redirected", id="redirect"),
        pytest.param(say("x" * 20_000), "TooLarge", id="too many bytes"),
        pytest.param(lambda h: time.sleep(3), "Unreachable", id="no answer in time"),
        pytest.param(drip, "Unreachable", id="an answer that never ends"),
        pytest.param(say("<html>"), "BadAnswer", id="not JSON"),
        pytest.param(say("[" * 5000), "BadAnswer", id="nested too deep"),
        pytest.param(say("[]"), "BadAnswer", id="another shape"),
        pytest.param(say('{"data": {"result": [1, "x", null]}}'), "BadAnswer", id="entries of another type"),
        pytest.param(result(*[{"metric": {}, "value": [1, "1"]}] * 6), "TooLarge", id="too many series"),
    ],
)
async def test_faults(serve: Any, loads: PrometheusLoads, answer: Answer, reason: str) -> None:
    source, _ = serve(answer)
    with pytest.raises(SourceFault) as caught:
        await loads.observe(source, "up")
    assert caught.value.reason == reason
    assert "main" in caught.value.message
    assert "html" not in caught.value.message


async def test_nobody_listens(loads: PrometheusLoads) -> None:
    with pytest.raises(SourceFault, match="Unreachable"):
        await loads.observe(Source("main", 1, replace(SPEC, url="http://127.0.0.1:9")), "up")


async def test_loopback_is_forbidden_unless_allowed(serve: Any) -> None:
    source, asked = serve(result())
    strict = PrometheusLoads(no_secret)
    with pytest.raises(SourceFault, match="AddressForbidden"):
        await strict.observe(source, "up")
    await strict.close()
    assert asked == [], "not a byte may be sent"


@pytest.mark.parametrize(
    ("address", "forbidden"),
    [
        ("169.254.169.254", True),
        ("127.0.0.53", True),
        ("::1", True),
        ("::ffff:169.254.169.254", True),
        ("fe80::1%eth0", True),
        ("0.0.0.0", True),  # noqa: S104  # an address to be refused
        ("10.0.0.7", False),
        ("2001:db8::1", False),
    ],
)
def test_addresses(address: str, forbidden: bool) -> None:
    assert is_forbidden(address, allow_loopback=False) is forbidden


async def test_a_source_that_keeps_failing_is_left_in_peace(serve: Any, loads: PrometheusLoads) -> None:
    source, asked = serve(say("", 503))
    reasons = []
    for _ in range(8):
        with pytest.raises(SourceFault) as caught:
            await loads.observe(source, "up")
        reasons.append(caught.value.reason)
    assert reasons == ["QueryFailed"] * 5 + ["CircuitOpen"] * 3
    assert len(asked) == 5


async def test_tick_answers(serve: Any, loads: PrometheusLoads) -> None:
    entries = [
        {"metric": {"presage": name}, "value": [5, value]}
        for name, value in (("load", "12.5"), ("newest", "1700000000"))
    ]
    entries.append({"metric": {"presage": "target", "instance": "10.0.0.1:80", "pod": "a"}, "value": [5, "1"]})
    entries.append({"metric": {"presage": "target", "instance": "[2001:db8::1]:80"}, "value": [5, "1"]})
    sample = await loads.observe(serve(result(*entries))[0], "q")
    assert (sample.load, sample.newest_at) == (12.5, 1.7e9)
    assert sample.targets == {"10.0.0.1", "a", "2001:db8::1"}


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-4"])
async def test_no_load_is_made_of_nonsense(serve: Any, loads: PrometheusLoads, value: str) -> None:
    entry = {"metric": {"presage": "load"}, "value": [5, value]}
    assert (await loads.observe(serve(result(entry))[0], "q")).load is None


async def test_only_new_slots_are_fetched(serve: Any, loads: PrometheusLoads) -> None:
    def matrix(handler: http.server.BaseHTTPRequestHandler) -> None:
        result({"metric": {}, "values": [[990, "1"], [1000, "2"], [1010, "3"]]})(handler)

    source, asked = serve(matrix)
    first = await loads.history(source, "q", 10, 40, 1000.0)
    again = await loads.history(source, "q", 10, 40, 1009.0)
    later = await loads.history(source, "q", 10, 40, 1010.0)
    np.testing.assert_array_equal(first.values, np.array([np.nan, np.nan, 1, 2], np.float32))
    np.testing.assert_array_equal(later.values, np.array([np.nan, 1, 2, 3], np.float32))
    assert (first.start, again.start, later.start) == (960, 960, 970)
    assert len(asked) == 2
    assert "start=1010" in asked[1][0]
    assert "end=1010" in asked[1][0]


async def test_credentials_come_from_secrets(serve: Any) -> None:
    async def read(name: str, key: str) -> bytes:
        return {"token": b" abc\n", "username": b"u", "password": b"p"}[key]

    source, asked = serve(result())
    loads = PrometheusLoads(read, allow_loopback=True)
    await loads.observe(replace(source, spec=replace(source.spec, bearer_token=SecretKey("s", "token"))), "q")
    await loads.observe(replace(source, generation=2, spec=replace(source.spec, basic_auth="s")), "q")
    await loads.close()
    assert [header for _, header in asked] == ["Bearer abc", "Basic dTpw"]
