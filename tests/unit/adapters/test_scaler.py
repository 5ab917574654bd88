"""Replicas are never written blindly, and every refusal is a fault a person can act on."""

from __future__ import annotations

from typing import Any

import pytest

from presage.adapters.kube import Conflict, Forbidden, Invalid, KubeError, NotFound, NotLeader, Unavailable
from presage.adapters.scaler import KubeScaler
from presage.core.faults import WriteRefused
from presage.core.resource_type import ResourceType

DEPLOYMENTS = ResourceType("apps", "v1", "deployments", "Deployment")


class Client:
    """A scale at 5 replicas, version 7; `fault` is what the write meets."""

    def __init__(self, fault: KubeError | None = None, stale: tuple[str, ...] = ()) -> None:
        self.stale = stale
        self.fault = fault
        self.written: list[tuple[int, str]] = []
        self.reads = 0

    async def get_scale(self, *_: Any) -> dict[str, object]:
        self.reads += 1
        return {"spec": {"replicas": 5}, "metadata": {"resourceVersion": str(6 + self.reads)}}

    async def patch_scale(self, _: Any, __: str, ___: str, replicas: int, *, resource_version: str) -> None:
        if self.fault:
            raise self.fault
        if resource_version in self.stale:
            raise Conflict("status was written meanwhile", status=409)
        self.written.append((replicas, resource_version))


async def test_the_version_that_was_read_is_the_one_that_is_written() -> None:
    client = Client()
    await KubeScaler(client).scale(DEPLOYMENTS, "team", "shop", 5, 8)  # type: ignore[arg-type]  # only scale is used
    assert client.written == [(8, "7")]


async def test_a_target_that_someone_else_scaled_is_decided_anew() -> None:
    client = Client()
    with pytest.raises(WriteRefused) as caught:
        await KubeScaler(client).scale(DEPLOYMENTS, "team", "shop", 4, 3)  # type: ignore[arg-type]  # as above
    assert caught.value.reason == "Conflict"
    assert client.written == []


async def test_a_status_write_in_between_is_no_conflict() -> None:
    client = Client(stale=("7", "8"))
    await KubeScaler(client).scale(DEPLOYMENTS, "team", "shop", 5, 8)  # type: ignore[arg-type]  # as above
    assert client.written == [(8, "9")]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Forbidden("no", status=403), "Forbidden"),
        (Invalid("quota", status=422), "Refused"),
        (Conflict("changed", status=409), "Conflict"),
        (NotFound("gone", status=404), "TargetNotFound"),
        (Unavailable("down"), "Unavailable"),
        (NotLeader("fenced"), "Unavailable"),
    ],
)
async def test_refusals(fault: KubeError, reason: str) -> None:
    with pytest.raises(WriteRefused) as caught:
        await KubeScaler(Client(fault)).scale(DEPLOYMENTS, "team", "shop", 5, 8)  # type: ignore[arg-type]  # as above
    assert caught.value.reason == reason
    assert "shop" in caught.value.message
