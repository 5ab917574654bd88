"""Shared queries against a real Prometheus: the same answers as alone, for a fraction of the requests."""

from __future__ import annotations

import asyncio
import http.server
import json
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from e2e.cluster import ensure_binary
from presage.adapters.prometheus import PrometheusLoads
from presage.core.faults import SourceFault
from presage.core.query import CounterLoad, GaugeLoad, Matcher, Selection
from presage.core.source_reading import History, Source, TickSample
from tests import builders
from tests.integration.operator.harness import Exporter, Prometheus, eventually, running

ODD = ("a.b", "a|b", ".*", "[x]", "a\\d", "^a$", '"quoted"', "two\nlines", "größe", "(", "a+", "{1}", " ")
ROUTES = (*(f"/route/{i}" for i in range(37)), *ODD)
BIG = "/big"  # many pods report it
ABSENT = ("/none", "aXb", "")


class Routes(Exporter):
    """Exports a counter and a gauge for each route, some counters of two teams."""

    def render(self) -> bytes:
        lines = ["# TYPE orders_total counter"]
        for number, route in enumerate(ROUTES):
            value = time.time() * (number + 1) / 3
            escaped = json.dumps(route, ensure_ascii=False)
            lines += [f'orders_total{{route={escaped},team="{team}"}} {value}' for team in ("red", "blue")]
        lines.append("# TYPE jobs gauge")
        lines += [f"jobs{{route={json.dumps(r, ensure_ascii=False)}}} {n / 7}" for n, r in enumerate(ROUTES)]
        lines += [f'jobs{{route="{BIG}",pod="p{n}"}} 1' for n in range(10)]
        return ("\n".join(lines) + "\n").encode()


def count_points(server: Prometheus) -> int:
    form = urllib.parse.urlencode({"query": f'count_over_time(jobs{{route="{ROUTES[0]}"}}[1m])'})
    with urllib.request.urlopen(f"{server.url}/api/v1/query?{form}", timeout=5) as answer:  # noqa: S310
        result = json.load(answer)["data"]["result"]
    return int(result[0]["value"][1]) if result else 0


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus that has scraped for some seconds."""
    exporter = Routes()
    server = Prometheus(ensure_binary("prometheus"), tmp_path_factory.mktemp("shared"), exporter.port)
    with running(server):
        eventually(lambda: count_points(server), lambda count: count >= 10, 60, "ten scrapes")
        yield server
    exporter.stop()


@pytest.fixture(scope="module")
def pinned(prometheus: Prometheus) -> Iterator[str]:
    """The same Prometheus behind a proxy that pins the time of instant queries, so that answers can be compared."""
    moment = time.time() - 2

    class Proxy(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.forward(urllib.parse.urlsplit(self.path).query)

        def do_POST(self) -> None:
            self.forward(self.rfile.read(int(self.headers["Content-Length"])).decode())

        def forward(self, form: str) -> None:
            place = urllib.parse.urlsplit(self.path).path
            if place.endswith("/query"):
                form += f"&time={moment:.3f}"
            request = urllib.request.Request(prometheus.url + place, data=form.encode())  # noqa: S310
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                    status, body = answer.status, answer.read()
            except urllib.error.HTTPError as error:
                status, body = error.code, error.read()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{proxy.server_port}"
    proxy.shutdown()
    proxy.server_close()


@pytest.fixture
def source(pinned: str) -> Source:
    return Source("main", 1, builders.source(url=pinned))


def count_requests(prometheus: Prometheus, handler: str) -> float:
    """Return Prometheus's own count of requests to one part of its API."""
    with urllib.request.urlopen(f"{prometheus.url}/metrics", timeout=5) as answer:  # noqa: S310
        lines = answer.read().decode().splitlines()
    wanted = [line for line in lines if line.startswith("prometheus_http_requests_total") and f'"{handler}"' in line]
    return sum(float(line.rsplit(" ", 1)[1]) for line in wanted)


def counter(route: str, tenant: Matcher | None = None) -> Selection:
    return Selection(CounterLoad("orders_total", (Matcher("route", "=", route),), 8), tenant)


def gauge(route: str, tenant: Matcher | None = None) -> Selection:
    return Selection(GaugeLoad("jobs", (Matcher("route", "=", route),)), tenant)


async def no_secret(name: str, key: str) -> bytes:
    raise SourceFault("SecretMissing", name)


async def tick_alone(source: Source, asker: Selection) -> TickSample:
    loads = PrometheusLoads(no_secret, allow_loopback=True)
    try:
        return (await loads.observe(source, [asker], 60))[0]
    finally:
        await loads.close()


async def history_alone(source: Source, asker: Selection, now: float) -> History:
    loads = PrometheusLoads(no_secret, allow_loopback=True)
    try:
        return (await loads.history(source, [asker], 1, 400, now))[0]
    finally:
        await loads.close()


async def at_once(asked: Sequence[Any]) -> list[Any]:
    """As so many objects do: each for itself, at the same moment."""
    return [answer[0] for answer in await asyncio.gather(*asked)]


@pytest.fixture
async def loads() -> Any:
    adapter = PrometheusLoads(no_secret, allow_loopback=True)
    yield adapter
    await adapter.close()


@pytest.mark.parametrize("make", [counter, gauge])
async def test_fifty_askers_get_the_same_loads_by_one_request(
    prometheus: Prometheus, source: Source, loads: PrometheusLoads, make: Callable[[str], Selection]
) -> None:
    askers = [make(route) for route in (*ROUTES, *ABSENT)]
    assert len(ROUTES) == 50
    before = count_requests(prometheus, "/api/v1/query")
    shared = await at_once([loads.observe(source, [asker], 60) for asker in askers])
    assert count_requests(prometheus, "/api/v1/query") - before == 1
    alone = [await tick_alone(source, asker) for asker in askers]
    assert shared == alone
    present, absent = shared[: len(ROUTES)], shared[len(ROUTES) :]
    assert all(sample.load is not None and sample.newest_at and sample.targets for sample in present)
    assert [sample.load for sample in absent] == [None] * len(ABSENT), "absence is no zero"
    assert len({sample.load for sample in present}) == len(ROUTES), "each its own"


@pytest.mark.parametrize("make", [counter, gauge])
async def test_fifty_askers_get_the_same_history_by_one_request(
    prometheus: Prometheus, source: Source, loads: PrometheusLoads, make: Callable[[str], Selection]
) -> None:
    askers = [make(route) for route in (*ROUTES, *ABSENT)]
    now, handler = time.time() - 2, "/api/v1/query_range"
    before = count_requests(prometheus, handler)
    shared = await at_once([loads.history(source, [asker], 1, 400, now) for asker in askers])
    assert count_requests(prometheus, handler) - before == 1
    for asker, history in zip(askers, shared, strict=True):
        alone = await history_alone(source, asker, now)
        assert history.start == alone.start
        np.testing.assert_array_equal(history.values, alone.values)
    assert np.isfinite(shared[0].values).sum() >= 3
    assert np.isnan(shared[-1].values).all()
    before = count_requests(prometheus, handler)
    await asyncio.sleep(2)
    await at_once([loads.history(source, [asker], 1, 400, now + 2) for asker in askers])
    assert count_requests(prometheus, handler) - before == 1, "the newest slots are fetched together too"


async def test_a_tenant_sees_its_own_series_only(
    prometheus: Prometheus, source: Source, loads: PrometheusLoads
) -> None:
    red, blue = Matcher("team", "=", "red"), Matcher("team", "=", "blue")
    askers = [counter(route, tenant) for tenant in (red, blue, None) for route in ROUTES[:5]]
    before = count_requests(prometheus, "/api/v1/query")
    shared = await at_once([loads.observe(source, [asker], 60) for asker in askers])
    assert count_requests(prometheus, "/api/v1/query") - before == 3
    assert shared == [await tick_alone(source, asker) for asker in askers]
    assert shared[10].load == pytest.approx(shared[0].load + shared[5].load)


async def test_an_asker_with_too_large_an_answer_is_left_with_its_own_fault(
    prometheus: Prometheus, source: Source, loads: PrometheusLoads
) -> None:
    tight = replace(source, spec=replace(source.spec, limits=replace(source.spec.limits, max_series=7)))
    askers = [gauge(route) for route in ROUTES[:8]]
    asked = [loads.observe(tight, [asker], 60) for asker in [*askers, gauge(BIG)]]
    before = count_requests(prometheus, "/api/v1/query")
    *answers, fault = await asyncio.gather(*asked, return_exceptions=True)
    assert count_requests(prometheus, "/api/v1/query") - before < 2 * len(asked)
    assert isinstance(fault, SourceFault)
    assert fault.reason == "TooLarge"
    assert [answer[0] for answer in answers] == [await tick_alone(tight, asker) for asker in askers]


async def test_a_real_prometheus_tells_the_values_of_a_label(source: Source, loads: PrometheusLoads) -> None:
    orders, jobs = CounterLoad("orders_total", (), 8), GaugeLoad("jobs", ())
    found = await loads.find_values(source, Selection(orders), "route", 256)
    assert set(found.loads) == set(ROUTES), "as they were exported, quotes and line breaks included"
    assert found.loads[ROUTES[11]] == pytest.approx(2 * 12 / 3, rel=0.2), "both teams together"
    red = Selection(orders, Matcher("team", "=", "red"))
    half = await loads.find_values(source, red, "route", 256)
    assert half.loads[ROUTES[11]] == pytest.approx(found.loads[ROUTES[11]] / 2)
    assert (await loads.find_values(source, red, "team", 256)).loads.keys() == {"red"}, "no other tenant's values"
    most = await loads.find_values(source, Selection(jobs), "route", 3)
    assert set(most.loads) == {BIG, *ROUTES[-2:]}, "those with the most load"
    assert (await loads.find_values(source, Selection(jobs), "pod", 256)).loads == {f"p{n}": 1.0 for n in range(10)}
    assert (await loads.find_values(source, Selection(jobs), "nothing", 256)).loads == {}
