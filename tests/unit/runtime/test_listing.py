"""Lists of our own kinds against events that come meanwhile, and lists that overlap."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from presage.adapters.kube import KubeClient, KubeError, NotFound, Unavailable
from presage.core.resource_type import ResourceType
from presage.runtime.listing import OwnObjects
from tests.unit.runtime.shop import KEY, PROFILE
from tests.unit.runtime.test_intake import Harness, shop


class Lists:
    """Answers a list with what there was when it was asked for, once `answer` is set."""

    def __init__(self, *bodies: dict[str, Any]) -> None:
        self.bodies = list(bodies)
        self.fault: KubeError | None = None
        self.answer = asyncio.Event()
        self.answer.set()
        self.asked = asyncio.Event()

    async def list(self, resource: ResourceType) -> tuple[list[dict[str, Any]], str]:
        self.asked.set()
        seen = list(self.bodies)
        await self.answer.wait()
        if self.fault is not None:
            raise self.fault
        return seen, "1"


def own_objects(lists: Lists, harness: Harness) -> OwnObjects:
    return OwnObjects(cast(KubeClient, lists), [PROFILE], harness.store, harness.intake)


async def test_what_no_event_told_is_found_and_what_is_gone_is_forgotten() -> None:
    harness, lists = Harness(), Lists(shop())
    own = own_objects(lists, harness)
    assert await own.relist() is None
    assert harness.store.all_keys() == [KEY]
    lists.bodies.clear()
    assert await own.relist() is None
    assert harness.store.all_keys() == []
    assert harness.added == [KEY, KEY]


async def test_an_api_out_of_reach_changes_nothing_and_an_absent_one_has_no_objects() -> None:
    harness, lists = Harness(), Lists(shop())
    own = own_objects(lists, harness)
    await own.relist()
    lists.fault = Unavailable("no answer")
    assert await own.relist() == "metricprofiles.presage.dev cannot be listed: no answer"
    assert harness.store.all_keys() == [KEY]
    lists.fault = NotFound("no such API")
    assert "CRD not installed: metricprofiles.presage.dev" in str(await own.relist())
    assert harness.store.all_keys() == []


async def test_an_object_deleted_while_lists_overlap_stays_gone() -> None:
    harness, lists = Harness(), Lists(shop())
    own = own_objects(lists, harness)
    await own.relist()
    lists.answer.clear()
    lists.asked.clear()
    first = asyncio.ensure_future(own.relist())
    await lists.asked.wait()
    lists.bodies.clear()
    harness.intake.observe(PROFILE, "DELETED", shop())
    second = asyncio.ensure_future(own.relist())
    for _ in range(5):
        await asyncio.sleep(0)
    lists.answer.set()
    await asyncio.gather(first, second)
    assert harness.store.all_keys() == []
