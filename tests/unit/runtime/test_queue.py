"""Work queue and due times."""

from __future__ import annotations

import asyncio

import pytest

from presage.reconcile.kind import ObjectKey
from presage.runtime.queue import WorkQueue
from presage.runtime.scheduler import Scheduler, align

A, B = ObjectKey("MetricProfile", "team", "a"), ObjectKey("MetricProfile", "team", "b")
OTHER, SOURCE = ObjectKey("MetricProfile", "shop", "a"), ObjectKey("MetricSource", "", "main")


async def test_a_key_waits_once() -> None:
    queue = WorkQueue()
    for key in (A, B, A):
        queue.add(key)
    assert queue.depth == 2
    assert [await queue.get(), await queue.get()] == [A, B]


async def test_a_key_asked_for_while_handled_is_handled_once_more() -> None:
    queue = WorkQueue()
    queue.add(A)
    handled = await queue.get()
    queue.add(A)
    queue.add(A)
    assert queue.depth == 0, "two workers must never have the same key"
    queue.done(handled)
    assert queue.depth == 1
    queue.done(await queue.get())
    assert queue.depth == 0


async def test_get_waits_for_a_key() -> None:
    queue = WorkQueue()
    waiting = asyncio.ensure_future(queue.get())
    await asyncio.sleep(0)
    assert not waiting.done()
    queue.add(A)
    assert await waiting == A


async def test_age_is_that_of_the_key_that_waits_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("presage.runtime.queue.time.monotonic", lambda: now[0])
    queue = WorkQueue()
    assert queue.age_s == 0
    for key in (A, OTHER, A, B):
        queue.add(key)
        now[0] += 1
    assert queue.age_s == 4
    await queue.get()
    assert queue.age_s == 3


async def test_namespaces_take_turns() -> None:
    queue = WorkQueue()
    for key in (A, B, OTHER, SOURCE):
        queue.add(key)
    assert [await queue.get() for _ in range(4)] == [A, OTHER, SOURCE, B]


async def test_a_key_that_comes_back_waits_behind_its_own() -> None:
    queue = WorkQueue()
    queue.add(A)
    queue.add(B)
    assert await queue.get() == A
    queue.add(A)
    queue.done(A)
    assert [await queue.get(), await queue.get()] == [B, A]


def test_the_latest_due_time_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("presage.runtime.scheduler.time.monotonic", lambda: now[0])
    released: list[ObjectKey] = []
    scheduler = Scheduler(released.append)
    scheduler.schedule(A, 5)
    scheduler.schedule(A, 20)
    scheduler.schedule(B, 10)
    assert scheduler.release_due(106) == 4
    assert released == []
    assert scheduler.release_due(110) == 10
    assert released == [B]
    assert scheduler.release_due(120) is None
    assert released == [B, A]


@pytest.mark.parametrize(
    ("due", "grid", "want"),
    [
        pytest.param(115.7, 1.0, 115.0, id="a second"),
        pytest.param(115.0, 1.0, 115.0, id="never later"),
        pytest.param(115.7, 0.0, 115.7, id="at once"),
    ],
)
def test_due_times_fall_together(due: float, grid: float, want: float) -> None:
    assert align(due, grid) == want


def test_a_due_time_is_early_by_a_tenth_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("presage.runtime.scheduler.time.monotonic", lambda: 100.97)
    for delay, want in ((15.0, 115.0 - 100.97), (2.0, 102.8 - 100.97)):
        scheduler = Scheduler(lambda key: None)
        scheduler.schedule(A, delay)
        assert scheduler.release_due(100.97) == pytest.approx(want)


def test_a_forgotten_key_is_never_due() -> None:
    released: list[ObjectKey] = []
    scheduler = Scheduler(released.append)
    scheduler.schedule(A, 0)
    scheduler.forget(A)
    assert scheduler.release_due(1e12) is None
    assert released == []


async def test_the_loop_wakes_for_an_earlier_due_time() -> None:
    released = asyncio.Queue[ObjectKey]()
    scheduler = Scheduler(released.put_nowait)
    scheduler.schedule(A, 60)
    loop = asyncio.ensure_future(scheduler.run())
    await asyncio.sleep(0)
    scheduler.schedule(B, 0.01)
    assert await asyncio.wait_for(released.get(), 2) == B
    loop.cancel()
