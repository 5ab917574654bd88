"""What decisions cost: CPU of one tick of 1,000 objects with stored coefficients, and of replaying a day for the gate.

Objects are made of a spec as users write it, with the operator's defaults, and of histories that are made up: 21 days
at 5 minutes. A tick decides on every object, as the operator does with what it gathered; every twentieth brings a new
slot, for which all forecasts are moved on in one call. A day is replayed by the job that the operator gives to its
workers: ticks of a minute, all rules at once.

    python -m e2e.bench.scaling_cost --objects 1000
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from e2e.bench.command import ROOT, positive
from e2e.bench.judged import Bounds, Judged
from e2e.bench.made_up import DAYS, HORIZON_S, STEP_S, make_load
from e2e.bench.processes import BenchError
from presage.core.forecast.api import FloatArray, Forecast, Series, advance, forecast_many
from presage.core.profile import ProfileSpec
from presage.core.scaling.decision import ScalingMemory, decide_replicas, remember_outcome
from presage.core.scaling.demand import build_demand
from presage.core.scaling.foresight import ForecastMemory
from presage.core.scaling.gate import GateMemory, make_setting, plan_job, take_replay
from presage.core.scaling.ladder import Reading
from presage.core.scaling.lead_time import PodStart
from presage.core.scaling.outlook import draw_outlook, levels_for
from presage.core.scaling.pilot import Answered
from presage.core.scaling.replay import Past
from presage.core.scaling.trust import Evidence, judge_forecast
from presage.reconcile.metricprofile.decide import decide
from presage.reconcile.metricprofile.inputs import MeasureInput, MeasureMemory, ProfileInput, ProfileMemory, TargetState
from presage.resources.metricprofile import MetricProfileSpec

TICK_S = 15.0
TICKS = int(STEP_S // TICK_S)
PODS, LEAD_S = 10, 75.0
REPLAYED = 4  # objects whose last day is replayed
MOST_TICK_MS, MOST_REPLAY_MS = 0.2, 50.0


@dataclass(frozen=True)
class DecisionCosts:
    """CPU milliseconds an object.

    Attributes:
        objects: How many were decided on in turn.
        decision_ms: Of the decision in a tick, from the rule in force to replicas, on average.
        slot_ms: Of moving the forecast on by one slot, as a share of each of the slot's ticks.
        operator_ms: Of all that the operator decides in a tick: conditions, status and metrics, too.
        replay_ms: Of one replayed day, all rules at once.
    """

    objects: int
    decision_ms: float
    slot_ms: float
    operator_ms: float
    replay_ms: float


def judge_costs(found: DecisionCosts) -> list[Judged]:
    """Return the rows of the table."""
    many = f"{found.objects} objects, stored coefficients"
    return [
        Judged(
            "CPU of an object's tick", found.decision_ms + found.slot_ms, Bounds(most=MOST_TICK_MS), unit="ms",
            note=f"{many}: {found.decision_ms:.3f} ms decision, {found.slot_ms:.3f} ms its share of a new slot",
        ),
        Judged(
            "the same with conditions, status and metrics", found.operator_ms + found.slot_ms, unit="ms",
            note=f"{many}: all that the operator decides before it writes",
        ),
        Judged(
            "CPU of gate and objective, a replayed day", found.replay_ms, Bounds(most=MOST_REPLAY_MS), form=".1f",
            unit="ms", note="ticks of a minute, all rules in one call; a day is replayed once",
        ),
    ]  # fmt: skip


def measure(objects: int) -> DecisionCosts:
    """Measure in a process of its own.

    Raises:
        BenchError: It failed.
    """
    argv = [sys.executable, "-m", "e2e.bench.scaling_cost", f"--objects={objects}"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"the cost of decisions could not be measured:\n{done.stderr}")
    return DecisionCosts(**json.loads(done.stdout))


def _spec() -> ProfileSpec:
    manifest = {
        "target": {"name": "shop"},
        "sourceRef": {"name": "main"},
        "eventTypes": [{"name": "order", "load": {"counter": {"metric": "http_requests_total"}}}],
        "forecast": {"stepSeconds": STEP_S, "horizonSeconds": HORIZON_S},
        "scaling": {"minReplicas": 2, "maxReplicas": 200, "perPod": "10"},
    }
    return MetricProfileSpec.model_validate(manifest).to_core()


class _World:
    """All objects, their forecasts and what each decision left behind."""

    def __init__(self, objects: int) -> None:
        random = np.random.default_rng(20)
        self.spec = _spec()
        slots = DAYS * 86_400 // STEP_S
        self._loads = [make_load(random, slots + 1).astype(np.float64) for _ in range(objects)]
        self.now = float(slots * STEP_S)
        self._slot = slots - 1
        levels = levels_for(self.spec.forecast.quantile)
        self._forecasts = forecast_many(self._histories(), HORIZON_S // STEP_S, levels)
        self.known = self._remember()
        self.gates = [GateMemory() for _ in self._loads]
        measures = {measure.name: MeasureMemory() for measure in self.spec.measures}
        self._memories = [ProfileMemory(target="shop", measures=measures) for _ in self._loads]
        self._replicas = [PODS for _ in self._loads]

    def _histories(self) -> list[Series]:
        return [Series(load[: self._slot + 1], 0.0, STEP_S) for load in self._loads]

    def _remember(self) -> list[ForecastMemory]:
        level, pairs = self.spec.forecast.quantile, zip(self._forecasts, self._histories(), strict=True)
        return [self._memory(forecast, series, level) for forecast, series in pairs]

    def _memory(self, forecast: Forecast, series: Series, level: float | None) -> ForecastMemory:
        outlook = draw_outlook(forecast, series, level)
        return ForecastMemory(forecast, outlook, self._slot, "full", self._slot, whole_season=True)

    def advance(self) -> None:
        """Move every forecast on by the newest slot."""
        newest = [load[-1:] for load in self._loads]
        states = [forecast.state for forecast in self._forecasts]
        self._forecasts = advance(states, newest, HORIZON_S // STEP_S, levels_for(self.spec.forecast.quantile))
        self._slot += 1
        self.known = self._remember()

    def replay(self, count: int) -> None:
        """Replay the last day of so many objects; what follows from it holds for the others, too."""
        policy = replace(self.spec.scaling, per_pod=self.spec.measures[0].per_pod)
        setting = make_setting(policy, self.spec.forecast, LEAD_S)
        found = []
        for series in self._histories()[:count]:
            end = series.start + len(series.values) * series.step
            span = (end - setting.day_s, end)
            past = Past(
                series, self._minutes(series, setting.tick_s, span), span[0], setting.tick_s, len(series.values)
            )
            days = plan_job(past, span, setting).run()
            found.append(take_replay(GateMemory(asked=(Answered(days), setting)), self.spec.scaling.unmet_load))
        self.gates = [found[number % count] for number in range(len(self._loads))]

    @staticmethod
    def _minutes(series: Series, tick_s: float, span: tuple[float, float]) -> FloatArray:
        """Return the load of a span by the replay's ticks."""
        held = np.repeat(np.asarray(series.values, np.float64), int(series.step // tick_s))
        return held[round((span[0] - series.start) / tick_s) : round((span[1] - series.start) / tick_s)]

    def load(self, number: int) -> float:
        """Return the load that an object has now."""
        return float(np.nan_to_num(self._loads[number][-1]))

    def gather(self) -> list[ProfileInput]:
        """Return what the operator would have gathered for each object."""
        return [self._gather(number) for number in range(len(self._loads))]

    def _gather(self, number: int) -> ProfileInput:
        names = tuple((f"shop-{n}", f"10.0.0.{n}") for n in range(PODS))
        pods = tuple(PodStart(f"uid-{n}", 30.0 + n) for n in range(PODS))
        return ProfileInput(
            spec=self.spec, generation=1, paused=False, now=self.now,
            target=TargetState(self._replicas[number], PODS, names, pods), owners=(), contenders=(),
            source_problem=None, measures=(self._measure(number, names),), memory=self._memories[number],
        )  # fmt: skip

    def _measure(self, number: int, names: Sequence[tuple[str, str]]) -> MeasureInput:
        (measure,) = self.spec.measures
        scraped, seen_at = frozenset(name for name, _ in names), self.now - 5
        memory = self._memories[number].measures[measure.name]
        reading = Reading(self.load(number), seen_at, scraped, latest_at=seen_at)
        return MeasureInput(measure, reading, self.known[number], self.gates[number], "", memory)

    def decide(self, inputs: Sequence[ProfileInput]) -> None:
        """Decide on every object; its memory and replicas are those of the next tick."""
        for number, given in enumerate(inputs):
            decision = decide(given)
            self._memories[number] = decision.memory
            if decision.plan is not None:
                self._replicas[number] = decision.plan.replicas


class _Deciders:
    """The decision alone: the same objects, from the rule in force to replicas."""

    def __init__(self, world: _World) -> None:
        self._world = world
        self._memories = [ScalingMemory() for _ in world.known]
        self._replicas = [PODS for _ in world.known]

    def decide(self, observed: Sequence[float]) -> None:
        """Decide on every object."""
        spec, now = self._world.spec, self._world.now
        policy, ask = replace(spec.scaling, per_pod=spec.measures[0].per_pod), spec.forecast
        for number, (known, gate) in enumerate(zip(self._world.known, self._world.gates, strict=True)):
            evidence = Evidence(known.forecast, covers_now=known.outlook.covers(now), choice=gate.choice)
            trust = judge_forecast(evidence, policy, ask)
            demand, _ = build_demand(
                policy, trust, known.outlook, observed[number], now=now, lead_s=LEAD_S, step_s=ask.step_s, live=True
            )
            before = self._replicas[number]
            decision = decide_replicas(policy, before, demand, self._memories[number], now)
            self._replicas[number] = decision.replicas
            self._memories[number] = remember_outcome(decision.memory, before, decision.replicas, now)


def measure_inside(objects: int) -> DecisionCosts:
    """Measure in this process."""
    world, replayed = _World(objects), min(REPLAYED, objects)
    world.replay(1)  # what is made once only
    replay = _cpu_of(lambda: world.replay(replayed))
    alone, loads = _Deciders(world), [world.load(number) for number in range(objects)]
    alone.decide(loads)
    world.decide(world.gather())  # the first decision has no memory to look through
    world.now += TICK_S
    slot, decision, operator = _cpu_of(world.advance), 0.0, 0.0
    for _ in range(TICKS):
        decision += _cpu_of(lambda: alone.decide(loads))
        inputs = world.gather()
        operator += _cpu_of(lambda given=inputs: world.decide(given))  # type: ignore[misc]
        world.now += TICK_S
    each = 1e3 / objects / TICKS
    return DecisionCosts(objects, decision * each, slot * each, operator * each, 1e3 * replay / replayed)


def _cpu_of(work: Callable[[], None]) -> float:
    """Return CPU seconds."""
    began = time.process_time()
    work()
    return time.process_time() - began


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m e2e.bench.scaling_cost", description=__doc__.splitlines()[0])
    parser.add_argument("--objects", type=positive, default=1000, help="how many (default 1000)")
    print(json.dumps(asdict(measure_inside(parser.parse_args(argv).objects))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
