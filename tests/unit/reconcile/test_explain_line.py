"""`status.scaling.explain`: the decision in one line, whose numbers add up."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest

from presage.core.source_reading import TickSample
from presage.reconcile.metricprofile.rounding import round_to_pods
from tests.unit.reconcile.fakes import NOW, PODS, World, make_world
from tests.unit.reconcile.looking import daily, go_silent, look


def make(**more: Any) -> World:
    world = make_world(scaling={"headroomPercent": 10}, forecast={"quantile": "0.9"}, **more)
    noise = np.random.default_rng(1).normal(1, 0.05, 2016).astype(np.float32)
    world.loads.values = daily(487.3) * noise
    world.loads.sample = TickSample(101.01, NOW - 4, PODS)
    return world


async def explained(world: World) -> str:
    scaling: Any = (await look(world)).status["scaling"]
    return str(scaling["explain"])


async def test_where_the_forecast_decides_nothing_more_is_said() -> None:
    line = await explained(make())
    want = (
        r"(\d+) replicas: p90 load ([\d.]+)/s at 22:10 \(\+75 s lead\) over 50/s per pod; "
        r"reactive 3 for 101/s \+ 10 %; limits 1\.\.20"
    )
    found = re.fullmatch(want, line)
    assert found, line
    assert math.ceil(float(found[2]) / 50) == int(found[1])


async def test_what_else_decides_is_named() -> None:
    line = await explained(make(replicas=15))
    assert line.startswith("15 replicas (Stabilization): p90 load ")
    assert re.search(r"over 50/s per pod = \d+; reactive 3 for", line)


async def test_a_gauge_has_no_rate() -> None:
    world = make()
    event = {"name": "busy", "load": {"gauge": {"metric": "busy_workers"}}}
    world.objects.bodies[("MetricProfile", "team", "shop")]["spec"]["eventTypes"] = [event]
    line = await explained(world)
    assert "over 50 per pod; reactive 3 for 101 + 10 %" in line
    assert "/s" not in line


async def test_what_is_unknown_is_said_to_be() -> None:
    world = make(replicas=4)
    world.loads.values = np.full(2016, np.nan, np.float32)
    go_silent(world)
    assert await explained(world) == "4 replicas (Hold): no forecast in force; reactive unknown; limits 1..20"


async def test_slots_under_a_minute_have_seconds() -> None:
    world = make()
    forecast = world.objects.bodies[("MetricProfile", "team", "shop")]["spec"]["forecast"]
    forecast |= {"stepSeconds": 10, "historySeconds": 172_800, "horizonSeconds": 600}
    world.loads.values = np.full(17_280, 100, np.float32) + np.tile([0, 2], 8_640).astype(np.float32)
    assert re.search(r"p90 load \d+/s at 22:1\d:\d\d \(", await explained(world))


@pytest.mark.parametrize(
    ("load", "pods", "want"),
    [(583.21, 12, 583.0), (600.0004, 13, 600.0004), (600.4, 13, 600.4), (0.0, 0, 0.0), (599.999, 12, 600.0)],
)
def test_as_many_digits_as_it_takes_to_add_up(load: float, pods: int, want: float) -> None:
    assert round_to_pods(load, 50.0, pods) == want
