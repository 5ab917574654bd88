"""Errand: data for one Job, and the Job that uses it."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from presage.resources.base import Model, PrinterColumn, Resource, ResourceMeta, Rule, Status, defaulted
from tests.integration.extension.errands.core.errand import ErrandSpec

_COMPLETED = '.status.conditions[?(@.type=="Completed")].status'


class ErrandWish(Model):
    """What the user asks for."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.run || !has(self.priority)",
            "priority needs run: true, since an errand that does not run has no place in a queue",
            lambda wish: wish.run or wish.priority is None,
        ),
    )

    image: str = Field(min_length=1, max_length=256, description="Image of the Job's container.", examples=["busybox"])
    data: dict[str, Annotated[str, Field(max_length=1024)]] = Field(
        default_factory=dict,
        max_length=16,
        description="Environment of the container, by name.",
        json_schema_extra={"default": {}},
    )
    priority: int | None = Field(
        default=None, ge=0, le=1000, description="Priority of the Job's pods. Left out, the cluster's default."
    )
    run: bool = Field(default=True, description="Whether the Job is made; false removes it.")

    def to_core(self) -> ErrandSpec:
        """Return the same wish in plain data."""
        return ErrandSpec(self.image, tuple(sorted(self.data.items())), self.priority, self.run)


class ErrandStatus(Status):
    """What presage found."""

    job_name: str | None = Field(default=None, max_length=63, description="The Job that runs it.")
    succeeded: int | None = Field(default=None, ge=0, description="Pods of the Job that succeeded.")


class Errand(Resource):
    """A Job that is run once for each set of data."""

    meta: ClassVar[ResourceMeta] = ResourceMeta(
        kind="Errand",
        plural="errands",
        scope="Namespaced",
        description="A Job that is run once for each set of data.",
        short_names=("err",),
        columns=(
            PrinterColumn("Job", "string", ".status.jobName", "The Job that runs it."),
            PrinterColumn("Completed", "string", _COMPLETED, "Whether the Job is done."),
        ),
    )

    spec: ErrandWish = Field(description="What the user asks for.")
    status: ErrandStatus = defaulted(ErrandStatus, "What presage found; written by presage only.")
