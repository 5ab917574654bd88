"""How far a document has come: nothing counts as done because nothing is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from presage.core.recording.rollout import (
    LATE_S,
    RecordingPod,
    Rollout,
    Sighting,
    find_restart,
    find_untouched,
    judge_applied,
    judge_injected,
)

NOW = 10_000.0
GENERATION = 7


def pod(name: str, **changes: Any) -> RecordingPod:
    made = RecordingPod(name, f"uid-{name}", f"10.0.0.{name[1:]}", NOW - 900, NOW - 800, injected=True, touched="")
    return replace(made, **changes)


def rollout(*pods: RecordingPod, said: dict[str, float] | None = None, **changes: Any) -> Rollout:
    at = Rollout(
        profile="shop",
        target="shop-web",
        asks="shop",
        replicas=len(pods),
        pods=pods,
        mechanism="Policy",
        generation=GENERATION,
        stored_at=NOW - 20,
        sighting=None if said is None else Sighting(NOW, said),
        settle_s=60.0,
        now=NOW,
    )
    return replace(at, **changes)


FRESH = {"created": NOW - 9, "ready_at": NOW - 5}


@pytest.mark.parametrize(
    ("at", "status", "reason"),
    [
        pytest.param(rollout(pod("p1"), said={"p1": 7}, stored_at=None), "False", "Updating", id="not stored"),
        pytest.param(rollout(asks=None), "False", "TargetNotFound", id="no Deployment"),
        pytest.param(rollout(), "True", "NoPods", id="no pods"),
        pytest.param(rollout(pod("p1", injected=False)), "False", "NotInjected", id="no reference"),
        pytest.param(rollout(pod("p1", ready_at=None)), "False", "Updating", id="none ready"),
        pytest.param(rollout(pod("p1")), "Unknown", "RecordingUnknown", id="the source fails"),
        pytest.param(rollout(pod("p1"), said={}), "False", "SdkNotSeen", id="ready for long and never heard of"),
        pytest.param(rollout(pod("p1", **FRESH), said={}), "False", "Updating", id="ready for a moment"),
        pytest.param(rollout(pod("p1"), said={"p1": 7}), "True", "Applied", id="by name"),
        pytest.param(rollout(pod("p1"), said={"10.0.0.1": 8}), "True", "Applied", id="by address, a later one"),
        pytest.param(rollout(pod("p1"), said={"p1": 6, "10.0.0.1": 7}), "False", "Updating", id="name goes first"),
        pytest.param(rollout(pod("p1"), pod("p2", **FRESH), said={"p1": 7}), "True", "Applied", id="a new one"),
        pytest.param(rollout(pod("p1"), pod("p2"), said={"p1": 7}), "False", "Updating", id="one silent"),
        pytest.param(rollout(pod("p1"), said={"p1": 6}), "False", "Updating", id="an earlier one"),
        pytest.param(
            rollout(pod("p1"), said={"p1": 6}, stored_at=NOW - LATE_S - 1), "False", "PodsBehind", id="for long"
        ),
        pytest.param(rollout(pod("p1", address=""), said={"": 7}), "False", "SdkNotSeen", id="no address is no name"),
        pytest.param(
            rollout(pod("p1"), pod("p2", injected=False), said={"p1": 7, "p2": 7}),
            "True",
            "Applied",
            id="some injected",
        ),
    ],
)
def test_profile_applied(at: Rollout, status: str, reason: str) -> None:
    found = judge_applied(at, 3)
    assert (found.type, found.status, found.reason, found.observed_generation) == ("ProfileApplied", status, reason, 3)


def test_only_ready_pods_with_the_reference_are_counted() -> None:
    pods = pod("p1"), pod("p2", ready_at=None), pod("p3", injected=False), pod("p4")
    assert rollout(*pods, said={"p1": 7, "p2": 7, "p3": 7, "p4": 6}).applied == 1
    assert rollout(*pods).applied is None, "nothing known is not none"


LEFT_OUT = pod("p2", injected=False)


@pytest.mark.parametrize(
    ("at", "reason", "says"),
    [
        pytest.param(rollout(pod("p1")), "AllInjected", "by the admission policy", id="all"),
        pytest.param(rollout(), "AllInjected", "", id="no pods"),
        pytest.param(rollout(pod("p1"), mechanism="Unknown"), "AllInjected", "its reference.", id="not proven"),
        pytest.param(rollout(asks=None), "TargetNotFound", "shop-web", id="no Deployment"),
        pytest.param(
            rollout(LEFT_OUT, asks=""), "LabelMissing", "presage.dev/profile: shop to the pod template", id="no label"
        ),
        pytest.param(rollout(asks="cart"), "LabelMissing", "it has cart there", id="another one's label"),
        pytest.param(rollout(pod("p1"), asks="", mechanism="None"), "AllInjected", "", id="by hand"),
        pytest.param(rollout(pod("p1"), LEFT_OUT), "PodsNotInjected", "rollout restart deployment/shop-web", id="some"),
        pytest.param(rollout(pod("p1"), mechanism="None"), "NotInForce", "", id="nothing gives it"),
    ],
)
def test_injected(at: Rollout, reason: str, says: str) -> None:
    found = judge_injected(at, 3)
    assert (found.reason, found.status) == (reason, "True" if reason == "AllInjected" else "False")
    assert says in found.message


def test_messages_do_not_change_from_look_to_look() -> None:
    before, after = rollout(pod("p1"), said={"p1": 6}), rollout(pod("p1"), said={"p1": 5}, now=NOW + 1)
    assert judge_applied(before, 3) == judge_applied(after, 3)


def names(at: Rollout) -> list[str]:
    return [each.name for each in find_untouched(at)]


def test_pods_are_touched_that_the_document_has_not_reached() -> None:
    pods = (
        pod("p1", ready_at=NOW - 700),
        pod("p2", touched="7"),
        pod("p3", injected=False),
        pod("p4", created=NOW - 10),  # after it was stored
        pod("p5", touched="6"),
        pod("p6"),
        pod("p7", ready_at=None),
    )
    assert names(rollout(*pods, said={"p6": 7})) == ["p5", "p1", "p7"]
    assert names(rollout(*pods, stored_at=None)) == ["p4", "p5", "p6", "p1", "p7"], "once it is stored"


def test_what_records_by_an_earlier_one_is_touched_though_the_mark_is_of_a_later_one() -> None:
    assert names(rollout(pod("p1", touched="9"), said={"p1": 6})) == ["p1"]


OLD = pod("p2", injected=False, created=NOW - 5000)
LAST = {"created": NOW - 100, "ready_at": NOW - 90}


@pytest.mark.parametrize(
    ("at", "want"),
    [
        pytest.param(rollout(pod("p1", **LAST), LEFT_OUT, OLD), "p2", id="the oldest one"),
        pytest.param(rollout(pod("p1", **LAST), pod("p3")), None, id="all have it"),
        pytest.param(rollout(OLD), None, id="the only one"),
        pytest.param(rollout(pod("p1", **LAST), OLD, replicas=3), None, id="one is missing"),
        pytest.param(rollout(pod("p1", ready_at=None), OLD), None, id="one is not ready"),
        pytest.param(rollout(pod("p1", created=NOW - 20, ready_at=NOW - 9), OLD), None, id="the last one is too new"),
        pytest.param(rollout(LEFT_OUT, OLD), "p2", id="the first one"),
        pytest.param(rollout(pod("p1", injected=False, **LAST), OLD), None, id="the last one was replaced in vain"),
        pytest.param(rollout(pod("p1", **LAST), OLD, asks=""), None, id="label missing"),
        pytest.param(rollout(pod("p1", **LAST), OLD, mechanism="Unknown"), None, id="not proven"),
        pytest.param(rollout(pod("p1", **LAST), OLD, mechanism="None"), None, id="nothing gives it"),
    ],
)
def test_restart(at: Rollout, want: str | None) -> None:
    found = find_restart(at)
    assert (found.name if found else None) == want
