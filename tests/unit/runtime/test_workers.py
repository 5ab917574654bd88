"""Workers: who holds up whom, and what a death or an outcome leads to."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import pytest

from presage.core.outcome import Ok, Outcome
from presage.core.query import Selection
from presage.core.source_reading import History, LabelValues, Source, TickSample
from presage.reconcile.kind import ObjectKey
from presage.runtime.queue import WorkQueue
from presage.runtime.scheduler import Scheduler
from presage.runtime.store import ObjectStore
from presage.runtime.turns import PatientLoads, Turns
from presage.runtime.workers import Workers
from tests.unit.adapters.metric_server import SPEC

HANGING, HEALTHY = Source("hanging", 1, SPEC), Source("healthy", 1, SPEC)
Reconcile = Callable[[ObjectKey], Awaitable[Outcome | None]]


class HangingLoads:
    """One source answers, the other one does not before it is told to."""

    def __init__(self) -> None:
        self.mended = asyncio.Event()

    async def probe(self, source: Source) -> str:
        if source is HANGING:
            await self.mended.wait()
        return "3"

    async def observe(self, source: Source, askers: Sequence[Selection], max_age_s: float) -> list[TickSample]:
        await self.probe(source)
        return []

    async def history(
        self, source: Source, askers: Sequence[Selection], step_s: int, history_s: float, now: float
    ) -> list[History]:
        await self.probe(source)
        return []

    async def find_values(self, source: Source, asker: Selection, label: str, most: int) -> LabelValues:
        await self.probe(source)
        return LabelValues({})


def key(namespace: str, number: int = 0) -> ObjectKey:
    return ObjectKey("MetricProfile", namespace, f"p{number}")


@contextlib.asynccontextmanager
async def working(reconcile: Reconcile, turns: Turns) -> AsyncIterator[WorkQueue]:
    queue = WorkQueue()
    workers = Workers(reconcile, queue, Scheduler(queue.add), ObjectStore(), turns=turns, resync_s=600)
    running = asyncio.ensure_future(workers.run())
    yield queue
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def until(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110  # what is waited for is plain state
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("ask", ["probe", "observe", "history"])
async def test_a_source_that_hangs_keeps_only_its_own_askers_waiting(ask: str) -> None:
    turns, hanging, done = Turns(2), HangingLoads(), []
    loads = PatientLoads(hanging, turns)
    questions = {
        "probe": lambda source: loads.probe(source),
        "observe": lambda source: loads.observe(source, [], 60),
        "history": lambda source: loads.history(source, [], 1, 1, 1),
    }

    async def reconcile(key: ObjectKey) -> Outcome:
        await questions[ask](HANGING if key.namespace == "a" else HEALTHY)
        done.append(key)
        return Ok(60)

    async with working(reconcile, turns) as queue:
        for number in range(50):
            queue.add(key("a", number))
        queue.add(key("b"))
        await until(lambda: done)
        assert done == [key("b")]
        hanging.mended.set()
        await until(lambda: len(done) == 51)


async def test_no_more_work_at_once_than_there_are_turns() -> None:
    turns, hanging, busy, most = Turns(3), HangingLoads(), 0, 0
    hanging.mended.set()
    loads, left = PatientLoads(hanging, turns), 40

    async def reconcile(key: ObjectKey) -> Outcome:
        nonlocal busy, most, left
        for _ in range(2):
            busy += 1
            most = max(most, busy)
            await asyncio.sleep(0.001)
            busy -= 1
            await loads.probe(HANGING)
        left -= 1
        return Ok(60)

    async with working(reconcile, turns) as queue:
        for number in range(left):
            queue.add(key("a", number))
        await until(lambda: left == 0)
    assert most == 3


async def test_an_object_is_never_handled_twice_at_once() -> None:
    turns, hanging, inside = Turns(4), HangingLoads(), 0
    loads = PatientLoads(hanging, turns)

    async def reconcile(key: ObjectKey) -> Outcome:
        nonlocal inside
        inside += 1
        await loads.probe(HANGING)
        return Ok(60)

    async with working(reconcile, turns) as queue:
        queue.add(key("a"))
        await until(lambda: inside)
        queue.add(key("a"))
        await asyncio.sleep(0.05)
        assert inside == 1, "it lends its turn, not its key"
        hanging.mended.set()
        await until(lambda: inside == 2)


async def test_a_defect_of_one_object_stops_no_other() -> None:
    done = []

    async def reconcile(key: ObjectKey) -> Outcome:
        if key.namespace == "a":
            raise RuntimeError("defect")
        done.append(key)
        return Ok(60)

    async with working(reconcile, Turns(1)) as queue:
        queue.add(key("a"))
        queue.add(key("b"))
        await until(lambda: done)
