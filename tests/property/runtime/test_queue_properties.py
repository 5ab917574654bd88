"""Properties of the queue: nobody starves, nothing is lost, nothing is in two hands."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from presage.reconcile.kind import ObjectKey
from presage.runtime.queue import WorkQueue

NAMESPACES = ("", "a", "b", "c", "d")
keys = st.builds(ObjectKey, st.just("MetricProfile"), st.sampled_from(NAMESPACES), st.sampled_from("pqrstuvwxyz"))


@given(st.integers(1, 10_000), st.sets(st.sampled_from(NAMESPACES[1:]), min_size=1), st.integers(0, 20))
def test_a_full_namespace_delays_another_one_by_a_round_at_most(many: int, others: set[str], taken: int) -> None:
    async def play() -> None:
        queue = WorkQueue()
        for number in range(many):
            queue.add(ObjectKey("MetricProfile", "", f"k{number}"))
        for _ in range(min(taken, many - 1)):
            await queue.get()
        for namespace in others:
            queue.add(ObjectKey("MetricProfile", namespace, "k"))
        first = [(await queue.get()).namespace for _ in range(len(others) + 1)]
        assert set(first) == {"", *others}

    asyncio.run(play())


@given(st.lists(st.tuples(st.sampled_from(["add", "get", "done"]), keys), max_size=60))
def test_every_key_asked_for_is_handled_after_it_was_asked_for(steps: list[tuple[str, ObjectKey]]) -> None:
    async def play() -> None:
        queue, handled = WorkQueue(), set[ObjectKey]()
        owed: set[ObjectKey] = set()
        for step, key in steps:
            if step == "add":
                queue.add(key)
                owed.add(key)
            elif step == "get" and queue.depth:
                got = await queue.get()
                assert got not in handled, "in two hands"
                handled.add(got)
                owed.discard(got)
            elif step == "done" and handled:
                queue.done(handled.pop())
        for key in list(handled):
            queue.done(key)
        rest = [await queue.get() for _ in range(queue.depth)]
        assert len(rest) == len(set(rest))
        assert set(rest) == owed

    asyncio.run(play())
