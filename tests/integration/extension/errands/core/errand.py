"""What an Errand needs to exist, decided from what it asks for and what is there. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from presage.core.ownership import build_child_name


@dataclass(frozen=True, slots=True)
class ErrandSpec:
    """What the user asks for.

    Attributes:
        image: Image of the one container.
        data: Its environment, sorted by name.
        priority: Value of the PriorityClass made for it; None for the cluster's default.
        run: Whether it runs at all.
    """

    image: str
    data: tuple[tuple[str, str], ...]
    priority: int | None
    run: bool


@dataclass(frozen=True, slots=True)
class JobState:
    """A Job as last seen."""

    name: str
    succeeded: int


@dataclass(frozen=True, slots=True)
class ErrandPlan:
    """What to make and what to remove; each may be empty."""

    make_class: str
    make_job: str
    drop_jobs: tuple[str, ...]
    drop_classes: tuple[str, ...]


def build_names(namespace: str, name: str, spec: ErrandSpec) -> tuple[str, str]:
    """Return the names of PriorityClass and Job; one that is not wanted is empty.

    Neither can be changed once made, so a name follows from what the object is made from: another wish, another name.
    """
    if not spec.run:
        return "", ""
    priority = {"namespace": namespace, "value": spec.priority}
    class_name = "" if spec.priority is None else build_child_name(f"{namespace}-{name}", priority)
    return class_name, build_child_name(name, {"image": spec.image, "data": spec.data, "class": class_name})


def plan_errand(names: tuple[str, str], jobs: Sequence[JobState], classes: Sequence[str]) -> ErrandPlan | None:
    """Return what is missing and what is left over; None if all is as it should be."""
    class_name, job_name = names
    present = [job.name for job in jobs]
    plan = ErrandPlan(
        make_class=class_name if class_name not in classes else "",
        make_job=job_name if job_name not in present else "",
        drop_jobs=tuple(name for name in present if name != job_name),
        drop_classes=tuple(name for name in classes if name != class_name),
    )
    return plan if plan != ErrandPlan("", "", (), ()) else None
