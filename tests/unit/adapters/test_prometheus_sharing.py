"""Askers of one source share requests, and each gets what it would have got alone."""

from __future__ import annotations

import asyncio
import http.server
import json
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from presage.adapters import prometheus_sharing
from presage.adapters.prometheus import PrometheusLoads
from presage.core.faults import SourceFault
from presage.core.query import CounterLoad, Matcher, Selection
from presage.core.source import SecretKey
from presage.core.source_reading import Source, TickSample
from tests.unit.adapters.metric_server import SPEC, result, say

TEAM = Matcher("team", "=", "red")


def orders(route: str, tenant: Matcher | None = None) -> Selection:
    return Selection(CounterLoad("orders_total", (Matcher("route", "=", route),), 60), tenant)


class Shop:
    """A source with a load of 10 on each route asked for, but on `/none`; `status` answers by what is asked."""

    def __init__(self) -> None:
        self.bad, self.status = "", 422
        self.hold = threading.Event()
        self.hold.set()

    def __call__(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        self.hold.wait(5)
        query = parse_qs(urlsplit(handler.path).query)["query"][0]
        found = re.search(r'route=(~?)"([^"]*)"', query)
        assert found is not None
        routes = [route for route in found[2].split("|") if route != "/none"]
        if self.bad and self.bad in routes:
            return say("", self.status)(handler)
        labels = [{"route": route} if found[1] else {} for route in routes]
        if "query_range" in handler.path:
            entries = [{"metric": label, "values": [[1000, "7"]]} for label in labels]
        else:
            entries = [{"metric": {"presage": "load", **label}, "value": [1, "10"]} for label in labels]
        return result(*entries)(handler)


async def observe(loads: PrometheusLoads, source: Source, *askers: Selection) -> list[Any]:
    """Ask as so many objects do: each for itself, at once."""
    asked = (loads.observe(source, [asker], 60) for asker in askers)
    return [
        a if isinstance(a, BaseException) else a[0].load for a in await asyncio.gather(*asked, return_exceptions=True)
    ]


@pytest.fixture
def roomy() -> Any:
    return replace(SPEC, limits=replace(SPEC.limits, max_series=10_000, max_bytes=10_000_000))


@pytest.fixture
def shop(serve: Any, roomy: Any) -> tuple[Shop, Source, list[Any]]:
    answer = Shop()
    source, asked = serve(answer)
    return answer, replace(source, spec=replace(roomy, url=source.spec.url)), asked


async def test_equal_askers_cost_one_request(shop: Any, loads: PrometheusLoads) -> None:
    _, source, asked = shop
    assert await observe(loads, source, *[orders("/a")] * 20) == [10] * 20
    assert await observe(loads, source, orders("/a")) == [10]
    assert len(asked) == 1


async def test_an_answer_is_used_again_for_a_moment_only(
    shop: Any, loads: PrometheusLoads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prometheus_sharing, "REUSE_S", 0.05)
    _, source, asked = shop
    await observe(loads, source, orders("/a"))
    await asyncio.sleep(0.1)
    await observe(loads, source, orders("/a"))
    assert len(asked) == 2


async def test_who_comes_while_it_is_asked_joins(shop: Any, loads: PrometheusLoads) -> None:
    answer, source, asked = shop
    answer.hold.clear()
    first = asyncio.ensure_future(observe(loads, source, orders("/a")))
    await asyncio.sleep(prometheus_sharing.WINDOW_S + 0.1)
    assert len(asked) == 1
    second = asyncio.ensure_future(observe(loads, source, orders("/a")))
    await asyncio.sleep(0.1)
    answer.hold.set()
    assert await first + await second == [10, 10]
    assert len(asked) == 1


async def test_askers_that_differ_in_one_value_cost_one_request(shop: Any, loads: PrometheusLoads) -> None:
    _, source, asked = shop
    askers = [orders(f"/{i}") for i in range(50)] + [orders("/none")]
    assert await observe(loads, source, *askers) == [10] * 50 + [None], "absence is no zero"
    assert len(asked) == 1


async def test_company_is_waited_for_only_a_moment(shop: Any, loads: PrometheusLoads) -> None:
    answer, source, _ = shop
    await observe(loads, source, orders("/warm"))
    answer.hold.clear()
    slow = asyncio.ensure_future(observe(loads, source, orders("/slow")))
    await asyncio.sleep(0.2)
    threading.Timer(0.3, answer.hold.set).start()
    assert prometheus_sharing.WINDOW_S <= 0.1
    started = time.monotonic()
    assert await observe(loads, source, orders("/a"), orders("/b")) == [10, 10]
    assert time.monotonic() - started < 0.3 + 0.3, "nobody waits for another one's request"
    assert await slow == [10]


async def test_a_bad_asker_leaves_the_others_their_answers(shop: Any, loads: PrometheusLoads) -> None:
    answer, source, asked = shop
    answer.bad = "/bad"
    askers = [orders(f"/{i}") for i in range(7)] + [orders("/bad")]
    *good, bad = await observe(loads, source, *askers)
    assert good == [10] * 7
    assert isinstance(bad, SourceFault)
    assert bad.reason == "QueryFailed"
    before = len(asked)
    await asyncio.sleep(prometheus_sharing.REUSE_S + 0.1)
    *good, bad = await observe(loads, source, *askers)
    assert good == [10] * 7
    assert isinstance(bad, SourceFault)
    assert len(asked) - before == 2, "it asks alone from now on"
    answer.bad = ""
    for wanted in (2, 1):
        await asyncio.sleep(prometheus_sharing.REUSE_S + 0.1)
        before = len(asked)
        assert await observe(loads, source, *askers) == [10] * 8
        assert len(asked) - before == wanted, "once answered it shares again"


async def test_queries_too_large_together_become_smaller_ones(shop: Any, loads: PrometheusLoads) -> None:
    _, source, asked = shop
    tight = replace(source, spec=replace(source.spec, limits=replace(source.spec.limits, max_series=4)))
    askers = [orders(f"/{i}") for i in range(8)]
    assert await observe(loads, tight, *askers) == [10] * 8
    assert len(asked) == 3
    await asyncio.sleep(prometheus_sharing.REUSE_S + 0.1)
    assert await observe(loads, tight, *askers) == [10] * 8
    assert len(asked) == 5, "the size that was too large is not tried again at once"


async def test_a_fault_of_the_source_is_shared_and_then_each_asks_alone(shop: Any, loads: PrometheusLoads) -> None:
    answer, source, asked = shop
    answer.bad, answer.status = "/1", 503
    askers = [orders(f"/{i}") for i in range(4)]
    assert {getattr(a, "reason", a) for a in await observe(loads, source, *askers)} == {"QueryFailed"}
    assert len(asked) == 1
    zero, one, two, three = await observe(loads, source, *askers)
    assert (zero, two, three) == (10, 10, 10), "one that makes the source fail does so to itself alone"
    assert isinstance(one, SourceFault)


@pytest.mark.parametrize(
    "others",
    [
        pytest.param({"tenant_label": "x"}, id="other settings"),
        pytest.param({"bearer_token": SecretKey("s", "t")}, id="other credentials"),
    ],
)
async def test_sources_are_never_mixed(shop: Any, others: Any) -> None:
    async def read(name: str, key: str) -> bytes:
        return b"secret"

    _, source, asked = shop
    loads = PrometheusLoads(read, allow_loopback=True)
    other = replace(source, spec=replace(source.spec, **others))
    answers = await asyncio.gather(observe(loads, source, orders("/a")), observe(loads, other, orders("/b")))
    await loads.close()
    assert answers == [[10], [10]]
    assert len(asked) == 2
    assert all("|" not in path and "%7C" not in path for path, _ in asked)


async def test_tenants_are_never_mixed(shop: Any, loads: PrometheusLoads) -> None:
    _, source, asked = shop
    blue = replace(TEAM, value="blue")
    assert await observe(loads, source, orders("/a", TEAM), orders("/b", TEAM), orders("/c", blue)) == [10] * 3
    queries = [parse_qs(urlsplit(path).query)["query"][0] for path, _ in asked]
    assert sorted(('team="red"' in q, 'team="blue"' in q) for q in queries) == [(False, True), (True, False)]


async def test_an_asker_that_leaves_takes_nothing_along(shop: Any, loads: PrometheusLoads) -> None:
    _, source, asked = shop
    stays = asyncio.ensure_future(observe(loads, source, orders("/a")))
    leaves = asyncio.ensure_future(loads.observe(source, [orders("/b")], 60))
    await asyncio.sleep(0.01)
    leaves.cancel()
    assert await stays == [10]
    assert len(asked) == 1


async def test_a_name_at_fault_is_its_askers_alone(shop: Any, loads: PrometheusLoads) -> None:
    _, source, _ = shop
    bad = Selection(CounterLoad("up} or vector(1)", (Matcher("route", "=", "/a"),), 60))
    fault, load = await observe(loads, source, bad, orders("/a"))
    assert isinstance(fault, ValueError)
    assert load == 10


async def test_a_long_query_goes_as_a_form(shop: Any, loads: PrometheusLoads) -> None:
    _, source, asked = shop
    askers = [orders("/" + "x" * 100 + str(i)) for i in range(100)]
    assert await observe(loads, source, *askers) == [10] * 100
    assert len(asked) == 1


async def test_several_loads_of_one_object_share_too(shop: Any, loads: PrometheusLoads) -> None:
    _, source, asked = shop
    samples: Sequence[TickSample] = await loads.observe(source, [orders("/a"), orders("/none"), orders("/b")], 60)
    assert [sample.load for sample in samples] == [10, None, 10]
    assert len(asked) == 1


async def test_histories_share_and_are_split_by_series_and_points(shop: Any, loads: PrometheusLoads) -> None:
    _, source, asked = shop
    askers = [orders(f"/{i}") for i in range(49)] + [orders("/none")]
    reads = await asyncio.gather(*(loads.history(source, [asker], 1, 999, 1000.0) for asker in askers))
    assert len(asked) == 2, "50 series of 999 points are more than 25,000"
    spans = [parse_qs(urlsplit(path).query) for path, _ in asked]
    assert sorted((int(s["start"][0]), int(s["end"][0])) for s in spans) == [(2, 501), (502, 1000)]
    for (history,) in reads[:-1]:
        assert len(history.values) == 999
        assert history.values[-1] == 7
    assert np.isnan(reads[-1][0].values).all()


async def test_what_came_before_a_fault_stays_held(shop: Any, loads: PrometheusLoads, serve: Any) -> None:
    failing = threading.Event()

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        start = int(parse_qs(urlsplit(handler.path).query)["start"][0])
        failed = failing.is_set() and start > 11_000
        say("", 503)(handler) if failed else say(json.dumps({"data": {"result": []}}))(handler)

    source, asked = serve(answer)
    failing.set()
    with pytest.raises(SourceFault):
        await loads.history(source, [orders("/a")], 1, 20_000, 21_000.0)
    failing.clear()
    before = len(asked)
    (history,) = await loads.history(source, [orders("/a")], 1, 20_000, 21_000.0)
    assert len(history.values) == 20_000
    assert len(asked) - before == 1


async def test_a_defect_in_planning_leaves_nobody_waiting(
    shop: Any, loads: PrometheusLoads, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(prometheus_sharing, "plan_queries", fail)
    _, source, _ = shop
    async with asyncio.timeout(5):
        found = await observe(loads, source, orders("/a"), orders("/b"))
    assert [type(each) for each in found] == [ZeroDivisionError, ZeroDivisionError]
