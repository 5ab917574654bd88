"""An object is held before the first thing that needs undoing, and let go only after it is undone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from presage.adapters.kube import Forbidden
from presage.core.faults import WriteRefused
from presage.core.outcome import Retry
from presage.core.ownership import Owner
from presage.reconcile.kind import AnyKind
from presage.runtime import deletion
from presage.runtime.deletion import FINALIZER, Deletion
from tests.unit.kube_memory import KubeMemory
from tests.unit.runtime.shop import KEY, PROFILE

OTHER = "example.org/other"
Undo = Callable[[Owner, Any], Any]


def kind(undo: Undo) -> AnyKind:
    return replace(PROFILE, undo=undo)


async def undone(owner: Owner, ports: Any) -> None:
    ports.append(owner)


def put(memory: KubeMemory, *finalizers: str) -> dict[str, Any]:
    return memory.put(PROFILE.resource, "shop", "team", finalizers=list(finalizers))


def finalizers(memory: KubeMemory) -> list[str]:
    return list(memory.objects["metricprofiles", "team", "shop"]["metadata"]["finalizers"])


def deletion_of(memory: KubeMemory) -> Deletion:
    return Deletion(memory)  # type: ignore[arg-type]  # only these requests are used


async def test_it_is_held_once_and_others_finalizers_stay() -> None:
    memory = KubeMemory()
    body = put(memory, OTHER)
    assert await deletion_of(memory).hold(kind(undone), KEY, body) is None
    assert finalizers(memory) == [OTHER, FINALIZER]
    sent = len(memory.sent)
    assert await deletion_of(memory).hold(kind(undone), KEY, body) is None
    assert len(memory.sent) == sent, "one that is seen to bear it is not asked about"


async def test_it_is_let_go_after_it_was_undone_for_its_owner() -> None:
    memory, owners = KubeMemory(), list[Owner]()
    body = put(memory, FINALIZER, OTHER)
    assert await deletion_of(memory).let_go(kind(undone), KEY, body, owners) is None  # type: ignore[arg-type]  # a list
    assert owners == [Owner("presage.dev/v1alpha1", "MetricProfile", "team", "shop", "uid-shop")]
    assert finalizers(memory) == [OTHER]


async def test_one_that_was_never_held_costs_nothing() -> None:
    memory = KubeMemory()
    body = put(memory, OTHER)
    assert await deletion_of(memory).let_go(PROFILE, KEY, body, None) is None  # type: ignore[arg-type]  # not used
    assert memory.sent == []


async def test_what_cannot_be_undone_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deletion, "_UNDO_S", 0.01)

    async def refused(owner: Owner, ports: Any) -> None:
        raise WriteRefused("Forbidden", "presage may not do this.")

    async def endless(owner: Owner, ports: Any) -> None:
        await asyncio.sleep(60)

    for undo, reason in ((refused, "Forbidden"), (endless, "UndoTimedOut")):
        memory = KubeMemory()
        body = put(memory, FINALIZER)
        obstacle = await deletion_of(memory).let_go(kind(undo), KEY, body, None)  # type: ignore[arg-type]  # not used
        assert isinstance(obstacle, Retry)
        assert obstacle.reason == reason
        assert finalizers(memory) == [FINALIZER]


async def test_a_finalizer_that_cannot_be_written_is_told() -> None:
    memory = KubeMemory({"patch": Forbidden("no", status=403)})
    obstacle = await deletion_of(memory).hold(kind(undone), KEY, put(memory))
    assert isinstance(obstacle, Retry)
    assert obstacle.reason == "FinalizerRefused"
    assert finalizers(memory) == []


@pytest.mark.parametrize(("writes", "held"), [(2, True), (3, False)])
async def test_a_write_in_between_is_no_trouble_unless_it_never_ends(writes: int, held: bool) -> None:
    memory = KubeMemory()
    body = put(memory)
    memory.writes_in_between = writes
    obstacle = await deletion_of(memory).hold(kind(undone), KEY, body)
    assert (finalizers(memory) == [FINALIZER], obstacle is None) == (held, held)


async def test_a_new_object_of_the_same_name_is_not_touched() -> None:
    memory = KubeMemory()
    gone = {"metadata": {"name": "shop", "namespace": "team", "uid": "older", "finalizers": [FINALIZER]}}
    put(memory, FINALIZER)
    assert await deletion_of(memory).let_go(kind(undone), KEY, gone, []) is None  # type: ignore[arg-type]  # a list
    assert finalizers(memory) == [FINALIZER]


@pytest.mark.parametrize("uids", [(), ("newer",)], ids=["gone", "made anew"])
async def test_nothing_is_made_for_one_that_is_gone(uids: tuple[str, ...]) -> None:
    memory = KubeMemory()
    for uid in uids:
        memory.put(PROFILE.resource, "shop", "team", uid=uid)
    gone = {"metadata": {"name": "shop", "namespace": "team", "uid": "older"}}
    assert isinstance(await deletion_of(memory).hold(kind(undone), KEY, gone), Retry)
    assert [verb for verb, _ in memory.sent] == ["get"]


async def test_one_that_is_gone_already_is_no_error() -> None:
    gone = {"metadata": {"name": "shop", "namespace": "team", "uid": "u", "finalizers": [FINALIZER]}}
    assert await deletion_of(KubeMemory()).let_go(kind(undone), KEY, gone, []) is None  # type: ignore[arg-type]  # a list
