"""The run that is the same for every kind: what is counted of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from prometheus_client.parser import text_string_to_metric_families

from presage.core.resource_type import ResourceType
from presage.observability.metrics import Metrics
from presage.reconcile.kind import AnyKind, ObjectKey
from presage.reconcile.ports import Objects
from presage.resources.base import InvalidSpecError
from presage.runtime.reconciler import Reconciler

KEY = ObjectKey("Toy", "team", "shop")
BODY = {"metadata": {"namespace": "team", "name": "shop", "uid": "1", "generation": 1}}


class _Status:
    async def write(self, *_: Any) -> tuple[()]:
        return ()

    def forget(self, _: ObjectKey) -> None:
        pass


def reconciler(parse: Any, metrics: Metrics) -> Reconciler:
    model = SimpleNamespace(parse=parse)
    kind = cast(AnyKind, SimpleNamespace(name="Toy", resource=ResourceType("t", "v1", "toys", "Toy"), model=model))
    objects = cast(Objects, SimpleNamespace(get=lambda *_: BODY))
    unused: Any = None
    return Reconciler([(kind, unused)], objects, cast(Any, _Status()), unused, unused, metrics)


async def read(metrics: Metrics, name: str) -> dict[str, float]:
    """Return the samples of one series that are not 0, by the values of all labels."""
    return {
        " ".join(value for _, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families((await metrics.render()).decode())
        for sample in family.samples
        if sample.name == name and sample.value
    }


async def test_a_defect_is_counted_and_raised() -> None:
    def parse(_: Any) -> None:
        raise ZeroDivisionError

    metrics = Metrics()
    with pytest.raises(ZeroDivisionError):
        await reconciler(parse, metrics).reconcile(KEY)
    assert await read(metrics, "presage_reconcile_duration_seconds_count") == {"Toy Defect": 1}


async def test_an_invalid_spec_counts_as_not_ready() -> None:
    def parse(_: Any) -> None:
        raise InvalidSpecError("spec.x: too small")

    metrics = Metrics()
    await reconciler(parse, metrics).reconcile(KEY)
    assert await read(metrics, "presage_reconcile_duration_seconds_count") == {"Toy Fail": 1}
    assert await read(metrics, "presage_objects") == {"Toy false": 1}
