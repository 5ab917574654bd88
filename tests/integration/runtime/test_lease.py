"""Two contenders for one real Lease: who leads, who follows, and how soon."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from presage.adapters.kube import KubeClient
from presage.runtime.lease import Lease, LeaseLost
from tests.integration.tools import Kubectl, eventually

DURATION_S, RENEW_S = 3.0, 0.6


def contender(kube: KubeClient, namespace: str, identity: str) -> Lease:
    return Lease(kube, namespace=namespace, name="election", identity=identity, duration_s=DURATION_S, renew_s=RENEW_S)


@pytest.fixture
async def tasks() -> AsyncIterator[list[asyncio.Future[None]]]:
    """Futures that end with the test."""
    running: list[asyncio.Future[None]] = []
    yield running
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


async def test_one_leads_and_a_release_hands_over_soon(
    kube: KubeClient, kubectl: Kubectl, namespace: str, tasks: list[asyncio.Future[None]]
) -> None:
    first, second = contender(kube, namespace, "first"), contender(kube, namespace, "second")
    await first.acquire()
    tasks.append(asyncio.ensure_future(first.hold()))
    tasks.append(waiting := asyncio.ensure_future(second.acquire()))
    await asyncio.sleep(DURATION_S * 1.5)
    assert first.held(), "renewed"
    assert not waiting.done(), "a holder that renews keeps it"
    tasks[0].cancel()
    began = time.monotonic()
    await first.release()
    await asyncio.wait_for(waiting, 2)
    assert time.monotonic() - began < 2
    assert second.held()
    assert not first.held()
    spec = kubectl.read("-n", namespace, "lease", "election")["spec"]
    assert spec["holderIdentity"].startswith("second_")
    assert spec["leaseTransitions"] == 1


async def test_a_holder_that_dies_is_followed_after_the_duration(kube: KubeClient, namespace: str) -> None:
    first, second = contender(kube, namespace, "first"), contender(kube, namespace, "second")
    await first.acquire()
    began = time.monotonic()
    taking = asyncio.ensure_future(second.acquire())
    both = 0
    while not taking.done():
        both += first.held() and second.held()
        await asyncio.sleep(0.01)
    took = time.monotonic() - began
    assert both == 0, "never two at once"
    assert DURATION_S <= took < DURATION_S + 2 * RENEW_S + 1


async def test_many_contenders_one_holder(kube: KubeClient, namespace: str, tasks: list[asyncio.Future[None]]) -> None:
    contenders = [contender(kube, namespace, f"c{i}") for i in range(5)]
    tasks += [asyncio.ensure_future(each.acquire()) for each in contenders]
    until = time.monotonic() + 2
    while time.monotonic() < until:
        assert sum(each.held() for each in contenders) <= 1
        await asyncio.sleep(0.005)
    assert sum(each.held() for each in contenders) == 1


async def test_a_lease_deleted_by_a_person_is_put_back(
    kube: KubeClient, kubectl: Kubectl, namespace: str, tasks: list[asyncio.Future[None]]
) -> None:
    lease = contender(kube, namespace, "first")
    await lease.acquire()
    tasks.append(asyncio.ensure_future(lease.hold()))
    kubectl("-n", namespace, "delete", "lease", "election")
    await asyncio.sleep(DURATION_S)
    assert lease.held()
    assert kubectl.read("-n", namespace, "lease", "election")["spec"]["holderIdentity"].startswith("first_")


async def test_a_lease_taken_by_force_is_lost_at_once(kube: KubeClient, kubectl: Kubectl, namespace: str) -> None:
    lease = contender(kube, namespace, "first")
    await lease.acquire()
    kubectl("-n", namespace, "patch", "lease", "election", "--type=merge", "-p", '{"spec":{"holderIdentity":"x"}}')
    with pytest.raises(LeaseLost):
        await asyncio.wait_for(lease.hold(), 2 * RENEW_S)
    assert not lease.held()


async def test_a_label_put_on_the_lease_does_not_cost_it(
    kube: KubeClient, kubectl: Kubectl, namespace: str, tasks: list[asyncio.Future[None]]
) -> None:
    lease = contender(kube, namespace, "first")
    await lease.acquire()
    tasks.append(holding := asyncio.ensure_future(lease.hold()))
    kubectl("-n", namespace, "label", "lease", "election", "touched=yes")
    await eventually(lambda: "renewed" if _renewals(kubectl, namespace) else "", within=DURATION_S, what="a renewal")
    assert lease.held()
    assert not holding.done()


def _renewals(kubectl: Kubectl, namespace: str) -> bool:
    spec = kubectl.read("-n", namespace, "lease", "election")["spec"]
    return bool(spec["renewTime"] > spec["acquireTime"])
