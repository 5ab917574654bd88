"""A gauge taken for a counter is refused where the source itself calls it so, and the source is rarely asked."""

from __future__ import annotations

import http.server
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from presage.adapters import prometheus_types
from presage.adapters.prometheus import PrometheusLoads
from presage.core.query import CounterLoad, GaugeLoad, Load, Selection
from presage.core.source_reading import Source
from tests.unit.adapters.metric_server import Answer, result, say

Serve = Callable[[Answer], tuple[Source, list[tuple[str, str | None]]]]

RATE = {"metric": {"presage": "load"}, "value": [1, "5"]}


def answer_with(metadata: Any, status: int = 200) -> Any:
    """Answer ticks with a load seen just now, and questions for metadata as given."""

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        newest = {"metric": {"presage": "newest"}, "value": [1, str(time.time())]}
        body = json.dumps(metadata) if not isinstance(metadata, bytes) else metadata
        (say(body, status) if "/metadata" in handler.path else result(RATE, newest))(handler)

    return answer


def known(*types: str) -> dict[str, Any]:
    return {"status": "success", "data": {"m": [{"type": each, "help": "", "unit": ""} for each in types]}}


async def flaw_of(loads: PrometheusLoads, source: Source, load: Load) -> str:
    (sample,) = await loads.observe(source, [Selection(load)], 60)
    return sample.flaw


@pytest.mark.parametrize(
    ("metadata", "status", "flaw"),
    [
        pytest.param(known("gauge"), 200, "NotACounter", id="gauge"),
        pytest.param(known("counter"), 200, "", id="counter"),
        pytest.param(known("unknown"), 200, "", id="untyped"),
        pytest.param(known("gauge", "counter"), 200, "", id="two targets at odds"),
        pytest.param({"status": "success", "data": {}}, 200, "", id="no metadata, as for a histogram's count"),
        pytest.param({"status": "error"}, 404, "", id="no such API"),
        pytest.param(b"\xff", 200, "", id="no JSON"),
        pytest.param({"status": "success", "data": {"m": "gauge"}}, 200, "", id="another shape"),
    ],
)
async def test_only_what_calls_itself_a_gauge_is_refused(
    loads: PrometheusLoads, serve: Serve, metadata: Any, status: int, flaw: str
) -> None:
    source, _ = serve(answer_with(metadata, status))
    assert await flaw_of(loads, source, CounterLoad("m", (), 60)) == flaw


async def test_a_gauge_is_not_asked_about(loads: PrometheusLoads, serve: Serve) -> None:
    source, asked = serve(answer_with(known("gauge")))
    assert await flaw_of(loads, source, GaugeLoad("m", ())) == ""
    assert not [path for path, _ in asked if "/metadata" in path]


async def test_it_is_asked_rarely(loads: PrometheusLoads, serve: Serve) -> None:
    source, asked = serve(answer_with(known("gauge")))
    for window in (60, 61, 62):
        assert await flaw_of(loads, source, CounterLoad("m", (), window)) == "NotACounter"
    (question,) = [path for path, _ in asked if "/metadata" in path]
    assert "metric=m" in question


async def test_a_type_put_right_is_believed(
    loads: PrometheusLoads, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prometheus_types, "_REMEMBER_GAUGE_S", 0.0)
    types = known("gauge")
    source, _ = serve(lambda handler: answer_with(types)(handler))
    assert await flaw_of(loads, source, CounterLoad("m", (), 60)) == "NotACounter"
    types = known("counter")
    assert await flaw_of(loads, source, CounterLoad("m", (), 61)) == ""
