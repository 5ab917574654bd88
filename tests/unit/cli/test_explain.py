"""What `presage explain` says of a profile: the answer first, then numbers that add up."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from presage.cli.explain.document import FIELDS, build_document
from presage.cli.explain.text import render
from presage.cli.numbers import divide, number
from presage.core.query import CounterLoad
from presage.core.source_reading import TickSample
from tests.unit.reconcile.fakes import NOW, PODS, World, make_world
from tests.unit.reconcile.looking import daily, look, stop

ACCOUNT = {
    "unmetShare": 0.00123,
    "replicaHours": 240.0,
    "hours": 23.5,
    "reactive": {"unmetShare": 0.0101, "replicaHours": 300.4},
    "saved": 60.4,
}


GIVEN = {"headroomPercent": 10, "tolerancePercent": 10}


def make(scaling: dict[str, Any] | None = None, **more: Any) -> World:
    world = make_world(scaling={**GIVEN, **(scaling or {})}, forecast={"quantile": "0.9"}, **more)
    world.loads.values = daily(487.3)
    world.loads.sample = TickSample(101.01, world.clock.time - 4, PODS)
    return world


async def explained(world: World, looks: int = 1, source: Mapping[str, Any] | str | None = None) -> dict[str, Any]:
    """Return the document about a profile that was decided on so often, asked for 40 s after the last time."""
    memory = None
    for _ in range(looks):
        world.loads.sample = replace(world.loads.sample, newest_at=world.clock.time - 4)
        decision = await look(world, memory)
        memory = decision.memory
        world.clock.time += 15
    stored = world.objects.bodies[("MetricProfile", "team", "shop")]
    conditions = [condition.to_json() for condition in decision.conditions]
    profile = {**stored, "status": {**decision.status, "conditions": conditions, **stored.get("status", {})}}
    return build_document(profile, source or world.objects.bodies[("MetricSource", "", "main")], world.clock.time + 25)


async def test_the_answer_comes_first_then_the_arithmetic() -> None:
    document = await explained(make())
    lines = render(document).splitlines()
    assert lines[0] == document["explain"]
    assert lines[1].startswith("MetricProfile team/shop → Deployment shop: 10 wanted, 2 asked for, 2 ready; mode Auto")
    assert lines[2] == "decided 2023-11-14 22:13:20 UTC, 40 s ago"
    for line in (
        "  order       101/s; newest sample 4 s old, 2 target names",
        "  lead time   75 s = start-up 60 s (default: fewer than 3 starts were seen) + decision period 15 s",
        "  looked at   22:13:20 to 22:19:35: lead time and one slot of 5 min",
        "  planned     101.01 + 10.101 = 111.111/s",
        "  need        111.1 / 50 = 2.222 → 3",
        "  wanted      10: the larger of 10 and 3, within limits 1..20",
        "  result      10 (Forecast); the target asked for 2",
    ):
        assert line in lines
    assert [line for line in lines if line.startswith("  margin      10.1/s = 10 %: headroomPercent in the spec")]
    assert not [line for line in lines if line.startswith("!")], "nothing is wrong"
    shown = [re.fullmatch(r" +need +(\S+) / (\S+) = (\S+) → (\d+)", line) for line in lines]
    needs = [match for match in shown if match]
    assert len(needs) == 2
    assert all(math.ceil(float(load) / float(of)) == int(pods) for load, of, _, pods in (m.groups() for m in needs))


async def test_the_queries_are_those_that_were_asked() -> None:
    world = make()
    world.objects.bodies[("MetricSource", "", "main")]["spec"]["tenantLabel"] = {"name": "ns"}  # type: ignore[index]
    document = await explained(world)
    query = document["queries"][0]
    assert (query["metric"], query["eventType"], query["perSecond"]) == ("load", "order", True)
    assert query["history"] == 'sum(rate(http_requests_total{ns="team"}[300000ms]))'
    assert 'sum(rate(http_requests_total{ns="team"}[60000ms]))' in query["tick"]
    text = render(document)
    assert query["tick"] in text
    assert "to be evaluated at 2023-11-14T22:13:20Z (1700000000)" in text


async def test_a_source_that_may_not_be_read_is_said() -> None:
    document = await explained(make(), source="MetricSource main cannot be read (refused)")
    assert document["queries"]
    assert "a label that it forces on every query is missing here" in render(document)


@pytest.mark.parametrize(
    ("change", "replicas", "looks", "line"),
    [
        pytest.param({}, 10, 1, "no replica goes before decisions followed each other for 300 s, and", id="window"),
        pytest.param({}, 10, 22, "at most 20 % per 60 s may go: 0 went, 2 more could", id="step"),
        pytest.param({"tolerancePercent": 50}, 4, 22, "the load is not yet 50 % below", id="tolerance"),
        pytest.param(
            {"maxSampleAgeSeconds": 1}, 10, 1, "no replica may go on this data (DataAvailable False", id="data"
        ),
    ],
)
async def test_what_keeps_replicas_is_said(change: dict[str, Any], replicas: int, looks: int, line: str) -> None:
    world = make(replicas=replicas, scaling={"mode": "DryRun", **change})
    world.loads.values = np.full(2016, 95, np.float32) + np.tile([0, 2], 1008).astype(np.float32)
    assert f"  kept        {line}" in render(await explained(world, looks))


async def test_trouble_stands_at_the_top() -> None:
    world = make()
    stop(world)
    lines = render(await explained(world)).splitlines()
    assert "! DataAvailable False, SourceUnavailable: MetricSource main: no connection." in " ".join(lines[:5])
    assert "  unknown     the source was not asked, or did not answer: see DataAvailable" in lines
    assert "  none        the load now is not known" in lines


async def test_accounts_of_a_dry_run_are_what_would_have_been() -> None:
    world = make(scaling={"mode": "DryRun"})
    accounts = {"since": "2023-11-10T00:00:00Z", "day": ACCOUNT, "week": {**ACCOUNT, "saved": -2.5}}
    world.objects.bodies[("MetricProfile", "team", "shop")]["status"] = {"accounts": accounts}  # type: ignore[index]
    lines = render(await explained(world)).splitlines()
    assert "accounts, since 2023-11-10T00:00:00Z: what would have been" in lines
    both = "0.12 % of the load unmet, 240 replica-hours; reactive alone 1 %, 300.4"
    assert f"  last day    {both}: 60.4 saved (23.5 h accounted)" in lines
    assert f"  last week   {both}: 2.5 spent more (23.5 h accounted)" in lines
    assert "mode DryRun, so nothing is written" in lines[1]
    assert not [line for line in lines if line.startswith("!")], "a dry run was asked for"


async def test_the_objective_and_what_it_costs_are_told() -> None:
    document = await explained(make())
    document["objective"] = {
        "unmetLoad": 0.005,
        "rule": "p95, observed + 10 %",
        "days": 7,
        "reached": True,
        "replayed": {"unmetShare": 0.0012, "replicaHours": 812.4},
        "reactive": {"unmetShare": 0.004, "replicaHours": 990.0},
    }
    want = (
        "  objective   at most 0.5 % of the load unmet: kept. Replay of 7 d gives p95, observed + 10 %: 0.12 % unmet, "
        "812.4 replica-hours; reactive alone 0.4 %, 990"
    )
    assert want in render(document).splitlines()


async def test_where_a_margin_comes_from_is_told() -> None:
    document = await explained(make())
    margin = document["decision"]["metrics"][0]["reactive"]["margin"]
    assert "10 %: headroomPercent in the spec" in render(document)
    margin["source"] = "Chosen"
    assert "10 %: default, as long as no past day was replayed" in render(document)
    record = {"unmetShare": 0.0, "replicaHours": 1.0}
    chosen = {"unmetLoad": 0.005, "rule": "p95", "days": 1, "reached": True, "replayed": record, "reactive": record}
    assert "10 %: chosen by replay of past days" in render({**document, "objective": chosen})


async def test_what_else_bears_on_the_number_is_told() -> None:
    document = await explained(make())
    entry = {"name": "sale", "from": "2023-11-14T20:00:00Z", "to": "2023-11-15T00:00:00Z", "effect": "Minimum 20"}
    document["calendar"] = {"inForce": [entry], "next": {**entry, "name": "stocktaking"}}
    document["decision"]["note"] = "at least 1: there is no forecast"
    lines = render(document).splitlines()
    for line in (
        "  besides     at least 1: there is no forecast",
        "  calendar    Minimum 20 by sale, 2023-11-14T20:00:00Z to 2023-11-15T00:00:00Z",
        "  calendar    next: Minimum 20 by stocktaking, from 2023-11-14T20:00:00Z",
    ):
        assert line in lines


async def test_before_any_status_it_says_so() -> None:
    stored = make().objects.bodies[("MetricProfile", "team", "shop")]
    document = build_document(stored, "no source", 0.0)
    assert document["decision"] is None
    assert render(document).splitlines()[0] == "no decision yet"
    assert "is the operator running?" in render(document)


async def test_the_document_is_as_described() -> None:
    document = json.loads(json.dumps(await explained(make()), allow_nan=False))
    assert {path.partition(".")[0].removesuffix("[]") for path, _, _ in FIELDS} == document.keys()
    described = {path for path, _, _ in FIELDS}
    for part in ("replicas",):
        assert {f"{part}.{name}" for name in document[part]} <= described
    assert {f"queries[].{name}" for name in document["queries"][0]} <= described
    assert document["schemaVersion"] == 1


@pytest.mark.parametrize(
    ("value", "digits", "want"),
    [(0.0, 4, "0"), (12345.6, 4, "12350"), (0.00012346, 4, "0.0001235"), (99.996, 4, "100"), (5.0, 4, "5")],
)
def test_numbers_are_short(value: float, digits: int, want: str) -> None:
    assert number(value, digits) == want


@pytest.mark.parametrize(
    ("load", "per_pod", "pods", "want"),
    [
        (583.21, 50.0, 12, ("583.2", "11.66")),
        (600.0004, 50.0, 13, ("600.0004", "12.00001")),
        (0.0, 50.0, 0, ("0", "0")),
    ],
)
def test_as_many_digits_as_it_takes_to_add_up(load: float, per_pod: float, pods: int, want: tuple[str, str]) -> None:
    assert divide(load, per_pod, pods) == want


@pytest.mark.parametrize(
    ("learned", "want"),
    [
        pytest.param(
            {"value": "66", "atLeast": False, "source": "Cpu", "samples": 900, "errorPercent": 4, "reason": "Learned"},
            "  proposed    66 ± 4 % per pod, not applied, from Cpu over 900 slots (Learned): Why.",
            id="found",
        ),
        pytest.param(
            {"value": "75", "atLeast": True, "source": "Latency", "samples": 900, "reason": "LimitNotReached"},
            "  proposed    at least 75 per pod, not applied, from Latency over 900 slots (LimitNotReached): Why.",
            id="a lower bound",
        ),
        pytest.param(
            {"atLeast": False, "source": "Cpu", "samples": 9, "reason": "FewSamples"},
            "  proposed    nothing yet per pod, not applied, from Cpu over 9 slots (FewSamples): Why.",
            id="not yet",
        ),
    ],
)
async def test_what_was_learned_of_the_load_per_pod(learned: dict[str, Any], want: str) -> None:
    document = await explained(make())
    assert "proposed  " not in render(document)
    document["perPod"]["proposed"] = {**learned, "message": "Why."}
    assert want in render(document).splitlines()


async def test_of_two_metrics_each_has_its_arithmetic_queries_and_forecast() -> None:
    world = make(scaling={"perPodBytes": "10Mi"})
    spec = world.objects.bodies[("MetricProfile", "team", "shop")]["spec"]
    spec["eventTypes"][0]["load"]["bytes"] = {"counter": {"metric": "bytes_total"}}
    world.loads.by_metric["bytes_total"] = TickSample(150e6, NOW, PODS)
    world.loads.by_load[CounterLoad("bytes_total", (), 60.0)] = daily(10e6)
    document = await explained(world)
    lines = render(document).splitlines()
    assert lines[0].startswith("16 replicas (Reactive, bytes): bytes: ")
    assert "  need        165000000 / 10485760 = 15.74 → 16" in lines
    assert "  order       150000000 B/s; newest sample 0 s old, 2 target names" in lines
    assert "  binding     load 10, bytes 16: the largest counts, bytes" in lines
    assert {"forecast", "forecast of bytes"} <= set(lines)
    assert [query["metric"] for query in document["queries"]] == ["load", "bytes"]
    assert "sum(rate(bytes_total{" in document["queries"][1]["history"]
    described = {path for path, _, _ in FIELDS}
    assert {"bindingMetric", "forecastBytes"} <= described & document.keys()
