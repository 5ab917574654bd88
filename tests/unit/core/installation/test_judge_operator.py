from __future__ import annotations

from dataclasses import replace

import pytest

from presage.core.installation.facts import Known, LeaseRecord, Operator, Pod, Unread
from presage.core.installation.finding import Level
from presage.core.installation.judge_operator import (
    judge_budgets,
    judge_deployments,
    judge_lease,
    judge_version,
)

PODS = (Pod("presage-a", ready=True), Pod("presage-b", ready=True))
OPERATOR = Operator("presage-system", "presage", "0.1.0", "example/presage-operator:0.1.0", 2, "presage", PODS)
LEASE = LeaseRecord("presage-system", "presage-operator", "presage-a", 10, 1000.4, 1000.0, 1002.0)


@pytest.mark.parametrize(
    ("operators", "want"),
    [
        ((OPERATOR,), [("ok", "2 of 2 pods", "")]),
        ((), [("failed", "no presage operator in namespace home", "helm install")]),
        ((OPERATOR, replace(OPERATOR, namespace="other")), [("failed", "other/presage", "uninstall")]),
        (Unread("refused"), [("unknown", "refused", "right")]),
        ((replace(OPERATOR, pods=Unread("refused")),), [("unknown", "refused", "right")]),
        ((replace(OPERATOR, replicas=0, pods=()),), [("failed", "scaled to 0", "--replicas 2")]),
        ((replace(OPERATOR, pods=PODS[:1]),), [("failed", "1 of 2 pods", "describe replicaset")]),
        (
            (replace(OPERATOR, pods=(PODS[0], Pod("presage-b", ready=False, trouble="ImagePullBackOff"))),),
            [("failed", "presage-b is not Ready (ImagePullBackOff)", "kubectl describe pod presage-b")],
        ),
        (
            (replace(OPERATOR, pods=(PODS[0], Pod("presage-b", ready=True, restarts=7, trouble="OOMKilled"))),),
            [("warning", "restarted 7 times, last for OOMKilled", "--previous")],
        ),
        (
            (replace(OPERATOR, pods=(*PODS, Pod("presage-old", ready=False, deleting=True))),),
            [("ok", "2 of 2 pods", "")],
        ),
    ],
)
def test_deployments(operators: Known[tuple[Operator, ...]], want: list[tuple[Level, str, str]]) -> None:
    findings = judge_deployments(operators, "home")
    assert [finding.level for finding in findings] == [level for level, _, _ in want]
    for finding, (_, says, remedy) in zip(findings, want, strict=True):
        assert says in finding.message
        assert remedy in finding.remedy


@pytest.mark.parametrize(
    ("label", "image", "want"),
    [
        ("0.1.0", "example/presage-operator:0.1.0", "ok"),
        ("0.1.0", "example/presage-operator:c0ffee", "ok"),
        ("0.1.0", "example/presage-operator@sha256:00", "ok"),
        ("", "example:5000/presage-operator:v0.1.0", "ok"),
        ("0.2.0", "example/presage-operator:0.2.0", "warning"),
        ("0.1.0", "example/presage-operator:0.2.0", "warning"),
        ("", "example:5000/presage-operator", "unknown"),
    ],
)
def test_version(label: str, image: str, want: Level) -> None:
    assert judge_version(replace(OPERATOR, version=label, image=image), "0.1.0").level == want


@pytest.mark.parametrize(
    ("leases", "want"),
    [
        ((LEASE,), [("lease", "ok", "presage-a holds"), ("clock", "ok", "agrees")]),
        ((replace(LEASE, written_at=None, renewed_at=1001),), [("lease", "ok", "presage-a holds")]),
        ((replace(LEASE, seen_at=1000 + 3600 * 5),), [("lease", "failed", "last renewed 5 h ago")]),
        ((replace(LEASE, seen_at=1012),), [("lease", "ok", "holds"), ("clock", "ok", "agrees")]),
        ((replace(LEASE, seen_at=1012.5),), [("lease", "failed", "last renewed 12 s ago")]),
        ((replace(LEASE, renewed_at=1060),), [("lease", "ok", "holds"), ("clock", "failed", "60 s ahead of")]),
        ((replace(LEASE, renewed_at=900),), [("lease", "ok", "holds"), ("clock", "failed", "100 s behind")]),
        ((replace(LEASE, holder=""),), [("lease", "failed", "No operator holds")]),
        ((), [("lease", "failed", "No operator holds")]),
        ((replace(LEASE, namespace="other"),), [("lease", "failed", "No operator holds")]),
        ((replace(LEASE, holder="laptop"),), [("lease", "failed", "laptop, which is no pod")]),
        ((LEASE, replace(LEASE, namespace="other", holder="x")), [("lease", "failed", "2 operators act")]),
        ((LEASE, replace(LEASE, namespace="other", written_at=1)), [("lease", "ok", ""), ("clock", "ok", "")]),
        (Unread("refused"), [("lease", "unknown", "refused")]),
    ],
)
def test_lease(leases: Known[tuple[LeaseRecord, ...]], want: list[tuple[str, Level, str]]) -> None:
    findings = judge_lease(leases, "presage-system", OPERATOR)
    assert [(finding.check, finding.level) for finding in findings] == [(check, level) for check, level, _ in want]
    for finding, (_, level, says) in zip(findings, want, strict=True):
        assert says in finding.message
        assert (finding.remedy == "") == (level == "ok")


def test_a_holder_is_not_judged_where_pods_cannot_be_read() -> None:
    (finding,) = judge_lease((LEASE,), "presage-system", replace(OPERATOR, pods=Unread("refused")))
    assert finding.level == "unknown"


def test_without_an_operator_a_held_lease_is_not_known_to_be_well() -> None:
    (finding,) = judge_lease((LEASE,), "presage-system", None)
    assert (finding.level, finding.remedy) == ("unknown", "see the finding about the operator")


@pytest.mark.parametrize(
    ("budgets", "replicas", "want"),
    [
        (("presage",), 2, "ok"),
        ((), 2, "warning"),
        ((), 1, "ok"),
        (Unread("refused"), 2, "unknown"),
    ],
)
def test_budgets(budgets: Known[tuple[str, ...]], replicas: int, want: Level) -> None:
    assert judge_budgets(budgets, replace(OPERATOR, replicas=replicas)).level == want
