"""The chart is taken away, installed as it was, upgraded, rolled back and taken away: what runs does not notice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from e2e.cluster.progress import part, say
from e2e.demo import manifests
from e2e.demo.stage import CRDS
from e2e.faults.previous import export_previous_chart
from e2e.faults.scene import Scene, find_condition
from e2e.waiting import eventually

REPLICAS = 3
DECIDES_WITHIN_SECONDS = 20
GONE_WITHIN_SECONDS = 40
PLACE = f"-n={manifests.NAMESPACE}"
RELEASED = (
    "deployments,replicasets,pods,services,serviceaccounts,secrets,roles,rolebindings,networkpolicies,"
    "poddisruptionbudgets,clusterroles,clusterrolebindings,validatingadmissionpolicies,"
    "validatingadmissionpolicybindings,mutatingadmissionpolicies,mutatingadmissionpolicybindings,"
    "mutatingwebhookconfigurations"
)
"""Every kind that the chart may hold."""


def take_picture(scene: Scene) -> tuple[int, int, tuple[tuple[str, bool, int], ...]]:
    """Return the target's replicas and generation, and each pod with whether it is Ready and how often it restarted."""
    deployment = scene.kubectl.get("deployment", manifests.FUNCTION, PLACE)
    pods = scene.kubectl.get("pods", PLACE, f"-l=app={manifests.FUNCTION}")["items"]
    return (
        int(deployment["spec"]["replicas"]),
        int(deployment["metadata"]["generation"]),
        tuple(sorted(_describe(pod) for pod in pods)),
    )


def is_settled(scene: Scene) -> bool:
    """Tell whether there are as many pods as there should be, all Ready."""
    replicas, _, pods = take_picture(scene)
    return replicas == len(pods) == REPLICAS and all(ready for _, ready, _ in pods)


def _describe(pod: dict[str, Any]) -> tuple[str, bool, int]:
    containers = pod.get("status", {}).get("containerStatuses") or []
    ready = find_condition(pod, "Ready")["status"] == "True"
    return pod["metadata"]["uid"], ready, sum(int(each["restartCount"]) for each in containers)


def declare(scene: Scene) -> None:
    """Ask for a number of replicas that no load changes."""
    scene.declare(minReplicas=REPLICAS, maxReplicas=REPLICAS)


def expect_a_decision(scene: Scene) -> None:
    """See that presage decides now, and says that all is as specified."""
    before = scene.operators.decisions()

    def has_decided(now: dict[str, float]) -> bool:
        return any(count > before.get(pod, 0) for pod, count in now.items())

    with part("a decision", "waiting", "made"):
        eventually(scene.operators.decisions, has_decided, DECIDES_WITHIN_SECONDS, "a decision")
    scene.wait_for("Ready", "True", "AsSpecified", within_s=DECIDES_WITHIN_SECONDS)


def take_away(scene: Scene) -> None:
    """Uninstall the release and remove its CRDs while objects of theirs exist; see that nothing is left or stuck."""
    kubectl = scene.kubectl
    assert "finalizers" not in scene.profile()["metadata"]
    with part("presage", "taking away", "gone"):
        scene.stage.uninstall()
        assert kubectl.run("get", "metricprofiles", "-A", "-o=name").strip() != "", "Helm must not take CRDs away"
        kubectl.run("delete", "crd", *CRDS, "--timeout=30s")
        eventually(
            lambda: kubectl.run("get", RELEASED, "-A", f"-l=app.kubernetes.io/instance={manifests.RELEASE}", "-o=name"),
            lambda left: left.strip() == "",
            GONE_WITHIN_SECONDS,
            "nothing of the release is left",
        )
    assert scene.stage.helm("list", "--short").strip() == ""
    assert kubectl.run("get", "crd", "-o=name").count("presage.dev") == 0


def test_workloads_do_not_notice_what_happens_to_the_chart(scene: Scene, tmp_path: Path) -> None:
    previous = export_previous_chart(scene.stage.root, tmp_path)
    say(f"  the chart before: {previous.origin}")
    scene.at_any_time()
    declare(scene)
    with part(f"{REPLICAS} replicas", "waiting", "settled"):
        eventually(lambda: is_settled(scene), bool, 40, f"{REPLICAS} pods are ready")
    untouched = take_picture(scene)

    take_away(scene)
    assert take_picture(scene) == untouched
    with part("the chart before", "installing", "installed"):
        scene.stage.install(previous.path, "--set-string=podAnnotations.chart=before")  # so that later all pods change
    declare(scene)
    expect_a_decision(scene)
    assert take_picture(scene) == untouched
    with part("the present chart", "installing", "installed"):
        scene.stage.upgrade_crds()
        scene.stage.install(scene.stage.chart)
    expect_a_decision(scene)
    assert take_picture(scene) == untouched
    with part("back", "rolling", "rolled back"):
        scene.stage.roll_back()
    expect_a_decision(scene)
    assert take_picture(scene) == untouched
    take_away(scene)
    assert take_picture(scene) == untouched
    scene.close()
