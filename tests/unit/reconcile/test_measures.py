"""A MetricProfile with a data volume besides its load: the larger need binds, and the worse data counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from presage.core.faults import SourceFault
from presage.core.query import CounterLoad
from presage.core.source_reading import TickSample
from presage.reconcile.kind import Decision
from presage.reconcile.metricprofile.account_status import ACCOUNT_GAUGES
from presage.reconcile.metricprofile.inputs import ProfileMemory, ProfilePlan
from presage.reconcile.metricprofile.recording.reporting import RECORDING_GAUGES
from presage.reconcile.metricprofile.status import GAUGES
from presage.resources.forecastspec import ForecastStatus
from presage.resources.scalingpolicy import ScalingStatus
from tests.unit.reconcile.fakes import NOW, PODS, World, make_world, pod
from tests.unit.reconcile.looking import conditions, daily, look, stop

MIB = float(2**20)
BYTES = "http_request_bytes_total"
VOLUME = CounterLoad(BYTES, (), 60.0)


def make(*, replicas: int = 2, bytes_now: float = 10 * MIB, **scaling: Any) -> World:
    """Return a world with 50 events/s and 10 MiB/s a pod, and 100 events/s, as the history has it."""
    world = make_world(replicas=replicas, scaling={"perPodBytes": "10Mi", **scaling})
    spec = world.objects.bodies[("MetricProfile", "team", "shop")]["spec"]
    spec["eventTypes"][0]["load"]["bytes"] = {"counter": {"metric": BYTES}}
    world.loads.by_metric[BYTES] = TickSample(bytes_now, NOW, PODS)
    world.loads.by_load[VOLUME] = np.full(2016, 10 * MIB, np.float32)
    return world


def scaling_of(decision: Decision[Any, Any]) -> dict[str, Any]:
    scaling: dict[str, Any] = decision.status["scaling"]  # type: ignore[assignment]  # status is plain JSON
    return scaling


async def shrink(world: World) -> Decision[ProfilePlan, ProfileMemory]:
    """Decide once with good data: it must remove replicas."""
    decision = await look(world)
    assert decision.plan is not None
    assert decision.plan.replicas < decision.plan.current
    return decision


@pytest.mark.parametrize(
    ("load", "volume", "replicas", "metric"),
    [
        pytest.param(100.0, 80 * MIB, 9, "bytes", id="bytes ask for more"),
        pytest.param(600.0, 10 * MIB, 14, "load", id="the load asks for more"),
        pytest.param(600.0, 120 * MIB, 14, "load", id="both ask for as much"),
        pytest.param(6000.0, 2000 * MIB, 20, "load", id="both ask for more than there may be"),
    ],
)
async def test_the_larger_need_binds_and_is_named(load: float, volume: float, replicas: int, metric: str) -> None:
    world = make(bytes_now=volume)
    world.loads.sample = TickSample(load, NOW, PODS)
    decision = await look(world)
    binding = "Maximum" if replicas == 20 else "Reactive"
    assert decision.plan == ProfilePlan("shop", 2, replicas, f"{binding}, {metric}")
    assert scaling_of(decision)["bindingMetric"] == metric
    assert scaling_of(decision)["explain"].startswith(f"{replicas} replicas ({binding}, {metric}): {metric}: p90 load ")
    ScalingStatus.model_validate(scaling_of(decision))


async def test_explain_holds_the_arithmetic_of_each_metric() -> None:
    decision = await look(make(bytes_now=80 * MIB))
    said = scaling_of(decision)["explain"]
    assert "over 10485760/s per pod = 1; reactive 9 for 83900000/s + 10 %; load: p90 load" in said
    assert "over 50/s per pod = 2; reactive 3 for 100/s + 10 %; limits 1..20" in said
    metrics = {each["name"]: each for each in scaling_of(decision)["decision"]["metrics"]}
    assert metrics["bytes"]["events"][0]["load"] == 80 * MIB
    assert (metrics["bytes"]["replicas"], metrics["load"]["wanted"]) == (9, 3)
    assert scaling_of(decision)["perPodBytes"] == {"value": "10485760", "source": "Given"}


async def test_replicas_rise_before_the_bytes_do() -> None:
    world = make(bytes_now=0.5 * float(daily(100 * MIB)[-1]), leadTimeSeconds=3600)
    world.loads.by_load[VOLUME] = daily(100 * MIB)
    decision = await look(world)
    assert decision.plan is not None
    assert decision.plan.replicas >= 10
    assert decision.plan.why == "Forecast, bytes"


def lose(world: World) -> None:
    world.loads.by_metric[BYTES] = TickSample(None, None, frozenset())


def age(world: World) -> None:
    world.loads.by_metric[BYTES] = TickSample(10 * MIB, NOW - 61, PODS)


def halve(world: World) -> None:
    world.loads.by_metric[BYTES] = TickSample(5 * MIB, NOW, frozenset({"shop-1"}))


def refuse(world: World) -> None:
    world.loads.faults_by_metric[BYTES] = SourceFault("TooLarge", "MetricSource main: its answer is too large.")


def turn_out_a_gauge(world: World) -> None:
    world.loads.by_metric[BYTES] = TickSample(None, NOW, PODS, "NotACounter")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        pytest.param(lose, "NoMatchingSeries", id="the series is gone"),
        pytest.param(age, "StaleSamples", id="old samples"),
        pytest.param(halve, "TargetsMissing", id="half the pods no longer give it"),
        pytest.param(refuse, "SourceUnavailable", id="the source refuses this query"),
        pytest.param(turn_out_a_gauge, "NotACounter", id="no counter"),
    ],
)
async def test_without_the_bytes_no_replica_is_removed_and_the_condition_names_them(
    fault: Callable[[World], None], reason: str
) -> None:
    world = make(replicas=10, stabilizationWindowSeconds=0)
    before = await shrink(world)
    fault(world)
    decision = await look(world, before.memory)
    assert decision.plan is None
    assert scaling_of(decision)["bindingMetric"] == "bytes"
    available = conditions(decision)["DataAvailable"]
    assert (available.status, available.reason) == ("False", reason)
    assert available.message.startswith("Metric bytes: ")


async def test_while_the_bytes_are_unknown_the_load_still_raises_replicas() -> None:
    world = make()
    memory = (await look(world)).memory
    lose(world)
    world.loads.sample = TickSample(600.0, NOW, PODS)
    assert (await look(world, memory)).plan == ProfilePlan("shop", 2, 14, "Reactive, load")


async def test_what_fails_for_all_metrics_is_said_of_none() -> None:
    world = make()
    stop(world)
    decision = await look(world)
    assert conditions(decision)["DataAvailable"].message.startswith("MetricSource main: ")
    assert conditions(decision)["ForecastTrusted"].message.startswith("There is no forecast yet")


async def test_the_forecast_that_is_trusted_least_is_shown_and_named() -> None:
    world = make()
    world.loads.values = daily(500)
    world.loads.by_load[VOLUME] = daily(10 * MIB)[-12:]
    trusted = conditions(await look(world))["ForecastTrusted"]
    assert (trusted.status, trusted.reason) == ("False", "ShortHistory")
    assert trusted.message.startswith("Metric bytes: ")


async def test_a_history_of_bytes_that_fails_costs_the_load_nothing() -> None:
    world = make(leadTimeSeconds=3600)
    world.loads.values = daily(500)
    world.loads.by_load[VOLUME] = np.full(2016, np.nan, np.float32)
    decision = await look(world)
    assert decision.plan is not None
    assert decision.plan.why == "Forecast, load"
    assert conditions(decision)["ForecastTrusted"].message.startswith("Metric bytes: There is no forecast yet")


async def test_each_metric_has_its_own_forecast_in_status_and_series() -> None:
    world = make()
    noise = np.random.default_rng(1).normal(1, 0.05, 2016).astype(np.float32)
    world.loads.values, world.loads.by_load[VOLUME] = daily(500) * noise, daily(10 * MIB) * noise[::-1]
    decision = await look(world)
    load, volume = decision.status["forecast"], decision.status["forecastBytes"]
    assert load["next"][0]["p50"] < 1000 < volume["next"][0]["p50"]  # type: ignore[index]  # plain JSON
    ForecastStatus.model_validate(volume)
    assert decision.gauges.keys() == GAUGES.keys() - {*ACCOUNT_GAUGES, *RECORDING_GAUGES, "per_pod_proposed"}
    assert decision.gauges["observed_bytes"] == 10 * MIB
    wanted = decision.gauges["wanted_replicas"]
    assert isinstance(wanted, Mapping)
    assert wanted["load"] == scaling_of(decision)["desiredReplicas"]
    assert 1 <= wanted["bytes"] < wanted["load"]


async def test_full_fits_of_two_metrics_are_not_due_together() -> None:
    world, slots, memory = make(), {}, None
    world.loads.values, world.loads.by_load[VOLUME] = daily(500), daily(10 * MIB)
    for slot in range(2 * 12):
        asked = len(world.forecaster.fits)
        memory = (await look(world, memory)).memory
        for fit in world.forecaster.fits[asked:]:
            slots.setdefault("bytes" if fit.series.values.max() > 1000 else "load", []).append(slot)
            fit.fail()
        world.clock.time += 300
        world.loads.sample = replace(world.loads.sample, newest_at=world.clock.time)
        world.loads.by_metric[BYTES] = replace(world.loads.by_metric[BYTES], newest_at=world.clock.time)
        for values in (world.loads.values, world.loads.by_load[VOLUME]):
            values[:] = np.roll(values, -1)
    later = {name: set(at) - {0} for name, at in slots.items()}
    assert all(len(at) == 2 for at in later.values()), "the first at once, then hourly"
    assert not later["load"] & later["bytes"]


async def test_a_metric_that_is_added_takes_nothing_from_the_other() -> None:
    world = make_world(replicas=10, scaling={"stabilizationWindowSeconds": 60})
    memory = (await look(world)).memory
    known = memory.measures["load"].forecast
    assert known is not None
    spec = world.objects.bodies[("MetricProfile", "team", "shop")]["spec"]
    spec["eventTypes"][0]["load"]["bytes"] = {"counter": {"metric": BYTES}}
    spec["scaling"]["perPodBytes"] = "10Mi"
    world.loads.by_metric[BYTES] = TickSample(MIB, NOW, PODS)
    world.clock.time = NOW + 61
    world.loads.sample = replace(world.loads.sample, newest_at=NOW + 61)
    decision = await look(world, memory)
    kept = decision.memory.measures["load"].forecast
    assert kept is not None
    assert kept.forecast is known.forecast
    assert decision.plan is None, "the new one was not seen for a whole stabilization window"


async def test_a_restart_does_not_take_a_part_of_the_bytes_for_the_whole() -> None:
    """The load is measured at an ingress, the bytes at the pods: one share says nothing about the other."""
    world = make(replicas=10, stabilizationWindowSeconds=0)
    world.loads.sample = TickSample(100.0, NOW, frozenset({"10.9.0.1"}))
    status = {**(await shrink(world)).status, "observedGeneration": 3}
    assert (status["scaling"].get("reportingShare"), status["scaling"]["reportingShareBytes"]) == (None, 1.0)  # type: ignore[attr-defined,index]
    world.objects.bodies[("MetricProfile", "team", "shop")]["status"] = status
    halve(world)
    decision = await look(world)
    assert decision.plan is None
    assert conditions(decision)["DataAvailable"].reason == "TargetsMissing"
    world.watched.objects["pods"] = [pod("shop-1")]
    assert conditions(await look(world))["DataAvailable"].reason == "Fresh"


async def test_a_level_shift_of_the_bytes_is_told_as_such() -> None:
    world = make()
    world.loads.values, world.loads.by_load[VOLUME] = daily(500), daily(10 * MIB)
    first = await look(world)
    world.forecaster.shift_at = NOW
    world.clock.time += 300
    world.loads.by_load[VOLUME] = np.roll(world.loads.by_load[VOLUME], -1)
    world.loads.by_load[VOLUME][-1] *= 3
    world.loads.values = np.roll(world.loads.values, -1)
    notes = (await look(world, first.memory)).notes
    assert [note.message.partition(" changed")[0] for note in notes] == ["The data volume of shop"]


async def test_where_only_the_load_is_measured_no_metric_is_named() -> None:
    world = make_world()
    world.loads.sample = TickSample(600.0, NOW, PODS)
    decision = await look(world)
    assert "bindingMetric" not in scaling_of(decision)
    assert scaling_of(decision)["explain"].startswith("14 replicas (Reactive): p90 load ")
    assert decision.gauges["wanted_replicas"] == {"load": 14}
