"""The example kind, without a cluster: its decisions, its layers, and what the runtime forgets of it."""

from __future__ import annotations

import ast
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from presage.core.conditions import Condition
from presage.core.outcome import Ok
from presage.core.ownership import Owner
from presage.core.resource_type import ResourceType
from presage.observability.metrics import Metrics
from presage.reconcile.kind import ObjectKey
from presage.reconcile.owned import watch_children
from presage.reconcile.ports import Json, Ports
from presage.runtime.deletion import Deletion
from presage.runtime.intake import Intake
from presage.runtime.reconciler import Reconciler
from presage.runtime.status import StatusWriter
from presage.runtime.store import ObjectStore
from tests.integration.extension import errands
from tests.integration.extension.errands.core.errand import (
    ErrandPlan,
    ErrandSpec,
    JobState,
    build_names,
    plan_errand,
)
from tests.integration.extension.errands.reconcile.errand import DEFINITION, JOBS, ErrandInput, decide

PACKAGE = Path(errands.__path__[0])
PLAIN = ("__future__", "collections", "dataclasses", "typing")
MAY_IMPORT = {  # a leading dot stands for the example's own package
    "core": ("presage.core",),
    "resources": ("presage.core", "presage.resources", "pydantic", ".core"),
    "reconcile": ("presage.core", "presage.resources", "presage.reconcile", ".core", ".resources"),
}
SPEC = ErrandSpec("none", (("A", "1"),), 5, True)
CLASS, JOB = build_names("team", "tidy", SPEC)
JOB_STATE = JobState(JOB, 0)


@pytest.mark.parametrize("layer", MAY_IMPORT)
def test_the_example_keeps_to_the_layers(layer: str) -> None:
    lower = (f"{errands.__name__}{each}" if each.startswith(".") else each for each in MAY_IMPORT[layer])
    allowed = (*PLAIN, *lower)
    imported = [
        node.module or ""
        for path in (PACKAGE / layer).glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
    ]
    assert imported
    assert [module for module in imported if not module.startswith(allowed)] == []


@pytest.mark.parametrize(
    ("jobs", "classes", "want"),
    [
        ((), (), ErrandPlan(CLASS, JOB, (), ())),
        ((JOB_STATE,), (), ErrandPlan(CLASS, "", (), ())),
        ((JOB_STATE,), (CLASS,), None),
        ((JOB_STATE, JobState("tidy-old", 1)), (CLASS, "old"), ErrandPlan("", "", ("tidy-old",), ("old",))),
    ],
    ids=["nothing there", "class missing", "all there", "left over"],
)
def test_plan(jobs: tuple[JobState, ...], classes: tuple[str, ...], want: ErrandPlan | None) -> None:
    assert plan_errand((CLASS, JOB), jobs, classes) == want


def test_another_wish_has_other_names() -> None:
    other = build_names("team", "tidy", ErrandSpec("none", (("A", "1"),), 6, True))
    assert set(other).isdisjoint({CLASS, JOB})
    assert build_names("team-tidy", "x", SPEC)[0] != build_names("team", "tidy-x", SPEC)[0]
    assert build_names("team", "tidy", ErrandSpec("none", (), None, False)) == ("", "")


@pytest.mark.parametrize(
    ("priority", "classes", "held"),
    [(5, (), True), (None, ("old",), True), (None, (), False)],
    ids=["a class is wanted", "one is left", "no class"],
)
def test_it_is_held_while_a_class_is_wanted_or_left(priority: int | None, classes: tuple[str, ...], held: bool) -> None:
    spec = ErrandSpec("none", (), priority, True)
    given = ErrandInput("team", "tidy", 1, spec, (), classes)
    assert decide(given) == decide(given), "the same input gives the same answer"
    assert decide(given).needs_undo is held


def test_every_reason_of_a_decision_is_documented() -> None:
    documented = {(reason.condition, reason.name) for reason in DEFINITION.reasons}
    for spec in (SPEC, ErrandSpec("none", (), None, False)):
        for jobs in ((), (JobState(build_names("team", "tidy", spec)[1], 1),)):
            conditions = decide(ErrandInput("team", "tidy", 1, spec, jobs, ())).conditions
            ready = DEFINITION.summarize(conditions, 1)
            assert {(c.type, c.reason) for c in (*conditions, ready)} <= documented


def test_a_child_wakes_its_owner_and_is_found_by_it_alone() -> None:
    watched = watch_children("Errand", JOBS, lambda job: {})
    owner = Owner("presage.dev/v1alpha1", "Errand", "team", "tidy", "u")
    marks = {
        "labels": {"presage.dev/owner-uid": "u"},
        "annotations": {"presage.dev/owner": "presage.dev/v1alpha1/Errand/team/tidy"},
    }
    mine = watched.trim({"metadata": {"name": "j", "namespace": "team", **marks}})
    forged = watched.trim({"metadata": {"name": "j", "namespace": "elsewhere", **marks}})
    assert mine["owner"] == owner
    assert list(watched.find_keys(mine, ObjectStore())) == [ObjectKey("Errand", "team", "tidy")]
    assert watched.index is not None
    assert len(list(watched.index(mine))) == 1
    assert list(watched.find_keys(forged, ObjectStore())) == list(watched.index(forged)) == []


class Outside:
    """Everything outside: watches that hold nothing, writes that are all taken and kept in order."""

    def __init__(self) -> None:
        self.written: list[str] = []

    def find(self, resource: ResourceType, value: str) -> tuple[Json, ...]:
        return ()

    async def apply(self, *_: Any, subresource: str = "", **__: Any) -> None:
        self.written.append(subresource or "child")

    async def get(self, *_: Any) -> Json:
        return {"metadata": {"uid": "u", "resourceVersion": "1"}}

    async def set_finalizers(self, *_: Any) -> None:
        self.written.append("finalizer")

    def announce(self, *_: Any) -> None:
        return


class Harness:
    """Intake and reconciler around one Errand."""

    def __init__(self, **spec: object) -> None:
        self.outside: Any = Outside()
        self.store, self.metrics = ObjectStore(), Metrics()
        self.status, deletion = StatusWriter(self.outside, 600), Deletion(self.outside)
        ports = Ports(*(self.outside,) * len(fields(Ports)))
        self.reconciler = Reconciler(
            [(DEFINITION, ports)], self.store, self.status, deletion, self.outside, self.metrics
        )
        self.intake = Intake(self.store, lambda _: None, lambda *_: None)
        meta = {"name": "tidy", "namespace": "team", "uid": "u", "generation": 1}
        self.body: Json = {"metadata": meta, "spec": {"image": "none", **spec}}

    async def see(self, change: str) -> Any:
        return await self.reconciler.reconcile(self.intake.observe(DEFINITION, change, self.body))


async def test_it_is_held_before_anything_is_made() -> None:
    harness = Harness(priority=5)
    await harness.see("ADDED")
    assert harness.outside.written == ["finalizer", "child", "child", "status"]


async def test_nothing_is_remembered_of_what_is_gone() -> None:
    harness = Harness()
    assert isinstance(await harness.see("ADDED"), Ok)
    assert harness.outside.written == ["child", "status"], "without a PriorityClass nothing holds it"
    assert b'presage_errand_completed{kind="Errand",name="tidy",namespace="team"}' in await harness.metrics.render()
    key = ObjectKey("Errand", "team", "tidy")
    assert key in harness.reconciler._memories
    assert key in harness.status._written
    assert await harness.see("DELETED") is None
    assert b'name="tidy"' not in await harness.metrics.render()
    assert key not in harness.reconciler._memories
    assert key not in harness.status._written


def test_what_the_spec_asks_for_is_ready_and_what_stands_in_its_way_is_not() -> None:
    refused = Condition("Started", "False", "NameTaken", "taken", 1)
    assert DEFINITION.summarize([refused], 1) == Condition("Ready", "False", "NameTaken", "taken", 1)
    asked = Condition("Started", "False", "NotAsked", "spec.run is false.", 1)
    assert DEFINITION.summarize([asked], 1).status == "True"
