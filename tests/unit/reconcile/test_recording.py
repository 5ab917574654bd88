"""From the choice to the pods: what is written, in which order, and what becomes of it when something fails."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from presage.core.faults import SourceFault
from presage.core.outcome import Ok
from presage.core.recording.document import MAX_GENERATION, render_document
from presage.core.recording.marks import GENERATION_METRIC
from presage.reconcile.metricprofile import DEFINITION
from presage.reconcile.metricprofile.inputs import ProfilePlan
from presage.reconcile.metricprofile.recording import applying, gathering
from presage.reconcile.metricprofile.recording.inputs import RecordingPlan
from presage.resources.metricprofile import MetricProfile
from tests.unit.reconcile.fakes import NOW, make_world
from tests.unit.reconcile.looking import look
from tests.unit.reconcile.recording_world import FORBIDDEN, KEY_OF_PROFILE, NAME, Studio


async def test_a_profile_without_levels_is_as_before() -> None:
    world = make_world()
    decision = await look(world)  # any write of a child would fail this
    assert not {"profiles", "injection"} & decision.status.keys()
    assert {c.type for c in decision.conditions}.isdisjoint({"ProfileApplied", "Injected"})
    assert not [name for name in decision.gauges if name.startswith("recording")]
    assert not [asked for asked in world.loads.asked if asked.load.metric == GENERATION_METRIC]


async def test_the_choice_reaches_every_pod_and_status_tells() -> None:
    studio = Studio(load=20)
    await studio.tick()
    assert studio.recorded_by == "Minimal"
    first = studio.document.generation
    assert first == int(NOW)
    assert {name for name, _ in studio.pods.annotated} == {"shop-0", "shop-1"}
    studio.run_by(first, "shop-0")
    await studio.tick()
    assert studio.condition("ProfileApplied") == ("False", "Updating")
    assert (studio.entry["podsApplied"], studio.entry["podsTotal"], studio.entry.get("applied")) == (1, 2, None)
    studio.follow()
    await studio.tick()
    assert studio.condition("ProfileApplied") == ("True", "Applied")
    assert studio.entry["applied"] == studio.entry["wanted"] == "Minimal"
    studio.load(120)
    studio.restart()  # so that the forecast is of the new load
    await studio.tick(2)
    assert studio.recorded_by == "Standard"
    assert studio.document.generation > first
    entry = studio.entry
    assert (entry["wanted"], entry["applied"], entry["reason"]) == ("Standard", "Minimal", "PredictedLoad")
    assert entry["generation"] == studio.document.generation
    assert studio.told("ProfileChosen")[-1].startswith(
        "What is recorded: order from Minimal to Standard (PredictedLoad, "
    )
    studio.follow()
    await studio.tick()
    assert studio.entry["applied"] == "Standard"
    assert studio.status["recording"] == "Standard"
    assert studio.status["injection"] == {"injected": 2, "total": 2, "mechanism": "Policy"}


async def test_nothing_is_written_where_nothing_changed() -> None:
    studio = Studio(pods=1)
    await studio.tick(2)
    studio.follow()
    await studio.tick(3)
    written, before = list(studio.journal.written), studio.entry
    await studio.tick(20)
    assert [what for what in studio.journal.written[len(written) :] if what != "status"] == []
    assert studio.entry == before


async def test_the_profile_is_stored_before_replicas_rise_and_pods_are_told_last() -> None:
    studio = Studio(load=20)
    await studio.tick()
    studio.follow()
    studio.journal.written.clear()
    studio.load(400)
    studio.restart()
    await studio.tick(2)
    steps = [what for what in studio.journal.written if what in ("document", "scale", "touch")]
    assert steps == ["document", "scale", "touch", "touch"]


@pytest.mark.parametrize("fault", ["refused", "slow"])
async def test_recording_that_fails_never_keeps_replicas_from_rising(
    fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio = Studio(load=400)
    monkeypatch.setattr(applying, "PATIENCE_S", 0.2)
    if fault == "refused":
        studio.config_maps.refusal = FORBIDDEN
    else:
        studio.config_maps.takes_s = 30
    started = time.monotonic()
    await studio.tick(2)
    assert time.monotonic() - started < 2
    assert studio.world.scaler.written, "it was scaled"
    assert studio.condition("ProfileApplied") == ("False", "Forbidden" if fault == "refused" else "Unavailable")
    assert studio.condition("Ready")[0] == "False"
    assert studio.pods.annotated == [], "no pod is told of what is not stored"
    assert isinstance(studio.applied.outcome, Ok) if studio.applied else False
    studio.config_maps.refusal, studio.config_maps.takes_s = None, 0
    await studio.tick(2)
    assert studio.recorded_by == "Debug"


async def test_what_pods_say_is_not_waited_for_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "PATIENCE_S", 0.1)
    studio = Studio(load=400)
    await studio.tick()
    studio.world.loads.hanging.add(GENERATION_METRIC)
    studio.restart()
    await studio.tick()
    assert studio.world.scaler.written
    assert studio.condition("ProfileApplied") == ("Unknown", "RecordingUnknown")
    assert "podsApplied" not in studio.entry


async def test_what_was_heard_holds_for_a_while() -> None:
    studio = Studio()
    await studio.tick()
    studio.follow()
    await studio.tick()
    studio.world.loads.faults_by_metric[GENERATION_METRIC] = SourceFault("Unreachable", "no answer")
    await studio.tick(5)
    assert studio.condition("ProfileApplied") == ("True", "Applied")
    await studio.tick(10)
    assert studio.condition("ProfileApplied") == ("Unknown", "RecordingUnknown")


@pytest.mark.parametrize("moment", ["document", "scale", "touch", "status"])
async def test_killed_at_any_moment_it_ends_the_same(moment: str) -> None:
    ends = []
    for kill in ("", moment):
        studio = Studio(load=20)
        await studio.tick()
        studio.follow()
        await studio.tick()
        studio.load(400)
        studio.restart()
        studio.journal.kill_after = kill
        await studio.live_through(4)
        assert studio.journal.kill_after == "", f"there was a {moment}"
        studio.follow()
        await studio.live_through(2)
        (deployment,) = studio.world.watched.objects["deployments"]
        touched = {p["touched"] for p in studio.world.watched.objects["pods"]}
        assert touched == {str(studio.document.generation)}
        assert studio.journal.written.count("document") == 2, "a restart writes no content twice"
        ends.append(
            (studio.recorded_by, deployment["replicas"], studio.condition("ProfileApplied"), studio.entry["applied"])
        )
    assert ends[0] == ends[1]
    assert ends[0][0] == "Debug"


async def test_a_restart_changes_nothing() -> None:
    studio = Studio(load=120)
    await studio.tick()
    studio.follow()
    await studio.tick(2)
    generation, entry = studio.document.generation, studio.entry
    studio.restart()
    await studio.tick(2)
    assert studio.document.generation == generation
    assert studio.entry == entry
    assert len(studio.told("ProfileChosen")) == 1


@pytest.mark.parametrize("how", ["deleted", "cut", "other profile", "generation"])
async def test_what_another_hand_did_to_the_document_is_put_right(how: str) -> None:
    studio = Studio(load=120)
    await studio.tick()
    studio.follow()
    await studio.tick()
    before = studio.document
    quiet = Studio(load=1)
    await quiet.tick()
    if how == "deleted":
        studio.config_maps.bodies.clear()
        studio.config_maps.show()
    else:
        whole = render_document(before.recording, before.generation)
        other = render_document(quiet.document.recording, before.generation + 50)
        high = render_document(quiet.document.recording, MAX_GENERATION)
        studio.config_maps.edit({"cut": whole[:-20], "other profile": other, "generation": high}[how])
    await studio.tick()
    assert studio.recorded_by == "Standard"
    assert studio.document.generation >= before.generation + {"other profile": 51}.get(how, 0)
    assert studio.document.generation < MAX_GENERATION


async def test_a_copy_that_lags_leads_to_no_second_generation() -> None:
    studio = Studio()
    studio.config_maps.lags = True
    await studio.tick()
    first = studio.document
    await studio.tick(3)
    assert studio.document == first


async def test_paused_nothing_is_written_and_the_choice_is_shown() -> None:
    studio = Studio(load=20)
    await studio.tick()
    studio.follow()
    await studio.tick()
    before = studio.document
    studio.set_spec(paused=True)
    studio.load(400)
    studio.restart()
    studio.config_maps.edit("")
    studio.journal.written.clear()
    await studio.tick(3)
    assert set(studio.journal.written) == {"status"}
    assert (studio.entry["wanted"], studio.entry["generation"]) == ("Debug", before.generation)
    assert studio.condition("ProfileApplied") == ("False", "Paused")
    studio.set_spec(paused=False)
    await studio.tick()
    assert studio.document.generation > before.generation


@pytest.mark.parametrize("mode", ["DryRun", "Off"])
async def test_the_mode_of_scaling_is_about_replicas_alone(mode: str) -> None:
    studio = Studio(load=400)
    spec = studio.world.objects.bodies[KEY_OF_PROFILE]["spec"]
    studio.set_spec(scaling={**spec["scaling"], "mode": mode})
    await studio.tick()
    assert studio.recorded_by == "Debug"
    assert studio.world.scaler.written == []


async def test_without_a_target_the_document_waits_for_it() -> None:
    studio = Studio(load=120, pods=0)
    studio.world.watched.objects["deployments"] = []
    await studio.tick(2)
    assert studio.recorded_by == "Standard"
    assert studio.condition("ProfileApplied") == ("False", "TargetNotFound")


async def test_two_profiles_of_one_target_record_by_the_label() -> None:
    studio = Studio(load=120)
    twin = {**studio.world.objects.bodies[KEY_OF_PROFILE]}
    twin["metadata"] = {**twin["metadata"], "name": "twin", "uid": "q"}
    studio.world.objects.bodies["MetricProfile", "team", "twin"] = twin
    await studio.tick()
    assert studio.recorded_by == "Standard"
    assert studio.condition("ScalingActive") == ("False", "TargetContested")
    (deployment,) = studio.world.watched.objects["deployments"]
    studio.world.watched.objects["deployments"] = [{**deployment, "asks": "twin"}]
    studio.world.watched.objects["pods"] = [
        {**p, "document": "presage-twin"} for p in studio.world.watched.objects["pods"]
    ]
    await studio.tick(2)
    assert studio.condition("ProfileApplied") == ("False", "NotInjected")
    assert "it has twin there" in studio.message("Injected")


async def test_without_a_source_the_choice_holds_for_a_while_and_is_standard_then() -> None:
    studio = Studio(load=400)
    await studio.tick()
    assert studio.recorded_by == "Debug"
    studio.world.loads.fault = SourceFault("Unreachable", "MetricSource main: no connection.")
    await studio.tick(4)
    assert studio.recorded_by == "Debug"
    studio.restart()
    await studio.tick()
    assert studio.recorded_by == "Debug", "status holds it"
    await studio.tick(50)
    assert (studio.recorded_by, studio.entry["reason"]) == ("Standard", "NoForecast")


async def test_without_levels_any_more_the_document_goes() -> None:
    studio = Studio()
    await studio.tick()
    studio.set_spec(eventTypes=[{"name": "order", "load": {"counter": {"metric": "http_requests_total"}}}])
    await studio.tick(2)
    assert "data" not in studio.config_maps.bodies[NAME]
    assert "profiles" not in studio.status
    assert studio.condition("ProfileApplied") == ("", "")
    assert studio.journal.written.count("end") == 1
    studio.set_spec(
        eventTypes=[{**studio.world.objects.bodies[KEY_OF_PROFILE]["spec"]["eventTypes"][0], "critical": True}]
    )
    await studio.tick()
    assert studio.recorded_by == "Debug"


async def test_event_types_that_are_found_are_recorded_by_their_load() -> None:
    studio = Studio(load=20)
    spec = studio.world.objects.bodies[KEY_OF_PROFILE]["spec"]
    (given,) = spec["eventTypes"]
    found = {"label": "route", "max": 4, "levels": given["levels"], "load": given["load"]}
    studio.set_spec(eventTypes=None, eventTypesFrom=found)
    studio.world.loads.label_values = {"cart": 5.0, "pay": 300.0}
    await studio.tick(4)
    assert {e["eventType"] for e in studio.status["profiles"]} == {"cart", "pay"}
    assert set(studio.document.recording.event_types) == {"cart", "pay"}
    (told,) = studio.told("ProfileChosen")
    assert "cart " in told
    assert "pay " in told


async def test_a_plan_for_recording_alone_leaves_replicas_alone() -> None:
    studio = Studio()
    profile = MetricProfile.parse(studio.world.objects.bodies[KEY_OF_PROFILE])
    plan = ProfilePlan("shop", 2, 2, "", RecordingPlan(NAME, "x", 1))
    await DEFINITION.apply(profile, plan, studio.world.ports())
    assert studio.world.scaler.written == []


async def test_what_of_the_wish_is_recorded_otherwise_is_said() -> None:
    own = {"name": "Own", "metrics": [{"name": "basket"}]}
    levels = [{"profile": "Own"}, {"profile": "Nowhere", "above": "50"}]
    studio = Studio(load=20, levels=levels, spec={"profiles": [own]})
    await studio.tick()
    assert studio.message("ProfileApplied").endswith(
        "Defined nowhere, so Standard stands in: profile Nowhere. "
        "Recorded only where the function declares it: metric basket."
    )


@pytest.mark.parametrize(("age_s", "escalates"), [(0.0, True), (500.0, False)], ids=["fresh", "data is stale"])
async def test_only_what_is_seen_now_is_a_surprise(age_s: float, escalates: bool) -> None:
    studio = Studio(load=20, spec={"escalation": {}})
    await studio.tick(2)
    profile = MetricProfile.parse(studio.world.objects.bodies[KEY_OF_PROFILE])
    given = await DEFINITION.gather(profile, studio.memory, studio.world.ports())
    loads = tuple(replace(each, surprise=True) for each in given.event_loads)
    decision = DEFINITION.decide(replace(given, event_loads=loads, now=given.now + age_s))
    assert ("RecordingEscalated" in [note.reason for note in decision.notes]) is escalates
