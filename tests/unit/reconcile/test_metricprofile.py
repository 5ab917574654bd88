"""MetricProfile from gather to apply, with fake ports and the real forecaster."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from presage.core.faults import WriteRefused
from presage.core.outcome import Ok, Retry
from presage.core.query import Matcher
from presage.core.scaling.lead_time import Starts
from presage.core.source_reading import TickSample
from presage.reconcile.metricprofile import DEFINITION
from presage.reconcile.metricprofile.account_status import ACCOUNT_GAUGES
from presage.reconcile.metricprofile.forecast_status import FORECAST_GAUGES
from presage.reconcile.metricprofile.inputs import ProfilePlan
from presage.reconcile.metricprofile.recording.reporting import RECORDING_GAUGES
from presage.reconcile.metricprofile.status import GAUGES
from presage.resources.metricprofile import MetricProfile
from tests.unit.reconcile.fakes import NOW, PODS, make_world
from tests.unit.reconcile.looking import (
    conditions,
    daily,
    go_silent,
    grow_old,
    look,
    revoke,
    stop,
)


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
    unknown = {
        *ACCOUNT_GAUGES,
        *RECORDING_GAUGES,
        "per_pod_proposed",
        *(series for series in GAUGES if "bytes" in series),
    }
    assert gauges.keys() == GAUGES.keys() - unknown, "nothing was accounted or learned yet, and no bytes are measured"
    assert gauges["max_replicas"] == scaling["maxReplicas"]
    assert 1 <= gauges["min_replicas"] <= gauges["max_replicas"]
    assert gauges["forecast_quantile"] == 0.9
    assert gauges["forecast_coverage"].keys() == {"0.5", "0.9"}  # type: ignore[union-attr]
    assert gauges["forecast_loss"].keys() == {"900", "3600"}  # type: ignore[union-attr]


async def test_gauges_of_what_is_unknown_are_left_out() -> None:
    world = make_world()
    stop(world)
    assert not (await look(world)).gauges.keys() & {"observed_load", *FORECAST_GAUGES}


async def test_a_load_nobody_foresaw_is_followed() -> None:
    world = make_world()
    world.loads.sample = TickSample(600.0, NOW, PODS)
    decision = await look(world)
    assert decision.plan == ProfilePlan("shop", 2, 14, "Reactive")


async def test_what_is_measured_anew_is_learned_anew() -> None:
    """Bytes become requests while the source is away: the old forecast must not drive the new capacity."""
    world = make_world()
    world.loads.values = np.full(2016, 5e6, np.float32)
    memory = (await look(world)).memory
    assert memory.measures["load"].forecast is not None
    spec = world.objects.bodies[("MetricProfile", "team", "shop")]["spec"]
    spec["eventTypes"][0]["load"]["counter"]["metric"] = "requests_total"
    stop(world)
    decision = await look(world, memory)
    assert decision.plan is None
    after = decision.memory.measures["load"]
    assert after.forecast is None
    assert after.reporting_share == 0


async def test_another_target_starts_without_memory() -> None:
    world = make_world(replicas=10, scaling={"stabilizationWindowSeconds": 60})
    memory = (await look(world)).memory
    world.clock.time = NOW + 61
    world.objects.bodies[("MetricProfile", "team", "shop")]["spec"]["target"]["name"] = "other"
    world.watched.objects["deployments"].append(
        {"metadata": {"namespace": "team", "name": "other"}, "replicas": 10, "cores": {}}
    )
    decision = await look(world, memory)
    assert decision.plan is None
    assert decision.memory.starts == Starts(met=frozenset())


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
    stop(world)
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


async def test_event_types_add_up_by_weight() -> None:
    world = make_world()
    spec = world.objects.bodies[("MetricProfile", "team", "shop")]["spec"]
    spec["eventTypes"].append({"name": "quote", "weight": "3", "load": {"gauge": {"metric": "quotes"}}})
    world.loads.sample = TickSample(100.0, NOW, PODS)
    decision = await look(world)
    assert decision.plan == ProfilePlan("shop", 2, 9, "Reactive")


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
    applied = await DEFINITION.apply(profile, ProfilePlan("shop", 2, 5, "Forecast"), world.ports())
    assert isinstance(applied.outcome, outcome)
    assert [c.reason for c in applied.conditions] == ([condition] if condition else [])
    assert world.scaler.written == ([] if refusal else [("shop", 5)])


async def test_every_reason_is_documented() -> None:
    documented = {(r.condition, r.name) for r in DEFINITION.reasons}
    world = make_world()
    for change in (lambda _: None, stop, go_silent, grow_old, revoke):
        change(world)
        decision = await look(world)
        assert {(c.type, c.reason) for c in decision.conditions} <= documented
