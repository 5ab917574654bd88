"""A source that lies, stalls, redirects or floods: each a fault with a reason, never an exception of another kind."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from presage.adapters import prometheus, prometheus_answers, prometheus_line
from presage.adapters.prometheus import PrometheusLoads
from presage.adapters.prometheus_session import is_forbidden
from presage.core.faults import SourceFault
from presage.core.history import to_grid
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
    drip_body(handler)


def drip_headers(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    for _ in range(40):
        handler.wfile.write(b"x")
        time.sleep(0.1)


def redirect_with_long_body(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.send_response(302)
    handler.send_header("Location", "http://127.0.0.1:1/")
    handler.end_headers()
    drip_body(handler)


def drip_body(handler: http.server.BaseHTTPRequestHandler) -> None:
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
        pytest.param(drip_headers, "Unreachable", id="headers that never end"),
        pytest.param(redirect_with_long_body, "Redirected", id="a redirect's body is not read"),
        pytest.param(say("", 400), "QueryFailed", id="query refused"),
        pytest.param(say("<html>"), "BadAnswer", id="not JSON"),
        pytest.param(say("[" * 5000), "BadAnswer", id="nested too deep"),
        pytest.param(say("[]"), "BadAnswer", id="another shape"),
        pytest.param(say('{"data": {"result": [1, "x", null]}}'), "BadAnswer", id="entries of another type"),
        pytest.param(result(*[{"metric": {}, "value": [1, "1"]}] * 6), "TooLarge", id="too many series"),
        pytest.param(result({"metric": {}, "value": [1, 10**400]}), "BadAnswer", id="a number beyond all floats"),
    ],
)
async def test_faults(serve: Any, loads: PrometheusLoads, answer: Answer, reason: str) -> None:
    source, _ = serve(answer)
    started = time.monotonic()
    with pytest.raises(SourceFault) as caught:
        await loads.observe(source, "up")
    assert time.monotonic() - started < 2 * SPEC.limits.timeout_s
    assert caught.value.reason == reason
    assert "main" in caught.value.message
    assert "html" not in caught.value.message


async def test_nobody_listens(loads: PrometheusLoads) -> None:
    with pytest.raises(SourceFault, match="Unreachable"):
        await loads.observe(Source("main", 1, replace(SPEC, url="http://127.0.0.1:9")), "up")


async def test_loopback_is_forbidden_unless_allowed(serve: Any) -> None:
    source, asked = serve(result())
    strict = PrometheusLoads(no_secret)
    for path in ("", "/%7Ep", "/x/..", "/a/./b"):
        tricky = replace(source, spec=replace(source.spec, url=source.spec.url + path))
        with pytest.raises(SourceFault, match="AddressForbidden"):
            await strict.observe(tricky, "up")
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
    said = set()
    for _ in range(8):
        with pytest.raises(SourceFault) as caught:
            await loads.observe(source, "up")
        said.add((caught.value.reason, caught.value.message))
    assert len(said) == 1, "a status that quotes the fault does not change from tick to tick"
    assert len(asked) == 5


@pytest.mark.parametrize("answer", [say("", 400), say("", 422), say("x" * 20_000), result(*[{}] * 6)])
async def test_a_query_at_fault_closes_the_source_to_nobody(serve: Any, loads: PrometheusLoads, answer: Answer) -> None:
    source, asked = serve(answer)
    for _ in range(8):
        with pytest.raises(SourceFault):
            await loads.observe(source, "up")
    assert len(asked) == 8


async def test_no_wait_without_end(serve: Any) -> None:
    async def hang(name: str, key: str) -> bytes:
        await asyncio.get_running_loop().create_future()
        return b""

    loads = PrometheusLoads(hang, allow_loopback=True)
    limits = replace(SPEC.limits, timeout_s=0.1, max_concurrency=1)
    source = Source("main", 1, replace(SPEC, url="http://127.0.0.1:9", basic_auth="s", limits=limits))
    started = time.monotonic()
    faults = await asyncio.gather(*(loads.observe(source, "up") for _ in range(3)), return_exceptions=True)
    assert time.monotonic() - started < 1
    assert [getattr(fault, "reason", fault) for fault in faults] == ["Unreachable"] * 3
    await loads.close()


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


def ask_span(path: str) -> tuple[int, int]:
    asked = parse_qs(urlsplit(path).query)
    return int(asked["start"][0]), int(asked["end"][0])


class Recorded:
    """A source with a load of `value` at each slot end of 10 s up to `until`."""

    def __init__(self) -> None:
        self.value, self.until = 1, 10**9

    def __call__(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        first, last = ask_span(handler.path)
        values = [[t, str(self.value)] for t in range(first, min(last, self.until) + 1, 10)]
        result({"metric": {}, "values": values})(handler)


async def test_a_long_asker_and_a_short_one_do_not_cut_each_other(serve: Any, loads: PrometheusLoads) -> None:
    source, asked = serve(Recorded())
    for span in (40, 80, 40, 80):
        history = await loads.history(source, "q", 10, span, 1000.0)
        np.testing.assert_array_equal(history.values, np.ones(span // 10, np.float32))
        assert history.start == 1000 - span
    assert len(asked) == 2


async def test_late_samples_are_seen(serve: Any, loads: PrometheusLoads) -> None:
    recorded = Recorded()
    source, asked = serve(recorded)
    recorded.until = 980
    await loads.history(source, "q", 10, 50, 1000.0)
    recorded.value, recorded.until = 2, 10**9
    history = await loads.history(source, "q", 10, 50, 1010.0)
    np.testing.assert_array_equal(history.values, np.array([1, 2, 2, 2, 2], np.float32))
    assert len(asked) == 2


@pytest.mark.parametrize("ahead", [20, 50, 86_400])
async def test_a_clock_that_ran_ahead_leaves_no_trace(serve: Any, loads: PrometheusLoads, ahead: int) -> None:
    recorded = Recorded()
    source, _ = serve(recorded)
    recorded.until = 1000
    await loads.history(source, "q", 10, 100, 1000.0)
    await loads.history(source, "q", 10, 100, 1000.0 + ahead)
    recorded.until = 10**9
    for now in (1000.0, 1010.0, 1020.0, 1090.0):
        history = await loads.history(source, "q", 10, 100, now)
        np.testing.assert_array_equal(history.values, np.ones(10, np.float32))
        assert history.start == now - 100


async def test_more_samples_than_asked_are_no_answer(serve: Any, loads: PrometheusLoads) -> None:
    samples = [[1000, "1"]] * 30
    with pytest.raises(SourceFault, match="BadAnswer"):
        await loads.history(serve(result({"metric": {}, "values": samples}))[0], "q", 10, 40, 1000.0)


async def test_answers_are_read_off_the_event_loop(
    serve: Any, loads: PrometheusLoads, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def spy(*args: Any) -> Any:
        seen.append(threading.current_thread())
        return to_grid(*args)

    monkeypatch.setattr(prometheus_answers, "to_grid", spy)
    await loads.history(serve(Recorded())[0], "q", 10, 40, 1000.0)
    assert seen
    assert threading.main_thread() not in seen


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
    assert [ask_span(path) for path, _ in asked] == [(970, 1000), (980, 1010)]


async def test_credentials_come_from_secrets(serve: Any) -> None:
    async def read(name: str, key: str) -> bytes:
        return {"token": b" abc\n", "username": b"u", "password": b"p"}[key]

    source, asked = serve(result())
    loads = PrometheusLoads(read, allow_loopback=True)
    await loads.observe(replace(source, spec=replace(source.spec, bearer_token=SecretKey("s", "token"))), "q")
    await loads.observe(replace(source, generation=2, spec=replace(source.spec, basic_auth="s")), "q")
    await loads.close()
    assert [header for _, header in asked] == ["Bearer abc", "Basic dTpw"]


async def test_a_source_made_anew_is_another_one(serve: Any, loads: PrometheusLoads) -> None:
    recorded = Recorded()
    recorded.value = 2
    old, new = serve(Recorded())[0], serve(recorded)[0]
    assert (old.name, old.generation) == (new.name, new.generation)
    assert (await loads.history(old, "q", 10, 40, 1000.0)).values[0] == 1
    assert (await loads.history(new, "q", 10, 40, 1000.0)).values[0] == 2


@pytest.fixture
def authorities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Count the files of authorities that clients hold; each client has one."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return lambda: len(list(tmp_path.glob("presage-ca-*")))


async def read_authority(name: str, key: str) -> bytes:
    await asyncio.sleep(0.01)
    return b"authority"


def with_authority(source: Source) -> Source:
    return replace(source, spec=replace(source.spec, ca=SecretKey("s", "ca.crt")))


async def test_equal_askers_share_one_client(serve: Any, authorities: Callable[[], int]) -> None:
    reads = []

    async def read(name: str, key: str) -> bytes:
        reads.append(name)
        return await read_authority(name, key)

    source = with_authority(serve(result())[0])
    loads = PrometheusLoads(read, allow_loopback=True)
    await asyncio.gather(loads.observe(source, "a"), loads.observe(source, "b"))
    assert (len(reads), authorities()) == (1, 1)
    await loads.close()
    assert authorities() == 0


async def test_a_client_lives_as_long_as_its_requests(
    serve: Any, authorities: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prometheus_line, "_CLIENT_LIFE_S", 0.0)
    reached, release = threading.Event(), threading.Event()

    def slow_once(handler: http.server.BaseHTTPRequestHandler) -> None:
        if "slow" in handler.path:
            reached.set()
            release.wait(5)
        result()(handler)

    source = with_authority(serve(slow_once)[0])
    loads = PrometheusLoads(read_authority, allow_loopback=True)
    slow = asyncio.create_task(loads.observe(source, "slow"))
    await asyncio.to_thread(reached.wait, 5)
    await loads.observe(source, "quick")
    assert authorities() == 2, "the first is in use, the second is kept for the next"
    release.set()
    await slow
    assert authorities() == 1
    await loads.close()
    assert authorities() == 0


async def test_unused_clients_are_closed(
    serve: Any, authorities: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prometheus, "_FORGET_S", 0.05)
    loads = PrometheusLoads(read_authority, allow_loopback=True)
    gone, used = with_authority(serve(result())[0]), serve(result())[0]
    await loads.observe(gone, "q")
    await asyncio.sleep(0.1)
    assert authorities() == 1
    await loads.observe(used, "q")
    assert authorities() == 0
    await loads.close()
