"""Kinds share one watch a type, and each sees only what it keeps of it."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from typing import Any

import pytest

from presage.core.resource_type import ResourceType
from presage.reconcile.kind import ObjectKey, WatchedType
from presage.reconcile.ports import Json
from presage.runtime.kinds import KINDS
from presage.runtime.store import ObjectStore
from presage.runtime.watches import Watches

PODS = ResourceType("", "v1", "pods", "Pod")
SOURCE, PROFILE = KINDS
POD = {"metadata": {"namespace": "team", "name": "p", "labels": {"app": "shop"}}, "spec": {"nodeName": "n1"}}


class OneList:
    """An API server that lists one pod and then has nothing to say."""

    def __init__(self) -> None:
        self.transport = self
        self.lists = 0
        self._quiet = threading.Event()

    def request(self, *_: Any, **__: Any) -> Json:
        self.lists += 1
        return {"items": [POD], "metadata": {"resourceVersion": "1"}}

    def stream(self, *_: Any, **__: Any) -> OneList:
        return self

    def lines(self) -> list[Json]:
        self._quiet.wait(5)
        return []

    def shutdown(self) -> None:
        self._quiet.set()

    def close(self) -> None:
        pass


def test_kinds_that_share_a_watch_have_one_selector() -> None:
    plain = WatchedType(PODS, lambda pod: pod, lambda *_: ())
    kinds = replace(SOURCE, watched=(plain,)), replace(PROFILE, watched=(replace(plain, label_selector="app"),))
    with pytest.raises(ValueError, match="pods"):
        Watches(OneList(), kinds, ObjectStore(), lambda _: None)  # type: ignore[arg-type]  # none is used
    Watches(OneList(), kinds[1:], ObjectStore(), lambda _: None)  # type: ignore[arg-type]  # none is used


async def test_two_kinds_share_a_watch_and_trim_it_each_in_its_own_way() -> None:
    by_app = WatchedType(
        PODS,
        lambda pod: {"app": pod["metadata"]["labels"]["app"]},
        lambda pod, _: (ObjectKey("MetricSource", "", pod["app"]),),
        index=lambda pod: (pod["app"],),
    )
    by_node = WatchedType(
        PODS,
        lambda pod: {"node": pod["spec"]["nodeName"]},
        lambda pod, _: (ObjectKey("MetricProfile", "team", pod["node"]),),
        index=lambda pod: (pod["node"],),
    )
    kinds = replace(SOURCE, watched=(by_app,)), replace(PROFILE, watched=(by_node,))
    server, due = OneList(), list[ObjectKey]()
    watches = Watches(server, kinds, ObjectStore(), due.append)  # type: ignore[arg-type]  # only the transport is used
    await asyncio.wait_for(watches.start(), 5)
    first, second = (watches.view(kind) for kind in kinds)
    assert first.get(PODS, "team", "p") == {"app": "shop"}
    assert second.list(PODS, "team") == [{"node": "n1"}]
    assert first.find(PODS, "shop") == [{"app": "shop"}]
    assert second.find(PODS, "n1") == [{"node": "n1"}]
    assert first.find(PODS, "n1") == []
    assert set(due) == {ObjectKey("MetricSource", "", "shop"), ObjectKey("MetricProfile", "team", "n1")}
    await watches.stop()
    assert server.lists == 1
