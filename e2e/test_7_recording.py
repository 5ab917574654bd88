"""What is recorded changes in a whole fleet while it runs, and who is injected; presage away keeps nobody waiting."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from e2e.cluster.progress import part, say
from e2e.demo import manifests
from e2e.demo.kube import Kubectl
from e2e.demo.plan import Plan
from e2e.demo.podlog import count_restarts
from e2e.demo.prometheus import TELEMETRY_SECONDS, render_config
from e2e.demo.stage import Stage
from e2e.demo.telemetry import read_instances
from e2e.waiting import eventually
from presage.core.recording.marks import GENERATION_METRIC, LABEL, VOLUME
from presage.core.recording.types import DEBUG

INSTANCES = 50
PLAN = Plan(day_seconds=240, min_replicas=INSTANCES, max_replicas=INSTANCES)
HISTORY_DAYS = 3
SWAPPED_WITHIN_SECONDS = 10.0
"""What 99 in 100 instances must keep, from the moment in which the user asks for the change."""
FLEET_WITHIN_SECONDS = 120
SAID_WITHIN_SECONDS = 30
PLACE = f"-n={manifests.NAMESPACE}"

Pods = dict[str, int]
"""Restarts by uid."""


@pytest.fixture(scope="module")
def fleet(shared_stage: Stage) -> Iterator[Stage]:
    """Fifty instances that are injected and scraped, and recorded by a profile of theirs."""
    stage, prometheus = shared_stage, shared_stage.prometheus
    stage.set_up(PLAN, 1, keep_operator=True)
    prometheus.prepare(render_config(prometheus.kubeconfig, manifests.NAMESPACE, manifests.OPERATOR_NAMESPACE))
    prometheus.start()
    stage.kubectl.apply(manifests.build_source(prometheus.url), manifests.build_profile(PLAN, HISTORY_DAYS))
    with part("what to record", "waiting", "stored"):
        eventually(lambda: read_status(stage.kubectl).get("generation", 0), bool, SAID_WITHIN_SECONDS, "a document")
    with part(f"{INSTANCES} instances", "starting", "ready"):
        stage.kubectl.run("scale", f"deployment/{manifests.FUNCTION}", f"--replicas={INSTANCES}", PLACE)
        eventually(lambda: len(ready_pods(stage.kubectl)), INSTANCES.__eq__, FLEET_WITHIN_SECONDS, "pods are ready")
        wait_until_applied(stage.kubectl, lambda _: True)
    yield stage
    prometheus.remove()


def list_pods(kubectl: Kubectl) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = kubectl.get("pods", PLACE, f"-l=app={manifests.FUNCTION}")["items"]
    return found


def ready_pods(kubectl: Kubectl) -> Pods:
    """Return the instances that are Ready."""
    ready = {}
    for pod in list_pods(kubectl):
        conditions = {each["type"]: each["status"] for each in pod["status"].get("conditions", [])}
        if conditions.get("Ready") == "True":
            ready[pod["metadata"]["uid"]] = count_restarts(pod)
    return ready


def read_status(kubectl: Kubectl) -> dict[str, Any]:
    """Return what status says of the orders; empty before it says anything."""
    profile = kubectl.get("metricprofile", manifests.FUNCTION, PLACE)
    found: list[dict[str, Any]] = profile.get("status", {}).get("profiles", [])
    return next((each for each in found if each["eventType"] == manifests.EVENT_TYPE), {})


def wait_until_applied(kubectl: Kubectl, accept: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Wait until status says that all instances record by what is wanted."""

    def is_applied(status: dict[str, Any]) -> bool:
        everywhere = status.get("podsApplied") == status.get("podsTotal") == INSTANCES
        return bool(status) and everywhere and status.get("applied") == status["wanted"] and accept(status)

    return eventually(lambda: read_status(kubectl), is_applied, SAID_WITHIN_SECONDS, "all instances record by it")


def change(stage: Stage, critical: bool, accept: Callable[[dict[str, Any]], bool]) -> list[float]:
    """Ask for another profile; return by instance the seconds until it recorded by that, by the instance's clock."""
    kubectl = stage.kubectl
    before = int(read_status(kubectl)["generation"])
    profile = manifests.build_profile(PLAN, HISTORY_DAYS)
    profile["spec"]["eventTypes"][0]["critical"] = critical
    asked = time.time()
    kubectl.apply(profile)
    status = wait_until_applied(kubectl, lambda found: found["generation"] > before and accept(found))
    time.sleep(2 * TELEMETRY_SECONDS)  # what status was told, the query below may not find yet
    steps, _ = read_instances(stage.prometheus, asked, time.time())
    taken = {step.pod: step.at - asked for step in steps if step.generation >= status["generation"]}
    assert len(taken) == INSTANCES
    assert min(taken.values()) > 0
    return list(taken.values())


def test_a_change_of_profile_reaches_all_running_instances_within_seconds_and_restarts_none(fleet: Stage) -> None:
    untouched = ready_pods(fleet.kubectl)
    with part("a profile up and down again", "changing", "changed"):
        up = change(fleet, True, lambda status: status["wanted"] == DEBUG and status["reason"] == "Critical")
        down = change(fleet, False, lambda status: status["wanted"] != DEBUG)
    taken = np.array(up + down)
    shown = ", ".join(
        f"{name} {np.quantile(taken, q):.1f} s" for name, q in (("median", 0.5), ("p99", 0.99), ("max", 1))
    )
    say(f"  {len(up)} instances, two changes of profile, from the request to the swap in the SDK: {shown}")
    assert np.quantile(taken, 0.99) <= SWAPPED_WITHIN_SECONDS
    assert ready_pods(fleet.kubectl) == untouched == dict.fromkeys(untouched, 0)


def build_pod(stage: Stage, name: str, labels: dict[str, str]) -> dict[str, Any]:
    template = manifests.build_function(stage.function_image, PLAN, 1)[0]["spec"]["template"]
    meta = {"name": name, "namespace": manifests.NAMESPACE, "labels": {"app": "single", **labels}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": template["spec"]}


def start_pod(stage: Stage, name: str, labels: dict[str, str]) -> dict[str, Any]:
    """Start a single pod of the function and return it once it is Ready."""
    stage.kubectl.apply(build_pod(stage, name, labels))
    stage.kubectl.run("wait", "--for=condition=Ready", f"pod/{name}", PLACE, "--timeout=30s")
    return stage.kubectl.get("pod", name, PLACE)


def try_pod(stage: Stage, name: str, labels: dict[str, str]) -> dict[str, Any]:
    """Return a pod as the API server would store it now."""
    given = json.dumps(build_pod(stage, name, labels))
    tried: dict[str, Any] = json.loads(stage.kubectl.run("create", "--dry-run=server", "-o=json", "-f=-", text=given))
    return tried


def read_generation(kubectl: Kubectl, pod: str) -> float:
    """Return the generation that a pod says it records by."""
    path = f"/api/v1/namespaces/{manifests.NAMESPACE}/pods/{pod}:{manifests.PORT}/proxy/telemetry"
    found = re.search(rf"^{GENERATION_METRIC}(?:{{.*}})? (.*)$", kubectl.run("get", "--raw", path), re.MULTILINE)
    assert found is not None
    return float(found[1])


def is_injected(pod: dict[str, Any]) -> bool:
    return any(volume["name"] == VOLUME for volume in pod["spec"].get("volumes", []))


def test_who_has_the_label_is_injected_and_presage_away_keeps_nobody_waiting(fleet: Stage) -> None:
    kubectl, label = fleet.kubectl, {LABEL: manifests.FUNCTION}
    assert all(map(is_injected, list_pods(kubectl)))
    with part("pods with and without the label", "starting", "ready"):
        assert is_injected(start_pod(fleet, "with-label", label))
        assert not is_injected(start_pod(fleet, "without-label", {}))
    assert read_generation(kubectl, "with-label") > 0
    assert read_generation(kubectl, "without-label") == 0

    with part("presage", "taking away", "gone"):
        fleet.uninstall()
    with part("the policy", "waiting until the API server forgets it", "forgotten"):
        eventually(
            lambda: try_pod(fleet, "while-away", label), lambda pod: not is_injected(pod), 30, "none is injected"
        )
    with part("a pod with the label", "starting", "ready"):
        assert not is_injected(start_pod(fleet, "while-away", label))
    assert read_generation(kubectl, "while-away") == 0
    restarts = {pod["metadata"]["name"]: count_restarts(pod) for pod in kubectl.get("pods", PLACE)["items"]}
    assert set(restarts.values()) == {0}
