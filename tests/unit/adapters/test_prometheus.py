"""A source that lies, stalls, redirects or floods: each a fault with a reason, never an exception of another kind."""

from __future__ import annotations

import asyncio
import http.server
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from presage.adapters import prometheus, prometheus_line
from presage.adapters.prometheus import PrometheusLoads
from presage.adapters.prometheus_session import is_forbidden
from presage.core.faults import SourceFault
from presage.core.query import CounterLoad, InstanceValues, Selection
from presage.core.source import SecretKey
from presage.core.source_reading import LabelValues, Source
from tests.unit.adapters.metric_server import SPEC, Answer, no_secret, observe, result, say


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
        await observe(loads, source, "up")
    assert time.monotonic() - started < 2 * SPEC.limits.timeout_s
    assert caught.value.reason == reason
    assert "main" in caught.value.message
    assert "html" not in caught.value.message


async def test_nobody_listens(loads: PrometheusLoads) -> None:
    with pytest.raises(SourceFault, match="Unreachable"):
        await observe(loads, Source("main", 1, replace(SPEC, url="http://127.0.0.1:9")), "up")


async def test_loopback_is_forbidden_unless_allowed(serve: Any) -> None:
    source, asked = serve(result())
    strict = PrometheusLoads(no_secret)
    for path in ("", "/%7Ep", "/x/..", "/a/./b"):
        tricky = replace(source, spec=replace(source.spec, url=source.spec.url + path))
        with pytest.raises(SourceFault, match="AddressForbidden"):
            await observe(strict, tricky, "up")
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
            await observe(loads, source, "up")
        said.add((caught.value.reason, caught.value.message))
    assert len(said) == 1, "a status that quotes the fault does not change from tick to tick"
    assert len(asked) == 5


@pytest.mark.parametrize("answer", [say("", 400), say("", 422), say("x" * 20_000), result(*[{}] * 6)])
async def test_a_query_at_fault_closes_the_source_to_nobody(serve: Any, loads: PrometheusLoads, answer: Answer) -> None:
    source, asked = serve(answer)
    for _ in range(8):
        with pytest.raises(SourceFault):
            await observe(loads, source, "up")
    assert len(asked) == 8


async def test_no_wait_without_end(serve: Any) -> None:
    async def hang(name: str, key: str) -> bytes:
        await asyncio.get_running_loop().create_future()
        return b""

    loads = PrometheusLoads(hang, allow_loopback=True)
    limits = replace(SPEC.limits, timeout_s=0.1, max_concurrency=1)
    source = Source("main", 1, replace(SPEC, url="http://127.0.0.1:9", basic_auth="s", limits=limits))
    started = time.monotonic()
    faults = await asyncio.gather(*(observe(loads, source, name) for name in "abc"), return_exceptions=True)
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
    sample = await observe(loads, serve(result(*entries))[0], "q")
    assert (sample.load, sample.newest_at) == (12.5, 1.7e9)
    assert sample.targets == {"10.0.0.1", "a", "2001:db8::1"}


async def test_each_instance_is_told_with_its_value(serve: Any, loads: PrometheusLoads) -> None:
    named = (("10.0.0.1:80", "a", "7"), ("10.0.0.2:80", "b", "NaN"), ("10.0.0.1:81", "c", "6"))
    entries = [
        {"metric": {"presage": "target", "instance": at, "pod": pod}, "value": [5, value]} for at, pod, value in named
    ]
    asked = Selection(InstanceValues("generation", ()))
    (sample,) = await loads.observe(serve(result(*entries))[0], [asked], 60)
    assert sample.targets == {"10.0.0.1", "a", "10.0.0.2", "b", "c"}
    assert sample.values == {"10.0.0.1": 6.0, "a": 7.0, "c": 6.0}, "of one address the lower one, no number is none"


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-4"])
async def test_no_load_is_made_of_nonsense(serve: Any, loads: PrometheusLoads, value: str) -> None:
    entry = {"metric": {"presage": "load"}, "value": [5, value]}
    assert (await observe(loads, serve(result(entry))[0], "q")).load is None


async def test_credentials_come_from_secrets(serve: Any) -> None:
    async def read(name: str, key: str) -> bytes:
        return {"token": b" abc\n", "username": b"u", "password": b"p"}[key]

    source, asked = serve(result())
    loads = PrometheusLoads(read, allow_loopback=True)
    await observe(loads, replace(source, spec=replace(source.spec, bearer_token=SecretKey("s", "token"))), "q")
    await observe(loads, replace(source, generation=2, spec=replace(source.spec, basic_auth="s")), "q")
    await loads.close()
    assert [header for _, header in asked] == ["Bearer abc", "Basic dTpw"]


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
    await asyncio.gather(observe(loads, source, "a"), observe(loads, source, "b"))
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
    slow = asyncio.create_task(observe(loads, source, "slow"))
    await asyncio.to_thread(reached.wait, 5)
    await observe(loads, source, "quick")
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
    await observe(loads, gone, "q")
    await asyncio.sleep(0.1)
    assert authorities() == 1
    await observe(loads, used, "q")
    assert authorities() == 0
    await loads.close()


def value(label: dict[str, str], load: str = "1") -> dict[str, Any]:
    return {"metric": label, "value": [1, load]}


ROUTES = Selection(CounterLoad("orders_total", (), 60))


async def test_the_values_of_a_label_and_their_loads(serve: Any, loads: PrometheusLoads) -> None:
    answer = result(*(value({"route": name}, load) for name, load in (("/a", "2.5"), ("/b", "NaN"), ("/c", "+Inf"))))
    source, asked = serve(answer)
    assert await loads.find_values(source, ROUTES, "route", 256) == LabelValues({"/a": 2.5, "/b": 0.0, "/c": 0.0})
    assert "topk%285%2C" in asked[0][0], "no more than the source may answer with"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(result(value({})), "BadAnswer", id="without the label"),
        pytest.param(result(value({"route": "/a"}, "many")), "BadAnswer", id="no number"),
        pytest.param(result(*(value({"route": f"/{i}"}) for i in range(6))), "TooLarge", id="more than were asked for"),
        pytest.param(say("[]"), "BadAnswer", id="no answer"),
    ],
)
async def test_values_that_are_none(serve: Any, loads: PrometheusLoads, answer: Answer, reason: str) -> None:
    source, _ = serve(answer)
    with pytest.raises(SourceFault) as caught:
        await loads.find_values(source, ROUTES, "route", 256)
    assert caught.value.reason == reason
