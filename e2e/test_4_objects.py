"""Objects come and go under a running presage: it follows, and nothing of it is left behind."""

from __future__ import annotations

import json
import time

import pytest

from e2e.cluster.progress import part
from e2e.demo import manifests
from e2e.demo.errors import DemoError
from e2e.faults.scene import Scene
from e2e.faults.wave import PLAN
from e2e.waiting import eventually

FOUND_WITHIN_SECONDS = 15
QUIET_SECONDS = 8
PLACE = f"-n={manifests.NAMESPACE}"
PROFILE = f"metricprofile/{manifests.FUNCTION}"
DEPLOYMENT = f"deployment/{manifests.FUNCTION}"
TOO_FEW_REPLICAS = 1

INVALID = {
    "limits": ({"scaling": {"minReplicas": 5, "maxReplicas": 4}}, "minReplicas must be at most maxReplicas"),
    "season": (
        {"forecast": {"historySeconds": 2 * PLAN.day_seconds - 1}},
        "historySeconds must be at least 2 × the longest of seasonsSeconds",
    ),
    "two loads": (
        {
            "eventTypes": [
                {"name": "order", "load": {"counter": {"metric": "orders_total"}, "gauge": {"metric": "orders"}}}
            ]
        },
        "load must have exactly one of counter and gauge",
    ),
}


def test_a_target_is_deleted_and_made_again(scene: Scene) -> None:
    scene.at_any_time()
    kubectl = scene.kubectl
    kubectl.run("delete", DEPLOYMENT, PLACE, "--wait=false")
    with part("the missing target", "waiting", "said"):
        said = scene.wait_for("TargetFound", "False", "TargetNotFound", within_s=FOUND_WITHIN_SECONDS)
    assert manifests.FUNCTION in said["message"]
    assert scene.condition("Ready")["status"] == "False"
    leader = scene.operators.leader()
    kubectl.apply(manifests.build_function(scene.stage.function_image, PLAN, TOO_FEW_REPLICAS)[0])
    with part("the new target", "waiting", "scaled"):
        scene.wait_for("TargetFound", "True", within_s=FOUND_WITHIN_SECONDS)
        eventually(
            lambda: (scene.replicas, scene.clock.need(time.time())),
            lambda seen: TOO_FEW_REPLICAS < seen[0] >= seen[1],
            FOUND_WITHIN_SECONDS,
            "the new target gets what the load needs (replicas, need)",
        )
    scene.wait_for("Ready", "True", within_s=FOUND_WITHIN_SECONDS)
    assert scene.operators.leader() == leader


@pytest.mark.parametrize(("change", "message"), INVALID.values(), ids=INVALID)
def test_an_invalid_edit_is_refused_by_the_api_server(scene: Scene, change: dict[str, object], message: str) -> None:
    scene.at_any_time()
    before = scene.profile()
    patch = ("patch", PROFILE, PLACE, "--type=merge", f"--patch={json.dumps({'spec': change})}")
    with pytest.raises(DemoError) as refused:
        scene.kubectl.run(*patch)
    assert message in str(refused.value)
    after = scene.profile()
    assert after["spec"] == before["spec"]
    assert after["metadata"]["generation"] == before["metadata"]["generation"]


def test_a_deleted_profile_leaves_nothing_behind(scene: Scene) -> None:
    scene.at_any_time()
    kubectl = scene.kubectl
    leader = scene.operators.find(scene.operators.leader())
    series = f'kind="MetricProfile",name="{manifests.FUNCTION}",namespace="{manifests.NAMESPACE}"'
    assert series in leader.read_metrics()
    assert "finalizers" not in scene.profile()["metadata"]
    kubectl.run("delete", PROFILE, PLACE, "--timeout=10s")
    deleted_at, before = time.time(), kubectl.get(DEPLOYMENT, PLACE)
    eventually(leader.read_metrics, lambda page: page != "" and series not in page, 5, "its series go")
    with part("what comes after it", "waiting", "looked at"):
        time.sleep(QUIET_SECONDS)
    after = kubectl.get(DEPLOYMENT, PLACE)
    assert after["spec"] == before["spec"]
    assert "finalizers" not in after["metadata"]
    assert [name for name in after["metadata"].get("annotations", {}) if "presage" in name] == []
    assert kubectl.run("get", PROFILE, PLACE, "--ignore-not-found") == ""
    late = [str(each) for each in scene.writes() if each.at > deleted_at + 1 and each.holder is None]
    assert late == [], "presage wrote something after the profile was deleted"
    assert series not in leader.read_metrics()
    scene.declare()
