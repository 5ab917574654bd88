"""The gate in the operator: what replayed days change, and that simulations decide as the operator does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from presage.core.query import Selection
from presage.core.scaling.api import replay_rule
from presage.core.scaling.gate import ReplayJob
from presage.core.scaling.objective import ReplayedDay
from presage.core.scaling.pilot import Answered, DirectForecaster
from presage.core.source_reading import History, LabelValues, Source, TickSample
from presage.reconcile.metricprofile.inputs import ProfileMemory
from tests.unit.reconcile.fakes import NOW, PODS, World, make_world
from tests.unit.reconcile.looking import conditions, look

TICK, STEP, DAY = 15, 300, 86_400
OPEN: dict[str, Any] = {"scaling": {"headroomPercent": None}, "forecast": {"quantile": None, "historySeconds": 864_000}}


def wave(days: int, noise: float) -> NDArray[np.float64]:
    """Return days of a daily wave with noise from slot to slot, per tick."""
    ticks = np.arange(days * DAY // TICK)
    shape = 300 * (1.2 + np.sin(2 * np.pi * ticks * TICK / DAY))
    stray = np.repeat(np.random.default_rng(7).normal(0, noise, len(ticks) // 20 + 1), 20)[: len(ticks)]
    return np.asarray(np.maximum(shape * (1 + stray), 0.0))


@dataclass
class RealLoads:
    """A source that holds the load of every tick up to now."""

    ticks: NDArray[np.float64]
    start: float
    seen: float = 0.0
    now: float = NOW

    async def probe(self, source: Source) -> str:
        return "3.8.1"

    async def observe(self, source: Source, askers: Sequence[Selection], max_age_s: float) -> list[TickSample]:
        return [TickSample(self.seen, self.now, PODS) for _ in askers]

    async def history(
        self, source: Source, askers: Sequence[Selection], step_s: int, history_s: float, now: float
    ) -> list[History]:
        each, end = step_s // TICK, int(now // step_s) * step_s
        first = max(self.start, end - history_s // step_s * step_s)
        part = self.ticks[round((first - self.start) / TICK) : round((end - self.start) / TICK)]
        return [History(part.reshape(-1, each).mean(axis=1).astype(np.float32), first) for _ in askers]

    async def find_values(self, source: Source, asker: Selection, label: str, most: int) -> LabelValues:
        return LabelValues({})


class DirectPool(DirectForecaster):
    """Forecasts and replays at once."""

    def replay(self, job: ReplayJob) -> Answered[tuple[ReplayedDay, ...]]:
        return Answered(job.run())


async def play(world: World, loads: RealLoads, load: NDArray[np.float64], begin: int) -> list[int]:
    """Let the operator decide at each tick of a load from `begin` on; return its replicas."""
    memory: ProfileMemory | None = None
    replicas = []
    for tick in range(len(load) - begin):
        window = load[max(begin, begin + tick - 4) : begin + tick]
        loads.seen = float(window.mean()) if tick else float(load[begin - 1])
        loads.now = world.clock.time = loads.start + (begin + tick) * TICK
        decision = await look(world, memory)
        memory = decision.memory
        target = world.watched.objects["deployments"][0]
        current = decision.plan.replicas if decision.plan else target["replicas"]
        world.watched.objects["deployments"][0] = {**target, "replicas": current}
        replicas.append(current)
    return replicas


async def test_a_simulation_decides_as_the_operator_does_tick_by_tick() -> None:
    load, start = wave(8, 0.05), 1_699_920_000.0
    begin = 7 * DAY // TICK + 1000
    load = load[: begin + 400]
    scaling = {**OPEN["scaling"], "leadTimeSeconds": 120, "maxReplicas": 200, "perPod": "25"}
    world = make_world(replicas=12, scaling=scaling, forecast={"quantile": None, "historySeconds": 21 * DAY})
    del world.objects.bodies[("MetricProfile", "team", "shop")]["spec"]["forecast"]["seasonsSeconds"]
    world.objects.bodies[("MetricProfile", "team", "shop")]["metadata"]["uid"] = ""
    loads = RealLoads(load, start)
    world.loads, world.forecaster = loads, DirectPool()  # type: ignore[assignment]  # as good as the fakes
    decided = await play(world, loads, load, begin)

    rule, current, simulated = replay_rule(load[:begin], TICK, 25.0, 120.0, 0.005), 12, []
    for tick in range(400):
        window = load[max(begin, begin + tick - 4) : begin + tick]
        current = rule(float(window.mean()) if tick else float(load[begin - 1]), current, current)
        simulated.append(current)
    assert decided == simulated
    assert len(set(decided)) > 3, "there was something to decide"


async def test_what_days_say_is_shown_and_gone_by_after_a_restart() -> None:
    world = make_world(scaling=OPEN["scaling"], forecast={**OPEN["forecast"], "seasonsSeconds": [DAY]})
    loads = RealLoads(wave(10, 0.05), NOW // DAY * DAY - 9 * DAY, seen=300.0)
    world.loads = loads  # type: ignore[assignment]  # as good as the fake
    first = await look(world)
    assert "objective" not in first.status["scaling"]  # type: ignore[operator]  # status is plain JSON
    world.forecaster.replays[0].succeed()
    second = await look(world, first.memory)
    told: Any = second.status["scaling"]["objective"]  # type: ignore[index]  # as above
    assert (told["days"], told["unmetLoad"], told["reached"]) == (7, 0.005, True)
    assert told["replayed"]["replicaHours"] <= told["reactive"]["replicaHours"] * 1.1
    accounts: Any = second.status["accounts"]
    assert accounts["week"]["hours"] == 168.0
    assert len(world.forecaster.replays) == 1, "the next day is not over"
    body = world.objects.bodies[("MetricProfile", "team", "shop")]
    status = {**second.status, "observedGeneration": 3}
    world.objects.bodies[("MetricProfile", "team", "shop")] = {**body, "status": status}
    restarted = await look(world)
    assert restarted.memory.measures["load"].gate.choice is not None
    assert str(restarted.memory.measures["load"].gate.choice.rule) == told["rule"]


async def test_noise_is_followed_by_its_own_headroom_and_the_forecast_refused() -> None:
    world = make_world(scaling=OPEN["scaling"], forecast={**OPEN["forecast"], "seasonsSeconds": [DAY]})
    steps = np.random.default_rng(5).normal(0, 0.08, 2880)
    world.loads.values = (200 * np.exp(np.cumsum(steps) - np.sum(steps))).clip(20, 900).astype(np.float32)
    first = await look(world)
    world.forecaster.replays[0].succeed()
    second = await look(world, first.memory)
    verdict = conditions(second)["ForecastTrusted"]
    rule = second.memory.measures["load"].gate.choice
    assert rule is not None
    assert (verdict.status == "True") == (rule.rule.curve.source == "Forecast")
    assert "by replay of 7 days" in verdict.message


@pytest.mark.parametrize("ended", ["fail", "never"])
async def test_a_replay_that_gives_nothing_leaves_the_default_and_is_asked_for_again_at_the_next_slot(
    ended: str,
) -> None:
    world = make_world(scaling=OPEN["scaling"], forecast={**OPEN["forecast"], "seasonsSeconds": [DAY]})
    world.loads.values = wave(10, 0.05).reshape(-1, 20).mean(axis=1).astype(np.float32)
    decision = await look(world)
    if ended == "fail":
        world.forecaster.replays[0].fail()
    world.clock.time += STEP
    world.loads.sample = replace(world.loads.sample, newest_at=world.clock.time)
    decision = await look(world, decision.memory)
    assert decision.memory.measures["load"].gate.choice is None
    assert len(world.forecaster.replays) == (2 if ended == "fail" else 1)
