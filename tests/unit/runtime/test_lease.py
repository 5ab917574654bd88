"""The Lease: two contenders, one clock each, a store that behaves as the API server's does."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from presage.adapters.kube import Conflict, Forbidden, KubeError, NotFound, Unavailable
from presage.adapters.kube_json import JsonObject
from presage.runtime.lease import Lease, LeaseLost


@dataclass
class Store:
    """One Lease with optimistic concurrency; `fault` is raised by every call while set."""

    spec: JsonObject | None = None
    version: int = 0
    fault: KubeError | None = None
    writes: list[str] = field(default_factory=list)

    async def get_lease(self, namespace: str, name: str) -> dict[str, object]:
        self._fail()
        if self.spec is None:
            raise NotFound("no lease", status=404)
        return self._answer()

    async def create_lease(self, namespace: str, name: str, spec: JsonObject) -> dict[str, object]:
        self._fail()
        if self.spec is not None:
            raise Conflict("exists", status=409)
        return self._store(spec)

    async def replace_lease(
        self, namespace: str, name: str, spec: JsonObject, resource_version: str
    ) -> dict[str, object]:
        self._fail()
        if resource_version != str(self.version):
            raise Conflict("changed", status=409)
        return self._store(spec)

    def _store(self, spec: JsonObject) -> dict[str, object]:
        self.spec, self.version = spec, self.version + 1
        self.writes.append(str(spec["holderIdentity"]))
        return self._answer()

    def _answer(self) -> dict[str, object]:
        return {"metadata": {"resourceVersion": str(self.version)}, "spec": dict(self.spec or {})}

    def _fail(self) -> None:
        if self.fault is not None:
            raise self.fault


class Ticker:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


def contender(store: Store, clock: Ticker, identity: str) -> Lease:
    return Lease(store, namespace="n", name="l", identity=identity, duration_s=10, renew_s=0.001, monotonic=clock)


async def is_taken(lease: Lease) -> bool:
    """Let the lease look once."""
    return await lease._try_once()


async def test_the_first_takes_it_and_the_second_waits() -> None:
    store, clock = Store(), Ticker()
    first, second = contender(store, clock, "a"), contender(store, clock, "b")
    assert await is_taken(first)
    assert first.held()
    assert not await is_taken(second)
    assert not second.held()
    assert second.refusal is None, "waiting is no refusal"


async def test_a_silent_holder_is_replaced_only_after_its_whole_duration() -> None:
    store, clock = Store(), Ticker()
    first, second = contender(store, clock, "a"), contender(store, clock, "b")
    await is_taken(first)
    await is_taken(second)
    clock.time += 9.9
    assert not await is_taken(second)
    assert not first.held(), "the old holder's belief ends before the rival may act"
    clock.time += 0.2
    assert await is_taken(second)
    assert not first.held()


async def test_a_holder_that_renews_keeps_it() -> None:
    store, clock = Store(), Ticker()
    first, second = contender(store, clock, "a"), contender(store, clock, "b")
    await is_taken(first)
    for _ in range(10):
        clock.time += 5
        assert await is_taken(first)
        assert not await is_taken(second)


async def test_lost_renewals_end_the_belief_in_time() -> None:
    store, clock = Store(), Ticker()
    lease = contender(store, clock, "a")
    await is_taken(lease)
    store.fault = Unavailable("down")
    holding = asyncio.ensure_future(lease.hold())
    await asyncio.sleep(0.01)
    assert lease.held()
    clock.time += 9.1
    assert not lease.held()
    with pytest.raises(LeaseLost):
        await asyncio.wait_for(holding, 1)


async def test_a_lease_taken_by_another_ends_ours_at_once() -> None:
    store, clock = Store(), Ticker()
    lease = contender(store, clock, "a")
    await is_taken(lease)
    store.spec, store.version = {"holderIdentity": "b", "leaseDurationSeconds": 10}, 99
    with pytest.raises(LeaseLost):
        await asyncio.wait_for(lease.hold(), 1)


async def test_a_renewal_whose_answer_was_lost_is_still_ours() -> None:
    store, clock = Store(), Ticker()
    lease = contender(store, clock, "a")
    await is_taken(lease)
    store.version += 1  # the write arrived, the answer did not
    assert not await is_taken(lease)
    assert lease.held()
    assert await is_taken(lease)


async def test_a_refusal_by_the_api_is_told() -> None:
    store, clock = Store(fault=Forbidden("no", status=403)), Ticker()
    lease = contender(store, clock, "a")
    assert not await is_taken(lease)
    assert lease.refusal is not None
    assert "n/l" in lease.refusal
    store.fault = None
    assert await is_taken(lease)
    assert lease.refusal is None


async def test_release_lets_the_next_in_at_once() -> None:
    store, clock = Store(), Ticker()
    first, second = contender(store, clock, "a"), contender(store, clock, "b")
    await is_taken(first)
    await is_taken(second)
    await first.release()
    assert not first.held()
    assert await is_taken(second)
    assert store.writes == ["a", "", "b"]


async def test_our_own_old_record_is_waited_out() -> None:
    """A predecessor of the same name may still have a write under way."""
    store, clock = Store(), Ticker()
    await is_taken(contender(store, clock, "a"))
    successor = contender(store, clock, "a")
    assert not await is_taken(successor)
    clock.time += 10.1
    assert await is_taken(successor)
