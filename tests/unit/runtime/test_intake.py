"""Which events of our own kinds make which keys due."""

from __future__ import annotations

from typing import Any

from presage.core.resource_type import ResourceType
from presage.reconcile.kind import ObjectKey
from presage.runtime.intake import Intake
from presage.runtime.store import ObjectStore
from tests.unit.runtime.shop import KEY, PROFILE


def shop(**changes: Any) -> dict[str, Any]:
    metadata = {"name": "shop", "namespace": "team", "uid": "u", "generation": 1, **changes.pop("metadata", {})}
    return {"metadata": metadata, **changes}


class Harness:
    def __init__(self) -> None:
        self.store = ObjectStore()
        self.added: list[ObjectKey] = []
        self.spread: list[ResourceType] = []
        self.intake = Intake(self.store, self.added.append, lambda resource, _: self.spread.append(resource))


def test_our_own_status_writes_wake_nobody() -> None:
    harness = Harness()
    harness.intake.observe(PROFILE, None, shop())
    harness.intake.observe(PROFILE, "MODIFIED", shop(status={"readyReplicas": 3}, metadata={"resourceVersion": "9"}))
    assert harness.added == [KEY]
    stored = harness.store.get("MetricProfile", "team", "shop")
    assert stored is not None
    assert stored["status"] == {"readyReplicas": 3}, "but the newest body is kept"


def test_a_change_of_spec_or_annotation_is_due_and_spreads() -> None:
    harness = Harness()
    harness.intake.observe(PROFILE, None, shop())
    harness.intake.observe(PROFILE, "MODIFIED", shop(metadata={"generation": 2}))
    harness.intake.observe(
        PROFILE, "MODIFIED", shop(metadata={"generation": 2, "annotations": {"presage.dev/paused": "true"}})
    )
    assert harness.added == [KEY] * 3
    assert harness.spread == [PROFILE.resource] * 3


def test_a_deleted_object_is_dropped_and_due_once_more() -> None:
    harness = Harness()
    harness.intake.observe(PROFILE, None, shop())
    harness.intake.observe(PROFILE, "DELETED", shop())
    assert harness.store.all_keys() == []
    assert harness.added == [KEY, KEY]
