"""The Lease: two contenders, one clock each, a store that behaves as the API server's does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presage.adapters.kube import Conflict, Forbidden, KubeError, NotFound, Unavailable
from presage.adapters.kube_json import JsonObject
from presage.runtime.lease import Lease, LeaseLost


@dataclass
class Store:
    """One Lease with optimistic concurrency; `fault` is raised by every call while set."""

    spec: JsonObject | None = None
    version: int = 0
    fault: KubeError | None = None
    hang: bool = False
    lose_answers: bool = False
    writes: list[str] = field(default_factory=list)

    async def get_lease(self, namespace: str, name: str) -> dict[str, object]:
        await self._fail()
        if self.spec is None:
            raise NotFound("no lease", status=404)
        return self._answer()

    async def create_lease(self, namespace: str, name: str, spec: JsonObject) -> dict[str, object]:
        await self._fail()
        if self.spec is not None:
            raise Conflict("exists", status=409)
        return self._store(spec)

    async def replace_lease(
        self, namespace: str, name: str, spec: JsonObject, resource_version: str
    ) -> dict[str, object]:
        await self._fail()
        if self.spec is None:
            raise NotFound("no lease", status=404)
        if resource_version != str(self.version):
            raise Conflict("changed", status=409)
        return self._store(spec)

    def delete(self) -> None:
        self.spec = None

    def take_over(self, holder: str) -> None:
        self.spec = {"holderIdentity": holder, "leaseDurationSeconds": 10}
        self.version += 1

    def _store(self, spec: JsonObject) -> dict[str, object]:
        self.spec, self.version = spec, self.version + 1
        self.writes.append(str(spec["holderIdentity"]).partition("_")[0])
        if self.lose_answers:
            raise Unavailable("the answer was lost")
        return self._answer()

    def _answer(self) -> dict[str, object]:
        return {"metadata": {"resourceVersion": str(self.version)}, "spec": dict(self.spec or {})}

    async def _fail(self) -> None:
        if self.hang:
            await asyncio.sleep(3600)
        if self.fault is not None:
            raise self.fault


class Ticker:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


def contender(store: Store, clock: Callable[[], float], identity: str, duration_s: float = 10) -> Lease:
    return Lease(
        store, namespace="n", name="l", identity=identity, duration_s=duration_s, renew_s=0.001, monotonic=clock
    )


async def take(lease: Lease) -> bool:
    """Let a waiting replica look once."""
    return await lease._attempt(lease._take)


async def renew(lease: Lease) -> bool:
    """Let a holder renew once."""
    return await lease._attempt(lease._renew)


async def lost(holding: asyncio.Future[None]) -> None:
    with pytest.raises(LeaseLost):
        await asyncio.wait_for(holding, 1)


async def test_the_first_takes_it_and_the_second_waits() -> None:
    store, clock = Store(), Ticker()
    first, second = contender(store, clock, "a"), contender(store, clock, "b")
    assert await take(first)
    assert first.held()
    assert not await take(second)
    assert not second.held()
    assert second.trouble is None, "waiting is no refusal"


async def test_a_silent_holder_is_replaced_only_after_its_whole_duration() -> None:
    store, clock = Store(), Ticker()
    first, second = contender(store, clock, "a"), contender(store, clock, "b")
    await take(first)
    await take(second)
    clock.time += 9.9
    assert not await take(second)
    assert not first.held(), "the old holder's belief ends before the rival may act"
    clock.time += 0.2
    assert await take(second)
    assert second.held()
    assert not first.held()


async def test_the_holders_duration_counts_not_the_watchers() -> None:
    store, clock = Store(), Ticker()
    first, second = contender(store, clock, "a", duration_s=60), contender(store, clock, "b", duration_s=10)
    await take(first)
    await take(second)
    clock.time += 50
    assert first.held()
    assert not await take(second)


async def test_a_holder_that_renews_keeps_it() -> None:
    store, clock = Store(), Ticker()
    first, second = contender(store, clock, "a"), contender(store, clock, "b")
    await take(first)
    for _ in range(10):
        clock.time += 5
        assert await renew(first)
        assert not await take(second)


async def test_lost_renewals_end_the_belief_in_time() -> None:
    store, clock = Store(), Ticker()
    lease = contender(store, clock, "a")
    await take(lease)
    store.fault = Unavailable("down")
    holding = asyncio.ensure_future(lease.hold())
    await asyncio.sleep(0.01)
    assert lease.held()
    clock.time += 9.1
    assert not lease.held()
    await lost(holding)


async def test_a_renewal_that_hangs_does_not_outlive_the_lease() -> None:
    store, clock = Store(), Ticker()
    lease = contender(store, clock, "a")
    await take(lease)
    clock.time += 8.4  # 0.1 s left
    store.hang = True
    holding = asyncio.ensure_future(lease.hold())
    await asyncio.sleep(0.05)
    clock.time += 1
    await lost(holding)


async def test_a_process_that_slept_too_long_does_not_take_it_back() -> None:
    """Others may have acted in between, so what it remembers is worth nothing."""
    store, clock = Store(), Ticker()
    lease = contender(store, clock, "a")
    await take(lease)
    clock.time += 3600
    store.take_over("")
    await lost(asyncio.ensure_future(lease.hold()))
    assert store.writes == ["a"]


async def test_a_lease_taken_by_another_ends_ours_at_once() -> None:
    store, clock = Store(), Ticker()
    lease = contender(store, clock, "a")
    await take(lease)
    store.take_over("b")
    await lost(asyncio.ensure_future(lease.hold()))


async def test_a_renewal_whose_answer_was_lost_is_still_ours() -> None:
    store, clock = Store(), Ticker()
    lease = contender(store, clock, "a")
    await take(lease)
    store.lose_answers = True
    assert not await renew(lease)
    store.lose_answers = False
    assert not await renew(lease), "a conflict with our own write"
    assert lease.held()
    assert await renew(lease)


async def test_a_take_whose_answer_was_lost_is_finished_by_the_next_look() -> None:
    store, clock = Store(), Ticker()
    lease = contender(store, clock, "a")
    store.lose_answers = True
    assert not await take(lease)
    assert not lease.held()
    store.lose_answers = False
    assert await take(lease)


async def test_two_processes_of_one_name_are_two() -> None:
    """A predecessor of the same name may still have a write under way."""
    store, clock = Store(), Ticker()
    first, second = contender(store, clock, "a"), contender(store, clock, "a")
    await take(first)
    assert not await take(second)
    clock.time += 10.1
    assert await take(second)


async def test_a_deleted_lease_is_put_back_by_its_holder() -> None:
    store, clock = Store(), Ticker()
    lease = contender(store, clock, "a")
    await take(lease)
    store.delete()
    assert await renew(lease)
    assert lease.held()
    assert store.spec is not None


async def test_a_rival_waits_out_a_holder_whose_lease_was_deleted() -> None:
    store, clock = Store(), Ticker()
    first, second = contender(store, clock, "a"), contender(store, clock, "b")
    await take(first)
    await take(second)
    store.delete()
    assert not await take(second)
    clock.time += 8
    assert first.held()
    assert not await take(second)
    clock.time += 2.1
    assert not first.held()
    assert await take(second)


async def test_a_refusal_by_the_api_is_told() -> None:
    store, clock = Store(fault=Forbidden("no", status=403)), Ticker()
    lease = contender(store, clock, "a")
    assert not await take(lease)
    assert lease.trouble is not None
    assert "n/l" in lease.trouble
    store.fault = None
    assert await take(lease)
    assert lease.trouble is None


async def test_release_lets_the_next_in_at_once() -> None:
    store, clock = Store(), Ticker()
    first, second = contender(store, clock, "a"), contender(store, clock, "b")
    await take(first)
    await take(second)
    await first.release()
    assert not first.held()
    assert await take(second)
    assert store.writes == ["a", "", "b"]


async def test_release_of_a_lease_held_by_another_writes_nothing() -> None:
    store, clock = Store(), Ticker()
    first, second = contender(store, clock, "a"), contender(store, clock, "b")
    await take(first)
    await second.release()
    assert store.writes == ["a"]


def test_renewals_that_are_too_rare_are_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        Lease(Store(), namespace="n", name="l", identity="a", duration_s=10, renew_s=6)


_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.sampled_from(["act", "act", "act", "release", "lose", "crash"]),
        st.sampled_from([0.0, 0.5, 2.0, 4.0, 11.0]),
    ),
    max_size=40,
)


@given(steps=_STEPS)
def test_never_two_holders(steps: list[tuple[str, str, float]]) -> None:
    """Whatever is done in whatever order, at any speed, with answers lost and processes replaced."""
    asyncio.run(_play(steps))


async def _play(steps: list[tuple[str, str, float]]) -> None:
    store, clock = Store(), Ticker()
    alive = {name: contender(store, clock, name) for name in ("a", "b")}
    dead: list[Lease] = []
    for name, step, wait in steps:
        clock.time += wait
        lease = alive[name]
        if step == "crash":  # its last write may still count: the old process is asked too
            dead.append(lease)
            alive[name] = contender(store, clock, name)
        elif step == "release":
            await lease.release()
        else:
            store.lose_answers = step == "lose"
            await (renew(lease) if lease.held() else take(lease))
            store.lose_answers = False
        assert sum(each.held() for each in (*alive.values(), *dead)) <= 1
