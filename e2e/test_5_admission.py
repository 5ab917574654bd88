"""The chart's admission policy: who may not scale a target may not have presage scale it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from e2e.demo import manifests
from e2e.demo.errors import DemoError
from e2e.demo.kube import Kubectl
from e2e.faults.scene import Scene
from e2e.faults.wave import HISTORY_DAYS, PLAN

WRITER, OWNER = "writer@example.org", "owner@example.org"
"""Both may write MetricProfiles; only the owner may scale as well."""
TARGET = "payment"
PLACE = f"-n={manifests.NAMESPACE}"
PROFILES = {
    "apiGroups": ["presage.dev"],
    "resources": ["metricprofiles"],
    "verbs": ["get", "list", "create", "update", "patch", "delete"],
}
SCALES = {"apiGroups": ["apps"], "resources": ["deployments/scale"], "verbs": ["update"]}


def build_rights(name: str, rules: list[dict[str, Any]], users: list[str]) -> list[dict[str, Any]]:
    meta = {"name": name, "namespace": manifests.NAMESPACE}
    group = "rbac.authorization.k8s.io"
    return [
        {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": meta, "rules": rules},
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": meta,
            "roleRef": {"apiGroup": group, "kind": "Role", "name": name},
            "subjects": [{"apiGroup": group, "kind": "User", "name": user} for user in users],
        },
    ]


def create_as(kubectl: Kubectl, user: str) -> str:
    """Create a MetricProfile of its own target as a user."""
    profile = manifests.build_profile(PLAN, HISTORY_DAYS)
    profile["metadata"]["name"] = TARGET
    profile["spec"]["target"]["name"] = TARGET
    return kubectl.run("create", f"--as={user}", "-f", "-", text=json.dumps(profile))


def test_only_who_may_scale_a_target_may_aim_a_profile_at_it(scene: Scene) -> None:
    scene.at_any_time()
    kubectl = scene.kubectl
    kubectl.apply(*build_rights("writes-profiles", [PROFILES], [WRITER, OWNER]))
    kubectl.apply(*build_rights("scales", [{**SCALES, "resourceNames": [TARGET]}], [OWNER]))

    with pytest.raises(DemoError) as refused:
        create_as(kubectl, WRITER)
    for named in (WRITER, "deployments/scale", TARGET, manifests.NAMESPACE):
        assert named in str(refused.value)
    assert kubectl.run("get", "metricprofile", TARGET, PLACE, "--ignore-not-found") == ""

    assert "created" in create_as(kubectl, OWNER)
    kubectl.run("delete", "metricprofile", TARGET, PLACE, f"--as={OWNER}", "--timeout=10s")
