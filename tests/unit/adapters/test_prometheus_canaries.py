"""What is asked of a tier's servers, and what becomes of answers of every kind."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from presage.adapters.prometheus_canaries import PrometheusCanaries
from presage.core.faults import SourceFault
from presage.core.recording.retention.canary import Canary, Look
from presage.core.recording.retention.tiers import Retention, Tier
from presage.core.source_reading import Source
from tests.unit.adapters.metric_server import Answer, no_secret, result, say

Serve = Callable[[Answer], tuple[Source, list[tuple[str, str | None]]]]


@pytest.fixture
async def canaries() -> AsyncIterator[PrometheusCanaries]:
    adapter = PrometheusCanaries(no_secret, allow_loopback=True)
    yield adapter
    await adapter.close()


def answer_for(newest: dict[str, str], held: str) -> Answer:
    """Return a server with canaries of these tiers, and so many samples around each."""

    def answer(handler: Any) -> None:
        query = parse_qs(urlsplit(handler.path).query)["query"][0]
        if query.startswith("max by"):
            found = [{"metric": {"presage_retention": name}, "value": [1, at]} for name, at in newest.items()]
        else:
            found = [{"metric": {}, "value": [1, held]}] if held else []
        result(*found)(handler)

    return answer


def tiers(*served: Source) -> Retention:
    names = ("2h", "15d")
    return Retention("Prometheus", tuple(Tier(n, s.spec.url, 1.0) for n, s in zip(names, served, strict=False)))


def known(retention: Retention, at: float | None = 1000.0) -> dict[str, Canary]:
    return {tier.name: Canary(tier.url, at) for tier in retention.tiers}


async def test_each_tier_is_looked_for_on_its_own_server(canaries: PrometheusCanaries, serve: Serve) -> None:
    short, asked = serve(answer_for({"2h": "50.5"}, "3"))
    long, _ = serve(answer_for({"15d": "60"}, ""))
    retention = tiers(short, long)
    found = await canaries.look(short, retention, known(retention))
    assert found == {"2h": Look(50.5, True), "15d": Look(60.0, False)}
    held = [parse_qs(urlsplit(path).query) for path, _ in asked if "count_over_time" in path]
    assert [(each["time"], each["nocache"]) for each in held] == [(["1001"], ["1"])]


async def test_nothing_is_asked_for_without_a_canary(canaries: PrometheusCanaries, serve: Serve) -> None:
    short, asked = serve(answer_for({}, "3"))
    retention = tiers(short)
    assert await canaries.look(short, retention, known(retention, None)) == {"2h": Look(None, None)}
    assert not any("count_over_time" in path for path, _ in asked)


async def test_a_server_that_keeps_it_longer_is_told(canaries: PrometheusCanaries, serve: Serve) -> None:
    short, _ = serve(answer_for({"2h": "50"}, "3"))
    long, _ = serve(answer_for({"2h": "50", "15d": "60"}, "3"))
    main, _ = serve(answer_for({"15d": "50"}, ""))
    retention = tiers(short, long)
    found = await canaries.look(main, retention, known(retention))
    assert found["2h"].elsewhere == (long.spec.url,)
    assert found["15d"].elsewhere == (main.spec.url,), "the source itself is no tier's server"


async def test_a_server_that_fails_leaves_open_what_it_might_keep(canaries: PrometheusCanaries, serve: Serve) -> None:
    short, _ = serve(answer_for({"2h": "50"}, "3"))
    long, _ = serve(say("", 500))
    retention = tiers(short, long)
    found = await canaries.look(short, retention, known(retention))
    assert "tier 15d" in found["15d"].fault
    assert "tier 15d" in found["2h"].fault, "it may have series of 2h, too"
    found = await canaries.look(long, tiers(long), {"2h": Canary(long.spec.url)})
    assert found["2h"].fault


@pytest.mark.parametrize("body", ["", "[]", '{"status":"success","data":{"result":[{"metric":1,"value":[1]}]}}'])
async def test_a_hostile_answer_is_a_fault(canaries: PrometheusCanaries, serve: Serve, body: str) -> None:
    server, _ = serve(say(body))
    retention = tiers(server)
    assert (await canaries.look(server, retention, known(retention)))["2h"].fault


async def test_a_canary_is_written_as_victoriametrics_imports_it(canaries: PrometheusCanaries, serve: Serve) -> None:
    server, asked = serve(say("", 204))
    source = replace(server, name="main")
    await canaries.write(source, Tier("1d", server.spec.url, 1.0), 1000.0)
    (path, _) = asked[0]
    where, _, line = path.partition("?")
    labels = {"__name__": "presage_retention_canary", "name": "main", "presage_retention": "1d"}
    assert (where, json.loads(line)) == (
        "/api/v1/import",
        {"metric": labels, "values": [1], "timestamps": [1_000_000]},
    )


async def test_a_refused_write_is_a_fault(canaries: PrometheusCanaries, serve: Serve) -> None:
    server, _ = serve(say("", 403))
    with pytest.raises(SourceFault, match="tier 1d"):
        await canaries.write(server, Tier("1d", server.spec.url, 1.0), 1000.0)
