"""MetricProfile from gather to apply, with fake ports and the real forecaster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from presage.core.conditions import Condition
from presage.core.faults import SourceFault, WriteRefused
from presage.core.outcome import Ok, Retry
from presage.core.query import Matcher
from presage.core.scaling.lead_time import MAX_SAMPLES
from presage.core.source_reading import Flaw, TickSample
from presage.reconcile.kind import Decision
from presage.reconcile.metricprofile import DEFINITION
from presage.reconcile.metricprofile.inputs import ProfileMemory, ScalePlan
from presage.reconcile.metricprofile.status import GAUGES
from presage.resources.metricprofile import MetricProfile
from tests.unit.reconcile.fakes import NOW, PODS, World, make_world, pod


async def look(world: World, memory: ProfileMemory | None = None) -> Decision[ScalePlan, ProfileMemory]:
    """Gather and decide once."""
    profile = MetricProfile.parse(world.objects.bodies[("MetricProfile", "team", "shop")])
    return DEFINITION.decide(await DEFINITION.gather(profile, memory, world.ports()))


def conditions(decision: Decision[Any, Any]) -> dict[str, Condition]:
    return {condition.type: condition for condition in decision.conditions}


def daily(peak: float) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return seven days of a smooth daily wave at 300 s, ending now, highest an hour from now."""
    slots = np.arange(2016) - 2016
    wave = (1 + np.cos(2 * np.pi * (slots - 12) / 288)) / 2
    return (peak * (0.1 + 0.9 * wave)).astype(np.float32)


async def test_replicas_rise_before_the_load() -> None:
    world = make_world(scaling={"leadTimeSeconds": 3600})
    world.loads.values = daily(500)
    world.loads.sample = TickSample(float(world.loads.values[-1]) * 0.5, NOW, PODS)
    decision = await look(world)
    assert decision.plan is not None
    assert decision.plan.replicas >= 10
    assert decision.plan.why == "Forecast"
    assert conditions(decision)["ForecastTrusted"].status == "True"


async def test_gauges_tell_limits_and_accuracy() -> None:
    world = make_world()
    noise = np.random.default_rng(1).normal(1, 0.05, 2016).astype(np.float32)
    world.loads.values = daily(500) * noise
    gauges = (await look(world)).gauges
    scaling = world.objects.bodies[("MetricProfile", "team", "shop")]["spec"]["scaling"]
    assert gauges.keys() == GAUGES.keys()
    assert gauges["max_replicas"] == scaling["maxReplicas"]
    assert 1 <= gauges["min_replicas"] <= gauges["max_replicas"]
    assert gauges["forecast_quantile"] == 0.9
    assert 0 <= gauges["forecast_coverage"] <= 1
    assert 0 < gauges["forecast_loss"] < gauges["forecast_naive_loss"]


async def test_gauges_of_what_is_unknown_are_left_out() -> None:
    world = make_world()
    _stop(world)
    assert not (await look(world)).gauges.keys() & {"observed_load", "forecast_coverage", "forecast_loss"}


async def test_a_load_nobody_foresaw_is_followed() -> None:
    world = make_world()
    world.loads.sample = TickSample(600.0, NOW, PODS)
    decision = await look(world)
    assert decision.plan == ScalePlan("shop", 2, 14, "Reactive")


def _stop(world: World) -> None:
    world.loads.fault = SourceFault("Unreachable", "MetricSource main: no connection.")


def _go_silent(world: World) -> None:
    world.loads.sample = TickSample(None, None, frozenset())


def _grow_old(world: World) -> None:
    world.loads.sample = replace(world.loads.sample, newest_at=NOW - 61)


def _lose_half(world: World) -> None:
    world.loads.sample = TickSample(50.0, NOW, frozenset({"shop-1"}))


def _give_a_flaw(flaw: Flaw) -> Callable[[World], None]:
    def alter(world: World) -> None:
        world.loads.sample = TickSample(None, NOW, PODS, flaw)

    return alter


def _run_ahead(world: World) -> None:
    world.loads.sample = replace(world.loads.sample, newest_at=NOW + 61)


def _revoke(world: World) -> None:
    del world.objects.bodies[("MetricSource", "", "main")]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        pytest.param(_stop, "SourceUnavailable", id="source down"),
        pytest.param(_go_silent, "NoMatchingSeries", id="empty answer"),
        pytest.param(_grow_old, "StaleSamples", id="old samples"),
        pytest.param(_run_ahead, "FutureSamples", id="samples from the future"),
        pytest.param(_give_a_flaw("Negative"), "BadValue", id="negative"),
        pytest.param(_give_a_flaw("NotANumber"), "BadValue", id="not a number"),
        pytest.param(_give_a_flaw("TooLarge"), "BadValue", id="too large"),
        pytest.param(_give_a_flaw("NotACounter"), "NotACounter", id="a gauge for a counter"),
        pytest.param(_lose_half, "TargetsMissing", id="half the pods no longer scraped"),
        pytest.param(_revoke, "SourceNotFound", id="source deleted"),
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
    _give_a_flaw("NotACounter")(world)
    decision = await look(world)
    assert decision.memory.forecast is None
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
    _lose_half(world)
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
    assert decision.plan == ScalePlan("shop", 2, 14, "Reactive")
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


async def test_what_is_measured_anew_is_learned_anew() -> None:
    """Bytes become requests while the source is away: the old forecast must not drive the new capacity."""
    world = make_world()
    world.loads.values = np.full(2016, 5e6, np.float32)
    memory = (await look(world)).memory
    assert memory.forecast is not None
    spec = world.objects.bodies[("MetricProfile", "team", "shop")]["spec"]
    spec["eventTypes"][0]["load"]["counter"]["metric"] = "requests_total"
    _stop(world)
    decision = await look(world, memory)
    assert decision.plan is None
    assert decision.memory.forecast is None
    assert decision.memory.reporting_share == 0
    assert memory.scaling.surprises.prepared
    assert not decision.memory.scaling.surprises.prepared


async def test_where_the_last_value_leads_its_error_is_kept_in_hand() -> None:
    """A load that wanders foretells nothing; how far it wanders while a pod starts is known all the same."""
    world = make_world(
        replicas=4, pods=4, scaling={"leadTimeSeconds": 600, "headroomPercent": 0}, forecast={"horizonSeconds": 900}
    )
    steps = np.random.default_rng(5).normal(0, 0.06, 2016)
    world.loads.values = (200 * np.exp(np.cumsum(steps) - np.sum(steps))).astype(np.float32)
    world.loads.sample = TickSample(200.0, NOW, world.loads.sample.targets)
    decision = await look(world)
    assert conditions(decision)["ForecastTrusted"].reason == "NaiveIsBetter"
    assert decision.plan is not None
    assert decision.plan.replicas > 4
    assert decision.plan.why == "Reactive"


async def test_another_target_starts_without_memory() -> None:
    world = make_world(replicas=10, scaling={"stabilizationWindowSeconds": 60})
    memory = (await look(world)).memory
    world.clock.time = NOW + 61
    world.objects.bodies[("MetricProfile", "team", "shop")]["spec"]["target"]["name"] = "other"
    world.watched.objects["deployments"].append({"metadata": {"namespace": "team", "name": "other"}, "replicas": 10})
    decision = await look(world, memory)
    assert decision.plan is None
    assert decision.memory.startups == ()


async def test_dry_run_asks_for_the_same_number_at_every_tick() -> None:
    world = make_world(replicas=20, scaling={"mode": "DryRun", "stabilizationWindowSeconds": 0})
    memory, wanted = None, set()
    for _ in range(6):
        world.loads.sample = replace(world.loads.sample, newest_at=world.clock.time)
        decision = await look(world, memory)
        memory = decision.memory
        wanted.add(decision.status["scaling"]["desiredReplicas"])  # type: ignore[index]  # status is plain JSON
        world.clock.time += 15
    assert wanted == {16}


async def test_a_forecast_coasts_while_the_source_is_down_and_ends_in_hold() -> None:
    world = make_world()
    memory = (await look(world)).memory
    _stop(world)
    world.clock.time = NOW + 1800
    assert "followed" in conditions(await look(world, memory))["DataAvailable"].message
    world.clock.time = NOW + 90_000
    held = await look(world, memory)
    assert "stay" in conditions(held)["DataAvailable"].message
    assert held.plan is None


@pytest.mark.parametrize(
    ("autoscaler", "owner"),
    [
        pytest.param({"plural": "horizontalpodautoscalers", "behind": ""}, "HorizontalPodAutoscaler/other", id="hpa"),
        pytest.param({"plural": "horizontalpodautoscalers", "behind": "kd"}, "ScaledObject/kd", id="keda's own hpa"),
        pytest.param({"plural": "scaledobjects", "behind": ""}, "ScaledObject/other", id="scaledobject"),
    ],
)
async def test_a_target_with_an_autoscaler_is_left_alone(autoscaler: dict[str, str], owner: str) -> None:
    world = make_world()
    world.loads.sample = TickSample(600.0, NOW, PODS)
    world.watched.objects[autoscaler["plural"]] = [
        {
            "metadata": {"namespace": "team", "name": "other"},
            "target": {"kind": "Deployment", "name": "shop"},
            "scaled_object": autoscaler["behind"],
        }
    ]
    decision = await look(world)
    active = conditions(decision)["ScalingActive"]
    assert decision.plan is None
    assert (active.status, active.reason) == ("False", "TargetOwned")
    assert owner in active.message
    assert decision.status["scaling"]["owner"] == owner  # type: ignore[index]  # status is plain JSON


async def test_two_profiles_on_one_target_both_stand_back() -> None:
    world = make_world()
    world.loads.sample = TickSample(600.0, NOW, PODS)
    body = world.objects.bodies[("MetricProfile", "team", "shop")]
    twin = {**body, "metadata": {**body["metadata"], "name": "twin", "uid": "q"}}
    world.objects.bodies[("MetricProfile", "team", "twin")] = twin
    decision = await look(world)
    assert decision.plan is None
    assert conditions(decision)["ScalingActive"].reason == "TargetContested"
    assert "twin" in conditions(decision)["ScalingActive"].message


@pytest.mark.parametrize(
    ("scaling", "annotation", "reason"),
    [
        pytest.param({"mode": "Off"}, "", "Off", id="off"),
        pytest.param({"mode": "DryRun"}, "", "DryRun", id="dry run"),
        pytest.param({}, "true", "Paused", id="paused by annotation"),
    ],
)
async def test_what_the_user_asked_to_leave_alone_is_ready_and_unwritten(
    scaling: dict[str, str], annotation: str, reason: str
) -> None:
    world = make_world(scaling=scaling)
    world.loads.sample = TickSample(600.0, NOW, PODS)
    world.objects.bodies[("MetricProfile", "team", "shop")]["metadata"]["annotations"] = {
        "presage.dev/paused": annotation
    }
    decision = await look(world)
    assert decision.plan is None
    assert conditions(decision)["ScalingActive"].reason == reason
    assert DEFINITION.summarize(decision.conditions, 3).status == "True"


async def test_no_target() -> None:
    world = make_world()
    world.watched.objects["deployments"] = []
    decision = await look(world)
    assert conditions(decision)["TargetFound"].reason == "TargetNotFound"
    assert DEFINITION.summarize(decision.conditions, 3).reason == "TargetNotFound"


async def test_lead_time_is_measured_from_the_targets_own_pods() -> None:
    world = make_world(pods=0)
    world.watched.objects["pods"] = [pod(f"shop-{i}", ready_after=seconds) for i, seconds in enumerate((3, 9, 20))]
    lead = (await look(world)).status["scaling"]["leadTimeSeconds"]  # type: ignore[index]  # status is plain JSON
    assert lead == {"value": 35.0, "samples": 3, "source": "Measured"}


async def test_with_more_pods_than_are_remembered_the_newest_starts_count_at_every_decision() -> None:
    world = make_world(pods=0)
    old = [pod(f"old-{i}", created=NOW - 9000 + i, ready_after=300) for i in range(MAX_SAMPLES)]
    new = [pod(f"new-{i}", created=NOW - 900 + i, ready_after=5) for i in range(MAX_SAMPLES)]
    world.watched.objects["pods"] = old + new
    memory, seen = None, []
    for _ in range(3):
        decision = await look(world, memory)
        memory = decision.memory
        seen.append(decision.status["scaling"]["leadTimeSeconds"]["value"])  # type: ignore[index]  # plain JSON
    assert seen == [20.0, 20.0, 20.0]


async def test_event_types_add_up_by_weight() -> None:
    world = make_world()
    spec = world.objects.bodies[("MetricProfile", "team", "shop")]["spec"]
    spec["eventTypes"].append({"name": "quote", "weight": "3", "load": {"gauge": {"metric": "quotes"}}})
    world.loads.sample = TickSample(100.0, NOW, PODS)
    decision = await look(world)
    assert decision.plan == ScalePlan("shop", 2, 9, "Reactive")


async def test_the_tenant_label_is_forced_on_every_query() -> None:
    world = make_world()
    world.objects.bodies[("MetricSource", "", "main")]["spec"]["tenantLabel"] = {"name": "namespace"}
    await look(world)
    assert world.loads.asked
    assert {asker.tenant for asker in world.loads.asked} == {Matcher("namespace", "=", "team")}


@pytest.mark.parametrize(
    ("refusal", "outcome", "condition"),
    [
        pytest.param(None, Ok, None, id="taken"),
        pytest.param(WriteRefused("Forbidden", "no right"), Retry, "Forbidden", id="forbidden"),
        pytest.param(WriteRefused("Refused", "quota"), Retry, "Refused", id="refused"),
        pytest.param(WriteRefused("Conflict", "again"), Retry, None, id="a conflict is no news"),
    ],
)
async def test_apply(refusal: WriteRefused | None, outcome: type, condition: str | None) -> None:
    world = make_world()
    world.scaler.refusal = refusal
    profile = MetricProfile.parse(world.objects.bodies[("MetricProfile", "team", "shop")])
    applied = await DEFINITION.apply(profile, ScalePlan("shop", 2, 5, "Forecast"), world.ports())
    assert isinstance(applied.outcome, outcome)
    assert [c.reason for c in applied.conditions] == ([condition] if condition else [])
    assert world.scaler.written == ([] if refusal else [("shop", 5)])


async def test_every_reason_is_documented() -> None:
    documented = {(r.condition, r.name) for r in DEFINITION.reasons}
    world = make_world()
    for change in (lambda _: None, _stop, _go_silent, _grow_old, _revoke):
        change(world)
        decision = await look(world)
        assert {(c.type, c.reason) for c in decision.conditions} <= documented
