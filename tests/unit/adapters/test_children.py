"""Children bear their owner's marks, and nothing without them is touched."""

from __future__ import annotations

import pytest

from presage.adapters.children import KubeChildren
from presage.adapters.kube import Conflict, Forbidden, Invalid, KubeError, Unavailable
from presage.core.faults import WriteRefused
from presage.core.ownership import Owner, build_marks, read_owner
from presage.core.resource_type import ResourceType
from tests.unit.kube_memory import KubeMemory

OWNER = Owner("presage.dev/v1alpha1", "Errand", "team", "tidy", "u-1")
TWIN = Owner("presage.dev/v1alpha1", "Errand", "team", "tidy", "u-0")
JOBS = ResourceType("batch", "v1", "jobs", "Job")
CLASSES = ResourceType("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", namespaced=False)


def children(memory: KubeMemory) -> KubeChildren:
    return KubeChildren(memory)  # type: ignore[arg-type]  # only these requests are used


async def test_a_child_bears_the_marks_and_keeps_its_own_labels() -> None:
    memory = KubeMemory()
    await children(memory).apply(OWNER, JOBS, "tidy-1", {"metadata": {"labels": {"app": "tidy"}}})
    made = memory.objects["jobs", "team", "tidy-1"]
    assert read_owner(made) == OWNER
    assert made["metadata"]["labels"]["app"] == "tidy"
    assert memory.managers == ["presage-errand"]


@pytest.mark.parametrize("made_for", [None, TWIN])
async def test_an_object_of_somebody_else_is_left_alone(made_for: Owner | None) -> None:
    memory = KubeMemory()
    found = memory.put(JOBS, "tidy-1", "team", **(build_marks(made_for, "team") if made_for else {}))
    before = dict(found)
    for write in (
        children(memory).apply(OWNER, JOBS, "tidy-1", {}),
        children(memory).delete(OWNER, JOBS, "tidy-1"),
    ):
        with pytest.raises(WriteRefused) as caught:
            await write
        assert caught.value.reason == "NameTaken"
        assert "tidy-1" in caught.value.message
    assert memory.objects["jobs", "team", "tidy-1"] == before


async def test_deleting_twice_is_no_error() -> None:
    memory = KubeMemory()
    memory.put(JOBS, "tidy-1", "team", **build_marks(OWNER, "team"))
    await children(memory).delete(OWNER, JOBS, "tidy-1")
    await children(memory).delete(OWNER, JOBS, "tidy-1")
    assert memory.objects == {}


async def test_all_of_one_owner_go_and_no_others() -> None:
    memory = KubeMemory()
    for name, owner in (("a", OWNER), ("b", OWNER), ("c", TWIN)):
        memory.put(CLASSES, name, **build_marks(owner, ""))
    memory.put(CLASSES, "system")
    await children(memory).delete_all(OWNER, CLASSES)
    assert {name for _, _, name in memory.objects} == {"c", "system"}


@pytest.mark.parametrize(
    ("fault", "reason", "says"),
    [
        (Forbidden("no", status=403), "Forbidden", "may not apply Job tidy-1"),
        (Invalid("spec.template: field is immutable", status=422), "Refused", "field is immutable"),
        (Conflict("changed", status=409), "Conflict", "Job tidy-1"),
        (Unavailable("down"), "Unavailable", "did not apply Job tidy-1"),
    ],
)
async def test_refusals(fault: KubeError, reason: str, says: str) -> None:
    with pytest.raises(WriteRefused) as caught:
        await children(KubeMemory({"apply": fault})).apply(OWNER, JOBS, "tidy-1", {})
    assert caught.value.reason == reason
    assert says in caught.value.message
