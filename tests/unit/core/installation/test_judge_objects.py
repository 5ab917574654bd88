from __future__ import annotations

from dataclasses import replace

import pytest

from presage.core.installation.facts import Known, Managed, Observation, Unread
from presage.core.installation.finding import Level
from presage.core.installation.judge_objects import judge_profiles, judge_sources

REMEDIES = {("Reachable", "Unreachable"): "Check url.", ("TargetFound", "TargetNotFound"): "Create it."}
WELL = Managed("Kind", "", "main", current=True, conditions=(Observation("Ready", "True", "AsSpecified", ""),))


def ill(name: str, type_: str, reason: str, namespace: str = "") -> Managed:
    conditions = (Observation("Ready", "False", reason, "why"), Observation(type_, "False", reason, "why"))
    return Managed("Kind", namespace, name, current=True, conditions=conditions)


@pytest.mark.parametrize(
    ("objects", "want"),
    [
        ((WELL,), [("ok", "main is Ready", "")]),
        ((), [("warning", "There is no Kind", "declare one")]),
        (
            (ill("main", "Reachable", "Unreachable"),),
            [("failed", "Reachable is False, Unreachable: why", "Check url.")],
        ),
        ((replace(WELL, current=False),), [("failed", "not looked at", "operator and lease")]),
        ((replace(WELL, conditions=()),), [("failed", "not looked at", "operator and lease")]),
        (
            (replace(WELL, deleting_s=900, finalizers=("presage.dev/finalizer",)),),
            [("failed", "held by presage.dev/finalizer", "troubleshooting")],
        ),
        (Unread("refused"), [("unknown", "refused", "right")]),
    ],
)
def test_sources(objects: Known[tuple[Managed, ...]], want: list[tuple[Level, str, str]]) -> None:
    findings = judge_sources(objects, "Kind", REMEDIES)
    assert [finding.level for finding in findings] == [level for level, _, _ in want]
    for finding, (_, says, remedy) in zip(findings, want, strict=True):
        assert says in finding.message
        assert remedy in finding.remedy


def test_profiles_are_counted_by_reason() -> None:
    lost = tuple(ill(f"p{number}", "TargetFound", "TargetNotFound", "shop") for number in range(5))
    new = Managed("Kind", "shop", "new", current=False, conditions=())
    findings = judge_profiles((WELL, *lost, new), "Kind", REMEDIES)
    assert [(f.level, f.message, f.remedy) for f in findings] == [
        (
            "warning",
            "1 Kind is not Ready, the operator has not looked at the present spec: shop/new.",
            "see the findings about operator and lease",
        ),
        (
            "warning",
            "5 of kind Kind are not Ready, TargetNotFound: shop/p0, shop/p1, shop/p2 and 2 more.",
            "Create it.",
        ),
    ]


@pytest.mark.parametrize(("objects", "says"), [((WELL, WELL), "All 2"), ((), "There is no Kind.")])
def test_profiles_that_are_well_take_one_line(objects: tuple[Managed, ...], says: str) -> None:
    (finding,) = judge_profiles(objects, "Kind", REMEDIES)
    assert (finding.level, says in finding.message) == ("ok", True)


def test_a_profile_whose_deletion_is_stuck_fails() -> None:
    (finding,) = judge_profiles((replace(WELL, deleting_s=301),), "Kind", REMEDIES)
    assert finding.level == "failed"
    (finding,) = judge_profiles((replace(WELL, deleting_s=20),), "Kind", REMEDIES)
    assert finding.level == "ok"
