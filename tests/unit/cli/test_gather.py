"""What is read of a cluster for check and bundle."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from presage.cli import gather
from presage.core.resource_type import ResourceType


class TwoOperators:
    """Answers as a cluster with an operator in each of two namespaces."""

    def each(self, resource: ResourceType, namespace: str | None, *, query: Any) -> Iterator[dict[str, Any]]:
        for place in ("one", "two"):
            if resource.plural == "deployments":
                selector = {"matchLabels": {"app": "presage"}}
                yield {"metadata": {"name": "presage", "namespace": place}, "spec": {"selector": selector}}
            elif namespace == place:
                yield {"metadata": {"name": f"pod-{place}", "namespace": place}}


def test_the_pods_of_two_operators_are_both_kept() -> None:
    raw: gather.Raw = {}
    gather._gather_operators(TwoOperators(), None, raw)  # type: ignore[arg-type]  # only `each` is used
    pods = raw["pods"]
    assert isinstance(pods, list)
    assert [pod["metadata"]["name"] for pod in pods] == ["pod-one", "pod-two"]
