"""What is done to pods, and what a refusal means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from presage.adapters.kube import Forbidden, KubeError, NotFound, Throttled
from presage.adapters.pods import KubePods
from presage.core.faults import WriteRefused


class Client:
    """Remembers what was asked for; `fault` is what it meets."""

    def __init__(self, fault: KubeError | None = None) -> None:
        self.fault = fault
        self.asked: list[tuple[Any, ...]] = []

    async def annotate(self, _: Any, name: str, namespace: str, annotations: Mapping[str, str], manager: str) -> None:
        self._meet("annotate", namespace, name, dict(annotations), manager)

    async def evict(self, name: str, namespace: str, uid: str) -> None:
        self._meet("evict", namespace, name, uid)

    def _meet(self, *asked: Any) -> None:
        self.asked.append(asked)
        if self.fault:
            raise self.fault


def pods(client: Client) -> KubePods:
    return KubePods(client)  # type: ignore[arg-type]  # only these requests are used


async def test_a_pod_is_annotated_and_evicted() -> None:
    client = Client()
    await pods(client).annotate("team", "shop-1", {"a": "1"})
    await pods(client).evict("team", "shop-1", "u-1")
    assert client.asked == [
        ("annotate", "team", "shop-1", {"a": "1"}, "presage-recording"),
        ("evict", "team", "shop-1", "u-1"),
    ]


async def test_a_pod_that_is_gone_is_no_error() -> None:
    client = Client(NotFound("gone", status=404))
    await pods(client).annotate("team", "shop-1", {"a": "1"})
    await pods(client).evict("team", "shop-1", "u-1")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [(Forbidden("no", status=403), "Forbidden"), (Throttled("budget", status=429), "DisruptionBudget")],
    ids=["right missing", "budget"],
)
async def test_a_refusal_names_its_cause(fault: KubeError, reason: str) -> None:
    with pytest.raises(WriteRefused) as caught:
        await pods(Client(fault)).evict("team", "shop-1", "u-1")
    assert caught.value.reason == reason
