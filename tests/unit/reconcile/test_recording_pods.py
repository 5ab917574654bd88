"""Pods as far as recording goes: how they are told, replaced, and heard of."""

from __future__ import annotations

from typing import Any

import pytest

from presage.core.faults import WriteRefused
from presage.core.outcome import Ok
from presage.reconcile.metricprofile.watching import trim_deployment, trim_pod
from tests.unit.reconcile.fakes import NOW
from tests.unit.reconcile.recording_world import FORBIDDEN, NAME, Studio


async def test_many_pods_are_touched_in_several_decisions() -> None:
    studio = Studio(load=20, pods=130)
    await studio.tick()
    assert len(studio.pods.annotated) == 100
    assert studio.applied is not None
    assert studio.applied.outcome == Ok(1.0), "the others follow soon"
    await studio.tick(2)
    assert len({name for name, _ in studio.pods.annotated}) == len(studio.pods.annotated) == 130


async def test_a_right_that_is_missing_costs_one_request_a_decision_and_is_told() -> None:
    studio = Studio(pods=40)
    studio.pods.refusal = FORBIDDEN
    await studio.tick()
    assert studio.condition("ProfileApplied") == ("False", "TouchRefused")
    assert "within 90 s all the same" in studio.message("ProfileApplied")
    studio.follow()
    await studio.tick()
    assert studio.condition("ProfileApplied") == ("True", "Applied"), "the kubelets brought it"


async def test_a_pod_that_starts_later_is_not_touched() -> None:
    studio = Studio()
    await studio.tick()
    studio.follow()
    studio.add_pods(1, created=studio.world.clock.time, ready_after=None)
    await studio.tick(2)
    assert "shop-2" not in {name for name, _ in studio.pods.annotated}


async def test_a_function_without_the_sdk_is_told_of() -> None:
    studio = Studio()
    await studio.tick(2)
    assert studio.condition("ProfileApplied") == ("False", "SdkNotSeen")
    assert studio.condition("Ready") == ("False", "SdkNotSeen")
    assert studio.entry["podsApplied"] == 0


async def test_on_the_way_a_change_does_not_make_it_unready() -> None:
    studio = Studio(load=20)
    await studio.tick()
    studio.follow()
    await studio.tick()
    studio.load(120)
    studio.restart()
    await studio.tick(2)
    assert studio.condition("ProfileApplied") == ("False", "Updating")
    assert studio.condition("Ready") == ("True", "AsSpecified")
    await studio.tick(15)
    assert studio.condition("ProfileApplied") == ("False", "PodsBehind")
    assert studio.condition("Ready") == ("False", "PodsBehind")


async def test_pods_without_the_reference_are_replaced_one_by_one_only_if_asked_for() -> None:
    studio = Studio(pods=1, spec={"scaling": {"perPod": "50", "minReplicas": 3, "maxReplicas": 3}})
    studio.add_pods(2, injected=False, created=NOW - 5000)
    await studio.tick(3)
    assert studio.condition("Injected") == ("False", "PodsNotInjected")
    assert studio.status["injection"] == {"injected": 1, "total": 3, "mechanism": "Policy"}
    assert studio.pods.evicted == []
    studio.set_spec(injection={"enforce": "Restart"})
    await studio.tick()
    assert studio.pods.evicted == ["shop-1"]
    assert studio.told("PodRestarted") == ["Pod shop-1 was evicted: it was made without the reference to its profiles."]


async def test_the_end_of_an_eviction_that_is_refused_is_another_try() -> None:
    studio = Studio(pods=1, spec={"injection": {"enforce": "Restart"}})
    studio.add_pods(1, injected=False, created=NOW - 5000)
    studio.pods.refusal = WriteRefused("DisruptionBudget", "not now")
    await studio.tick(2)
    assert studio.told("PodRestarted") == []
    studio.pods.refusal = None
    await studio.tick()
    assert studio.pods.evicted == ["shop-1"]


def raw_pod(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "p", "namespace": "team"}, "spec": spec}


VOLUME = {"name": "presage-recording", "configMap": {"name": NAME}}
TOLD = {"name": "c", "env": [{"name": "PRESAGE_PROFILE_FILE", "value": "/x"}]}


@pytest.mark.parametrize(
    ("pod", "want"),
    [
        pytest.param(raw_pod(containers=[TOLD], volumes=[VOLUME]), NAME, id="injected"),
        pytest.param(
            raw_pod(containers=[{"name": "s"}, TOLD], volumes=[{"name": "x"}, VOLUME]), NAME, id="among others"
        ),
        pytest.param(raw_pod(containers=[{"name": "c"}], volumes=[VOLUME]), "", id="not told"),
        pytest.param(raw_pod(containers=[TOLD]), "", id="not mounted"),
        pytest.param(raw_pod(), "", id="nothing"),
    ],
)
def test_which_pods_have_the_reference(pod: dict[str, Any], want: str) -> None:
    assert trim_pod(pod)["document"] == want


def test_the_label_of_a_template_and_the_mark_of_a_pod_are_kept() -> None:
    template = {"metadata": {"labels": {"presage.dev/profile": "shop"}}}
    assert trim_deployment({"metadata": {}, "spec": {"template": template}})["asks"] == "shop"
    assert trim_deployment({"metadata": {}})["asks"] == ""
    touched = {"metadata": {"annotations": {"presage.dev/recording-generation": "7"}}}
    assert trim_pod(touched)["touched"] == "7"
    assert trim_pod({"metadata": {}})["touched"] == ""


async def test_a_pod_is_as_far_as_the_last_of_its_processes() -> None:
    studio = Studio(load=20)
    await studio.tick()
    late, now = studio.document.generation - 1, studio.document.generation
    studio.said = {"shop-0-7": now, "shop-0-12": late, "shop-1-7": now, "shop-10": late}
    await studio.tick()
    assert studio.entry["podsApplied"] == 1
    studio.said = {"shop-0-7": now, "shop-0-12": now, "shop-1": now}
    await studio.tick()
    assert studio.condition("ProfileApplied") == ("True", "Applied")
