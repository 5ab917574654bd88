"""MetricProfile on data that is absent, partial, old or wrong: no replica goes, and it is said why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from presage.core.faults import SourceFault
from presage.core.source_reading import TickSample
from presage.reconcile.metricprofile.inputs import ProfilePlan
from tests.unit.reconcile.fakes import NOW, PODS, World, make_world, pod
from tests.unit.reconcile.looking import (
    conditions,
    daily,
    give_a_flaw,
    go_silent,
    grow_old,
    look,
    lose_half,
    revoke,
    run_ahead,
    stop,
)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        pytest.param(stop, "SourceUnavailable", id="source down"),
        pytest.param(go_silent, "NoMatchingSeries", id="empty answer"),
        pytest.param(grow_old, "StaleSamples", id="old samples"),
        pytest.param(run_ahead, "FutureSamples", id="samples from the future"),
        pytest.param(give_a_flaw("Negative"), "BadValue", id="negative"),
        pytest.param(give_a_flaw("NotANumber"), "BadValue", id="not a number"),
        pytest.param(give_a_flaw("TooLarge"), "BadValue", id="too large"),
        pytest.param(give_a_flaw("NotACounter"), "NotACounter", id="a gauge for a counter"),
        pytest.param(lose_half, "TargetsMissing", id="half the pods no longer scraped"),
        pytest.param(revoke, "SourceNotFound", id="source deleted"),
    ],
)
async def test_absent_data_never_removes_a_replica(fault: Callable[[World], None], reason: str) -> None:
    world = make_world(replicas=10, scaling={"stabilizationWindowSeconds": 0})
    world.loads.sample = TickSample(100.0, NOW, PODS)
    before = await look(world)
    assert before.plan is not None, "with good data ten replicas for two pods' load must shrink"
    fault(world)
    decision = await look(world, before.memory)
    assert decision.plan is None
    available = conditions(decision)["DataAvailable"]
    assert (available.status, available.reason) == ("False", reason)
    assert available.message


async def test_nothing_is_learned_from_a_gauge_taken_for_a_counter() -> None:
    world = make_world()
    give_a_flaw("NotACounter")(world)
    decision = await look(world)
    assert decision.memory.measures["load"].forecast is None
    assert conditions(decision)["ForecastTrusted"].reason == "NoForecast"


async def test_a_sample_of_the_future_beside_a_good_one_is_seen() -> None:
    world = make_world()
    spec = world.objects.bodies[("MetricProfile", "team", "shop")]["spec"]
    spec["eventTypes"].append({"name": "quote", "load": {"counter": {"metric": "quotes_total"}}})
    world.loads.by_metric["quotes_total"] = TickSample(1.0, NOW + 3600, PODS)
    assert conditions(await look(world))["DataAvailable"].reason == "FutureSamples"


async def test_a_load_measured_elsewhere_expects_no_pod_to_report() -> None:
    """Two ingress instances in front of two pods must not be taken for them, nor missed when pods become four."""
    world = make_world(replicas=10, pods=2, scaling={"stabilizationWindowSeconds": 0})
    world.loads.sample = TickSample(100.0, NOW, frozenset({"10.9.0.1", "10.9.0.2"}))
    memory = (await look(world)).memory
    world.watched.objects["pods"] = [pod(f"shop-{i}") for i in range(4)]
    assert conditions(await look(world, memory))["DataAvailable"].reason == "Fresh"


@pytest.mark.parametrize(
    ("generation", "reason"),
    [
        pytest.param(3, "TargetsMissing", id="status of this spec"),
        pytest.param(2, "Fresh", id="status of another spec, which may have measured something else"),
    ],
)
async def test_a_restart_does_not_take_a_part_of_the_load_for_the_whole(generation: int, reason: str) -> None:
    world = make_world(replicas=10, scaling={"stabilizationWindowSeconds": 0})
    status = {**(await look(world)).status, "observedGeneration": generation}
    world.objects.bodies[("MetricProfile", "team", "shop")]["status"] = status
    lose_half(world)
    decision = await look(world)
    assert conditions(decision)["DataAvailable"].reason == reason
    assert (decision.plan is None) == (reason == "TargetsMissing")


async def test_a_share_of_pods_survives_a_restart_to_the_pod() -> None:
    """One of three pods reports, as a leader does: it is still expected when the number has gone through status."""
    world = make_world(pods=3)
    world.loads.sample = TickSample(100.0, NOW, frozenset({"shop-1"}))
    status = {**(await look(world)).status, "observedGeneration": 3}
    world.objects.bodies[("MetricProfile", "team", "shop")]["status"] = status
    assert conditions(await look(world))["DataAvailable"].reason == "Fresh"
    world.loads.sample = TickSample(100.0, NOW, frozenset())
    assert conditions(await look(world))["DataAvailable"].reason == "TargetsMissing"


async def test_a_pod_just_ready_is_not_missed() -> None:
    world = make_world(pods=2)
    memory = (await look(world)).memory
    world.watched.objects["pods"].append(pod("shop-9", created=NOW - 20))
    assert conditions(await look(world, memory))["DataAvailable"].reason == "Fresh"


async def test_a_history_that_fails_does_not_cost_the_reactive_part() -> None:
    world = make_world()
    world.loads.sample = TickSample(600.0, NOW, PODS)
    world.loads.history_fault = SourceFault("TooLarge", "MetricSource main: its answer is too large.")
    decision = await look(world)
    assert decision.plan == ProfilePlan("shop", 2, 14, "Reactive")
    assert conditions(decision)["ForecastTrusted"].reason == "HistoryUnavailable"


async def test_a_history_that_fails_later_is_said_and_the_last_forecast_followed_as_long_as_it_reaches() -> None:
    world = make_world()
    world.loads.values = daily(500)
    before = await look(world)
    assert conditions(before)["ForecastTrusted"].reason == "BacktestPassed"
    world.loads.history_fault = SourceFault("QueryFailed", "MetricSource main: it answers HTTP 500.")
    for later, status in ((600, "True"), (7200, "False")):
        world.clock.time = NOW + later
        world.loads.sample = replace(world.loads.sample, newest_at=world.clock.time)
        trusted = conditions(await look(world, before.memory))["ForecastTrusted"]
        assert (trusted.status, trusted.reason) == (status, "HistoryUnavailable")
        assert "HTTP 500" in trusted.message


@pytest.mark.parametrize("fit_long_ago", [False, True])
async def test_one_old_sample_makes_no_season(fit_long_ago: bool) -> None:
    """A week between the oldest sample and the newest, and eight hours of it known: nobody knows the load's rhythm."""
    world = make_world(replicas=10, scaling={"stabilizationWindowSeconds": 0})
    memory = (await look(world)).memory if fit_long_ago else None
    world.loads.values = np.full(2016, np.nan, np.float32)
    world.loads.values[0] = 100
    world.loads.values[-96:] = np.linspace(900, 100, 96)
    world.clock.time += 600
    world.loads.sample = replace(world.loads.sample, newest_at=world.clock.time)
    decision = await look(world, memory)
    assert conditions(decision)["DataAvailable"].reason == "Fresh"
    assert conditions(decision)["ForecastTrusted"].reason == "ShortHistory"
    assert decision.plan is None


async def test_part_of_a_load_is_a_lower_bound() -> None:
    """One event type has series but no rate yet: replicas may rise for the other, and none may go."""
    world = make_world(replicas=10, scaling={"stabilizationWindowSeconds": 0})
    spec = world.objects.bodies[("MetricProfile", "team", "shop")]["spec"]
    spec["eventTypes"].append({"name": "quote", "load": {"counter": {"metric": "quotes_total"}}})
    world.loads.by_metric["quotes_total"] = TickSample(None, NOW, PODS)
    decision = await look(world)
    assert decision.plan is None
    available = conditions(decision)["DataAvailable"]
    assert available.reason == "NoSamples"
    assert "quote" in available.message


async def test_after_a_gap_no_replica_goes_until_the_rate_window_is_filled_again() -> None:
    """Of two samples in a window of a minute a rate is less than the load, and nothing says so."""
    world = make_world(replicas=10, scaling={"stabilizationWindowSeconds": 0, "maxDownPercent": 100})
    go_silent(world)
    decision = await look(world)
    plans = []
    for seconds in (15, 30, 45, 59, 60, 75):
        world.clock.time = NOW + seconds
        world.loads.sample = TickSample(100.0, world.clock.time, PODS)
        decision = await look(world, decision.memory)
        plans.append(decision.plan)
    assert conditions(decision)["DataAvailable"].status == "True"
    assert [plan is None for plan in plans] == [True, True, True, True, False, False]
