from __future__ import annotations

import pytest

from presage.core.installation.facts import Definition, Known, Policy, Right, Server, Unread
from presage.core.installation.finding import Level
from presage.core.installation.judge_cluster import (
    judge_definitions,
    judge_injection,
    judge_local_clock,
    judge_policies,
    judge_rights,
    judge_server,
)
from presage.core.recording.injection import Mechanism

CRD = "metricprofiles.presage.dev"


@pytest.mark.parametrize(
    ("major", "minor", "want"), [(1, 30, "ok"), (1, 36, "ok"), (2, 0, "ok"), (1, 29, "failed"), (0, 0, "failed")]
)
def test_server(major: int, minor: int, want: Level) -> None:
    finding = judge_server(Server(major, minor, f"v{major}.{minor}.1", 0, 1))
    assert finding.level == want
    assert f"v{major}.{minor}.1" in finding.message
    assert ("1.30" in finding.remedy) == (want == "failed")


@pytest.mark.parametrize(
    ("ahead_s", "uncertainty_s", "want", "says"),
    [
        (0.0, 0.5, "ok", "agrees"),
        (5.4, 0.5, "ok", "agrees"),
        (30.0, 29.0, "ok", "agrees"),  # a slow answer proves nothing
        (7.0, 0.5, "warning", "7 s behind"),
        (-90.0, 0.5, "warning", "90 s ahead of"),
        (None, 0.5, "unknown", "no date"),
    ],
)
def test_local_clock(ahead_s: float | None, uncertainty_s: float, want: Level, says: str) -> None:
    finding = judge_local_clock(Server(1, 36, "v1.36.0", ahead_s, uncertainty_s))
    assert finding.level == want
    assert says in finding.message


@pytest.mark.parametrize(
    ("definition", "want", "says", "remedy"),
    [
        (Definition(CRD), "ok", "is served", ""),
        (
            Definition(CRD, found=False),
            "failed",
            "not installed",
            "kubectl apply --server-side --force-conflicts -f crds/",
        ),
        (Definition(CRD, established=False), "failed", "not served", "kubectl describe crd"),
        (Definition(CRD, deleting=True), "failed", "being deleted", "kubectl get"),
        (Definition(CRD, differences=("spec.a is missing",)), "failed", "spec.a is missing", "kubectl apply"),
        (Definition("old.presage.dev", shipped=False), "warning", "left over", "kubectl delete crd old.presage.dev"),
    ],
)
def test_definitions(definition: Definition, want: Level, says: str, remedy: str) -> None:
    (finding,) = judge_definitions((definition,))
    assert finding.level == want
    assert definition.name in finding.message
    assert says in finding.message
    assert remedy in finding.remedy


def test_definitions_that_cannot_be_read_are_not_well() -> None:
    (finding,) = judge_definitions(Unread("refused"))
    assert (finding.level, "refused" in finding.message) == ("unknown", True)


SCALE = Right("patch", "apps", "deployments/scale")
LEASE = Right("update", "coordination.k8s.io", "leases", "presage-system", "presage-operator")
SECRET = Right("get", "", "secrets", "presage-system", "prometheus")


@pytest.mark.parametrize(
    ("rights", "want"),
    [
        ({SCALE: True, LEASE: True}, [("ok", "2 rights", "")]),
        ({SCALE: False, LEASE: True}, [("failed", "patch deployments/scale.apps in every namespace", "ClusterRole")]),
        ({SCALE: True, LEASE: False}, [("failed", "leases.coordination.k8s.io presage-operator in namespace", "Role")]),
        ({SECRET: False}, [("failed", "get secrets prometheus", "rbac.secretNames")]),
        (Unread("refused"), [("unknown", "refused", "subjectaccessreviews")]),
    ],
)
def test_rights(rights: Known[dict[Right, bool]], want: list[tuple[Level, str, str]]) -> None:
    findings = judge_rights("account", rights)
    assert [finding.level for finding in findings] == [level for level, _, _ in want]
    for finding, (_, says, remedy) in zip(findings, want, strict=True):
        assert says in finding.message
        assert remedy in finding.remedy


def test_rights_of_nobody_are_not_known() -> None:
    (finding,) = judge_rights("", {})
    assert finding.level == "unknown"


@pytest.mark.parametrize(
    ("policies", "want"),
    [
        ((Policy("scale", bound=True, denies=True),), "ok"),
        ((Policy("scale", bound=True, denies=False),), "failed"),
        ((Policy("scale", bound=False, denies=False),), "failed"),
        ((Policy("scale", bound=True, denies=True, warnings=("spec.x: undeclared",)),), "warning"),
        ((), "warning"),
        (Unread("refused"), "unknown"),
    ],
)
def test_policies(policies: Known[tuple[Policy, ...]], want: Level) -> None:
    (finding,) = judge_policies(policies)
    assert finding.level == want
    assert (finding.remedy == "") == (want == "ok")


@pytest.mark.parametrize(
    ("mechanism", "want"),
    [("Policy", "ok"), ("Webhook", "ok"), ("None", "warning"), (Unread("forbidden"), "unknown")],
)
def test_injection(mechanism: Known[Mechanism], want: Level) -> None:
    finding = judge_injection(mechanism, "space")
    assert (finding.check, finding.level) == ("injection", want)
    assert bool(finding.remedy) == (want != "ok")
