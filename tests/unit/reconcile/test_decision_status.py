"""`status.scaling.decision`: every number of the decision, and they add up."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from presage.core.source_reading import TickSample
from presage.reconcile.metricprofile import DEFINITION
from presage.resources.decisionstatus import DecisionStatus
from tests.unit.reconcile.fakes import NOW, PODS, World, make_world
from tests.unit.reconcile.looking import daily, look

STARTED = "2023-11-14T22:13:20Z"


async def decided(world: World, looks: int = 1) -> dict[str, Any]:
    """Return the block after so many decisions, a period apart, as the API server would keep it."""
    memory = None
    for _ in range(looks):
        decision = await look(world, memory)
        memory = decision.memory
        world.clock.time += 15
    block: Any = decision.status["scaling"]
    found = block["decision"]
    assert DecisionStatus.model_validate(found).model_dump(mode="json", by_alias=True, exclude_none=True) == found
    json.dumps(found, allow_nan=False)
    return dict(found)


async def test_every_number_is_there_and_adds_up() -> None:
    world = make_world(scaling={"headroomPercent": 10}, forecast={"quantile": "0.9"})
    world.loads.values = daily(487.3)
    world.loads.sample = TickSample(101.01, NOW - 4, PODS)
    found = await decided(world)
    metric = found.pop("metrics")[0]
    assert (found["time"], found["currentReplicas"]) == (STARTED, 2)
    events = [{"eventType": "order", "load": 101.01, "weight": 1.0, "newestSampleTime": "2023-11-14T22:13:16Z"}]
    assert metric["events"] == [{**events[0], "targets": 2}]
    reactive, forecast = metric["reactive"], metric["forecast"]
    assert (reactive["margin"]["load"], reactive["margin"]["percent"]) == (10.101, 10.0)
    assert (reactive["load"], reactive["planned"], reactive["replicas"]) == (101.01, 111.111, 3)
    assert math.ceil(forecast["load"] / metric["perPod"]) == forecast["replicas"] == metric["wanted"] > 3
    assert forecast["until"] == "2023-11-14T22:19:35Z", "start-up 60 s, a period of 15 s, one slot of 300 s"
    assert (metric["replicas"], metric["bindingReason"]) == (forecast["replicas"], "Forecast")
    assert "brake" not in metric


async def test_weighted_event_types_are_told_one_by_one() -> None:
    world = make_world()
    gauge = {"name": "refund", "weight": "2", "load": {"gauge": {"metric": "refunds"}}}
    world.objects.bodies[("MetricProfile", "team", "shop")]["spec"]["eventTypes"].append(gauge)
    world.loads.by_metric["refunds"] = TickSample(None, NOW - 5, PODS, "Negative")
    events = (await decided(world))["metrics"][0]["events"]
    assert [(e["eventType"], e["weight"], e.get("load"), e.get("flaw")) for e in events] == [
        ("order", 1.0, 100.0, None),
        ("refund", 2.0, None, "Negative"),
    ]


@pytest.mark.parametrize(
    ("replicas", "looks", "held_by", "step"),
    [
        pytest.param(10, 1, "Window", 2, id="after a restart"),
        pytest.param(10, 22, "Step", 2, id="a fifth at most"),
        pytest.param(4, 22, "Tolerance", 1, id="nearly enough load"),
    ],
)
async def test_what_keeps_replicas_is_told(replicas: int, looks: int, held_by: str, step: int) -> None:
    world = make_world(replicas=replicas, scaling={"mode": "DryRun", "tolerancePercent": 50})
    world.loads.values = np.full(2016, 95, np.float32) + np.tile([0, 2], 1008).astype(np.float32)

    def answer() -> None:
        world.loads.sample = replace(world.loads.sample, newest_at=world.clock.time)

    memory = None
    for _ in range(looks):
        answer()
        decision = await look(world, memory)
        memory = decision.memory
        world.clock.time += 15
    scaling: Any = decision.status["scaling"]
    brake = scaling["decision"]["metrics"][0]["brake"]
    assert (brake["heldBy"], brake["step"], brake["removed"], brake["since"]) == (held_by, step, 0, STARTED)
    if "later" in brake:
        assert brake["later"]["replicas"] == math.ceil(brake["later"]["load"] / 50)


async def test_where_nothing_is_known_nothing_is_said() -> None:
    world = make_world()
    world.loads.sample, world.loads.values = TickSample(None, None, frozenset()), np.full(2016, np.nan, np.float32)
    metric = (await decided(world))["metrics"][0]
    assert metric["events"] == [{"eventType": "order", "weight": 1.0, "targets": 0}]
    assert not {"forecast", "reactive"} & metric.keys()
    assert (metric["wanted"], metric["replicas"], metric["bindingReason"]) == (2, 2, "Hold")


def test_the_arithmetic_alone_is_no_reason_to_write() -> None:
    assert "scaling.decision" in DEFINITION.volatile_status
