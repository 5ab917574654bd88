"""Capacity in a MetricProfile: what it is learned from, when anew, and who is told. It never moves a replica."""

from __future__ import annotations

import math
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from presage.core.faults import SourceFault
from presage.core.query import CounterLoad, GaugeLoad, InstanceCount, Matcher
from presage.core.scaling.capacity import Capacity, Finding
from presage.core.source_reading import TickSample
from presage.reconcile.kind import Note
from presage.reconcile.metricprofile import DEFINITION
from presage.reconcile.metricprofile.inputs import Basis, CapacityMemory, MeasureMemory, ProfileMemory
from presage.reconcile.metricprofile.learning import judge_capacity, recall_announcement
from presage.reconcile.metricprofile.watching import trim_deployment
from presage.runtime.status import strip
from tests.unit.reconcile.fakes import NOW, PODS, World, make_world
from tests.unit.reconcile.looking import look, stop

CPU = CounterLoad("cpu_seconds_total", (), 60.0)
CPU_PODS = InstanceCount("cpu_seconds_total", ())
SUM, COUNT = (CounterLoad(f"request_seconds_{part}", (), 60.0) for part in ("sum", "count"))
LATENCY_PODS = InstanceCount("request_seconds_count", ())
READY = GaugeLoad("ready", ())
CPU_SPEC = {"cpu": {"metric": CPU.metric, "coresPerPod": "500m"}}  # 70 % of it: 0.35 cores
LATENCY_SPEC = {"latency": {"metric": "request_seconds", "highestSeconds": "0.1"}}
SLOTS = 2016
DOCS = Path(__file__).parents[3] / "docs"


def learning(spec: dict[str, Any], **scaling: Any) -> World:
    """Two pods; 0.02 cores without load and 0.005 for each unit of it, 50 ms of latency that doubles at 40."""
    rng = np.random.default_rng(1)
    world = make_world(scaling={"learnPerPod": deepcopy(spec), **scaling})
    each = (5 + 45 * (1 - np.cos(2 * np.pi * np.arange(SLOTS) / 288)) / 2) * rng.lognormal(0, 0.05, SLOTS)
    latency = 0.05 + 0.05 * each / 40
    series = {
        CPU: 2 * (0.02 + 0.005 * each),
        CPU_PODS: np.full(SLOTS, 2),
        COUNT: 2 * each,
        SUM: 2 * each * latency,
        LATENCY_PODS: np.full(SLOTS, 2),
        READY: np.full(SLOTS, 2),
    }
    world.loads.by_load = {load: values.astype(np.float32) for load, values in series.items()}
    world.loads.values = (2 * each).astype(np.float32)
    return world


async def propose(world: World, memory: ProfileMemory | None = None) -> dict[str, Any]:
    status: Any = (await look(world, memory)).status
    return dict(status["scaling"]["perPod"].get("proposed") or {})


@pytest.mark.parametrize(
    ("spec", "source", "want"),
    [
        pytest.param(CPU_SPEC, "Cpu", 66.0, id="CPU"),
        pytest.param(CPU_SPEC | {"readyPods": {"metric": "ready"}}, "Cpu", 66.0, id="CPU, pods by a gauge"),
        pytest.param(LATENCY_SPEC, "Latency", 40.0, id="latency"),
    ],
)
async def test_what_is_learned_is_proposed(spec: dict[str, Any], source: str, want: float) -> None:
    world = learning(spec)
    decision = await look(world)
    scaling: Any = decision.status["scaling"]
    proposed = scaling["perPod"]["proposed"]
    assert float(proposed["value"]) == pytest.approx(want, rel=0.03)
    assert (proposed["source"], proposed["reason"], proposed["atLeast"]) == (source, "Learned", False)
    assert proposed["samples"] == SLOTS - 1
    assert proposed["errorPercent"] <= 5
    assert decision.gauges["per_pod_proposed"] == float(proposed["value"])
    assert scaling["perPod"]["value"] == "50", "it is proposed only"
    plain = await look(make_same(world, {}))
    assert (decision.plan, decision.conditions) == (plain.plan, plain.conditions)


async def test_windows_of_different_length_are_no_lag() -> None:
    """CPU over an hour beside the load over five minutes; in an hour it changes by half."""
    world = learning({"cpu": CPU_SPEC["cpu"] | {"windowSeconds": 3600}})
    cpu = world.loads.by_load[CPU]
    hourly = np.convolve(cpu, np.full(12, 1 / 12))[: len(cpu)]
    hourly[:11] = np.nan
    world.loads.by_load[replace(CPU, window_s=3600.0)] = hourly.astype(np.float32)
    proposed = await propose(world)
    assert float(proposed["value"]) == pytest.approx(66, rel=0.02)
    assert proposed["samples"] == SLOTS - 12


def make_same(world: World, spec: dict[str, Any]) -> World:
    """Return the same world without learning, or with other settings of it."""
    other = learning(spec or CPU_SPEC)
    other.loads = world.loads
    if not spec:
        del other.objects.bodies[("MetricProfile", "team", "shop")]["spec"]["scaling"]["learnPerPod"]
    return other


async def test_without_the_wish_nothing_is_asked_or_shown() -> None:
    world = make_same(learning(CPU_SPEC), {})
    assert await propose(world) == {}
    assert {asker.load.metric for asker in world.loads.asked} == {"http_requests_total"}


async def test_the_tenant_label_is_forced_on_what_is_learned_from() -> None:
    world = learning(CPU_SPEC)
    world.objects.bodies[("MetricSource", "", "main")]["spec"]["tenantLabel"] = {"name": "namespace"}
    await propose(world)
    asked = [asker for asker in world.loads.asked if asker.load.metric == CPU.metric]
    assert len(asked) == 3, "the instances now, their number and their CPU"
    assert {asker.tenant for asker in asked} == {Matcher("namespace", "=", "team")}


async def test_it_is_learned_anew_every_ten_minutes_and_at_once_when_the_wish_changes() -> None:
    world = learning(CPU_SPEC)
    memory, asked = None, []
    for _ in range(160):  # 40 min
        world.loads.sample = replace(world.loads.sample, newest_at=world.clock.time)
        before = len(world.loads.asked)
        memory = (await look(world, memory)).memory
        asked.append(any(asker.load == CPU_PODS for asker in world.loads.asked[before:]))
        world.clock.time += 15
    assert asked[0]
    assert sum(asked[1:]) == 4
    due = np.flatnonzero(asked[1:])
    assert set(np.diff(due)) == {40}
    body = world.objects.bodies[("MetricProfile", "team", "shop")]
    body["spec"]["scaling"]["learnPerPod"]["cpu"]["targetPercent"] = 35
    assert float((await propose(world, memory))["value"]) == pytest.approx(31, rel=0.03)


def few(world: World) -> None:
    world.loads.by_load[CPU_PODS][:-50] = np.nan


def ingress(world: World) -> None:
    world.loads.by_metric[CPU.metric] = TickSample(1.0, NOW, frozenset({"ingress-0", "10.0.0.9"}))


def others_too(world: World) -> None:
    world.loads.by_load[CPU_PODS][:] = 9


def gone(world: World) -> None:
    world.loads.by_metric[CPU.metric] = TickSample(None, None, frozenset())


def gauge(world: World) -> None:
    world.loads.by_metric[CPU.metric] = TickSample(None, NOW, PODS, "NotACounter")


def unasked(world: World) -> None:
    del world.objects.bodies[("MetricProfile", "team", "shop")]["spec"]["scaling"]["learnPerPod"]["cpu"]["coresPerPod"]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        pytest.param(few, "FewSamples", id="few slots"),
        pytest.param(ingress, "PodsNotMatched", id="measured elsewhere"),
        pytest.param(others_too, "PodsNotMatched", id="other pods too"),
        pytest.param(gone, "NotUsable", id="no series"),
        pytest.param(gauge, "NotUsable", id="a gauge"),
        pytest.param(unasked, "NoCores", id="no CPU requested"),
    ],
)
async def test_why_nothing_is_proposed(spoil: Callable[[World], None], reason: str) -> None:
    world = learning(CPU_SPEC)
    spoil(world)
    decision = await look(world)
    proposed: Any = decision.status["scaling"]["perPod"]["proposed"]  # type: ignore[index]  # status is plain JSON
    assert proposed["reason"] == reason
    assert "value" not in proposed
    assert proposed["message"]
    assert "per_pod_proposed" not in decision.gauges


async def test_measured_elsewhere_pods_are_told_by_a_gauge() -> None:
    world = learning(CPU_SPEC | {"readyPods": {"metric": "ready"}})
    ingress(world)
    assert (await propose(world))["reason"] == "Learned"
    world.loads.by_load[READY] = np.full(SLOTS, 9, np.float32)
    assert (await propose(world))["reason"] == "PodsNotMatched", "that gauge is of another Deployment"


async def test_a_source_that_fails_takes_nothing_back_and_costs_no_decision() -> None:
    world = learning(CPU_SPEC)
    memory = (await look(world)).memory
    world.clock.time += 1200
    world.loads.by_load = {}
    world.loads.sample = replace(world.loads.sample, newest_at=world.clock.time)
    stop(world)
    assert (await propose(world, memory))["reason"] == "Learned"


async def test_a_history_that_fails_from_the_first_is_told() -> None:
    world = learning(CPU_SPEC)

    class Failing(type(world.loads)):  # type: ignore[misc]  # the fake of this world
        async def history(self, source: Any, askers: Any, *rest: Any) -> Any:
            if any(asker.load == CPU for asker in askers):
                raise SourceFault("TooLarge", "MetricSource main: too large.")
            return await super().history(source, askers, *rest)

    world.loads = Failing(**{name: getattr(world.loads, name) for name in ("sample", "values", "by_load")})
    decision = await look(world)
    proposed: Any = decision.status["scaling"]["perPod"]["proposed"]  # type: ignore[index]  # status is plain JSON
    assert (proposed["reason"], proposed["message"]) == ("HistoryUnavailable", "MetricSource main: too large.")
    assert decision.memory.measures["load"].forecast is not None


async def test_a_target_without_pods_keeps_what_was_learned() -> None:
    world = learning(CPU_SPEC)
    memory = (await look(world)).memory
    world.clock.time += 1200
    world.watched.objects["pods"] = []
    assert (await propose(world, memory))["reason"] == "Learned"
    assert await propose(world) == {}, "and begins with nothing"


async def test_status_keeps_quiet_about_it() -> None:
    decision = await look(learning(CPU_SPEC))
    other = await look(make_same(learning(CPU_SPEC), {}))
    quiet = DEFINITION.volatile_status
    assert strip(decision.status, quiet) == strip(other.status, quiet)


CONTAINERS: dict[str, tuple[list[dict[str, Any]], dict[str, Any], float | None]] = {
    "requested": ([{"name": "app", "resources": {"requests": {"cpu": "250m"}}}], {}, 0.25),
    "limited only": ([{"name": "app", "resources": {"limits": {"cpu": "2"}}}], {}, 2.0),
    "requested below the limit": (
        [{"name": "app", "resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "2"}}}],
        {},
        1.0,
    ),
    "all containers": (
        [{"name": c, "resources": {"requests": {"cpu": "250m"}}} for c in ("app", "proxy")],
        {},
        0.5,
    ),
    "one lacks it": ([{"name": "app", "resources": {"requests": {"cpu": "1"}}}, {"name": "proxy"}], {}, None),
    "the one that is measured": (
        [{"name": "app", "resources": {"requests": {"cpu": "1"}}}, {"name": "proxy"}],
        {"matchers": [{"label": "container", "value": "app"}]},
        1.0,
    ),
    "one that is not there": (
        [{"name": "app", "resources": {"requests": {"cpu": "1"}}}],
        {"matchers": [{"label": "container", "value": "other"}]},
        None,
    ),
    "given": ([{"name": "app", "resources": {"requests": {"cpu": "1"}}}], {"coresPerPod": "3"}, 3.0),
    "no amount": ([{"name": "app", "resources": {"requests": {"cpu": "much"}}}], {}, None),
    "none": ([], {}, None),
}


@pytest.mark.parametrize("name", CONTAINERS)
async def test_the_cpu_of_a_pod(name: str) -> None:
    containers, more, want = CONTAINERS[name]
    world = learning({"cpu": {"metric": CPU.metric, **more}})
    body = {
        "metadata": {"namespace": "team", "name": "shop"},
        "spec": {"replicas": 2, "template": {"spec": {"containers": containers}}},
    }
    world.watched.objects["deployments"] = [dict(trim_deployment(body))]
    lesson: Any = (await look(world)).memory.capacity.lesson
    assert lesson.cores == want


@pytest.fixture
async def measure() -> Basis:
    found = (await look(learning(CPU_SPEC))).memory.measures["load"].basis
    assert found is not None
    return found


FAR = Capacity(80.0, "Cpu", 900, "Learned", "", error=0.03)


def tell(
    measure: Basis, found: Capacity | None, hours: int, memory: CapacityMemory | None = None
) -> tuple[CapacityMemory, list[tuple[float, Note]]]:
    """Judge every quarter of an hour; return the memory, and each note with the hour it came."""
    memory, notes = replace(memory or CapacityMemory(), found=found), []
    for quarter in range(4 * hours):
        memory, now_told = judge_capacity(memory, measure, 50.0, "shop", NOW + 900 * quarter)
        notes += [(quarter / 4, note) for note in now_told]
    return memory, notes


def test_an_event_tells_of_a_proposal_that_is_far_off_for_an_hour_once_a_day(measure: Basis) -> None:
    _, notes = tell(measure, FAR, 60)
    assert [hour for hour, _ in notes] == [1, 25, 49]
    assert notes[0][1].reason == "PerPodDiffers"
    assert "about 80" in notes[0][1].message
    assert "perPod says 50" in notes[0][1].message


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(replace(FAR, value=60.0), id="near"),
        pytest.param(replace(FAR, value=None), id="not known"),
        pytest.param(replace(FAR, value=20.0, at_least=True), id="a lower bound below"),
        pytest.param(None, id="nothing learned"),
    ],
)
def test_no_event_without_need(measure: Basis, found: Capacity | None) -> None:
    assert tell(measure, found, 30)[1] == []


def test_a_proposal_that_was_near_meanwhile_is_far_off_anew(measure: Basis) -> None:
    memory, _ = judge_capacity(CapacityMemory(found=FAR), measure, 50.0, "shop", NOW)
    memory, _ = judge_capacity(replace(memory, found=replace(FAR, value=50.0)), measure, 50.0, "shop", NOW + 3000)
    _, notes = judge_capacity(replace(memory, found=FAR), measure, 50.0, "shop", NOW + 4000)
    assert notes == ()


async def test_a_restart_does_not_tell_it_again(measure: Basis) -> None:
    memory, notes = tell(measure, FAR, 2)
    assert len(notes) == 1
    world = learning(CPU_SPEC)
    world.clock.time = NOW + 7200
    status: Any = (await look(world, ProfileMemory("shop", {"load": MeasureMemory(measure)}, capacity=memory))).status
    assert status["scaling"]["perPod"]["proposed"]["announcedTime"] == "2023-11-14T23:13:20Z"
    world.objects.bodies[("MetricProfile", "team", "shop")]["status"] = status
    again = (await look(world)).memory.capacity
    assert again.told_at == memory.told_at == NOW + 3600


@pytest.mark.parametrize(
    "status",
    [
        pytest.param({}, id="none"),
        pytest.param({"scaling": {"perPod": None}}, id="nothing proposed"),
        pytest.param({"scaling": {"perPod": {"proposed": {"announcedTime": "soon"}}}}, id="no time"),
    ],
)
def test_an_announcement_that_is_not_known(status: dict[str, Any]) -> None:
    assert recall_announcement({"status": status}) == -math.inf


def test_every_finding_is_told_of_in_the_documentation() -> None:
    page = (DOCS / "capacity.md").read_text(encoding="utf-8")
    assert [finding for finding in get_args(Finding) if f"| `{finding}` |" not in page] == []
