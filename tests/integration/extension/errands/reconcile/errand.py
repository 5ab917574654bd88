"""Errand: gather → decide → apply, undo, and all that the runtime must know of the kind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from presage.core.conditions import Condition, summarize_ready
from presage.core.faults import WriteRefused
from presage.core.outcome import Ok, Retry
from presage.core.resource_type import ResourceType
from presage.reconcile.kind import Applied, Decision, KindDefinition, Note, PolicyRule, Reason
from presage.reconcile.owned import find_children, owner_of, watch_children
from presage.reconcile.ports import Json, Owner, Ports
from tests.integration.extension.errands.core.errand import (
    ErrandPlan,
    ErrandSpec,
    JobState,
    build_names,
    plan_errand,
)
from tests.integration.extension.errands.resources.errand import Errand

JOBS = ResourceType("batch", "v1", "jobs", "Job")
CLASSES = ResourceType("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", namespaced=False)
IDLE_S = 600.0  # the watches wake it earlier
RETRY_S, MAX_RETRY_S = 5.0, 30.0


@dataclass(frozen=True, slots=True)
class ErrandInput:
    """Everything one decision rests on."""

    namespace: str
    name: str
    generation: int
    spec: ErrandSpec
    jobs: tuple[JobState, ...]
    classes: tuple[str, ...]


async def gather(errand: Errand, memory: None, ports: Ports) -> ErrandInput:
    """Read what was made for the errand, as the watches last showed it."""
    owner = owner_of(errand)
    jobs = tuple(JobState(j["name"], j["succeeded"]) for j in find_children(ports.watched, owner, JOBS))
    classes = tuple(c["name"] for c in find_children(ports.watched, owner, CLASSES))
    spec = errand.spec.to_core()
    return ErrandInput(owner.namespace, owner.name, errand.metadata.generation, spec, jobs, classes)


def decide(given: ErrandInput) -> Decision[ErrandPlan, None]:
    """Return conditions, status and plan for one input."""
    names = build_names(given.namespace, given.name, given.spec)
    job = next((job for job in given.jobs if job.name == names[1]), None)
    succeeded = job.succeeded if job else 0
    return Decision(
        plan=plan_errand(names, given.jobs, given.classes),
        conditions=(_judge_start(given), _judge_end(given, succeeded)),
        status={"jobName": names[1], "succeeded": succeeded} if given.spec.run else {},
        next_in_s=IDLE_S,
        memory=None,
        gauges={"errand_completed": float(succeeded > 0)},
        needs_undo=bool(names[0] or given.classes),
    )


def _judge_start(given: ErrandInput) -> Condition:
    if given.spec.run:
        return Condition("Started", "True", "JobExists", "The Job exists.", given.generation)
    return Condition("Started", "False", "NotAsked", "spec.run is false.", given.generation)


def _judge_end(given: ErrandInput, succeeded: int) -> Condition:
    if succeeded:
        return Condition("Completed", "True", "Succeeded", "The Job is done.", given.generation)
    return Condition("Completed", "False", "NotYet", "No pod of the Job has succeeded.", given.generation)


async def apply(errand: Errand, plan: ErrandPlan, ports: Ports) -> Applied:
    """Make what is missing and remove what is left over; a refusal becomes the condition `Started=False`."""
    try:
        await _write(errand, plan, ports)
    except WriteRefused as refused:
        generation = errand.metadata.generation
        condition = Condition("Started", "False", refused.reason, refused.message, generation)
        return Applied(Retry(refused.reason, refused.message, RETRY_S, MAX_RETRY_S), (condition,))
    made = Note("JobCreated", f"Job {plan.make_job}.")
    return Applied(Ok(IDLE_S), notes=(made,) if plan.make_job else ())


async def _write(errand: Errand, plan: ErrandPlan, ports: Ports) -> None:
    owner, spec = owner_of(errand), errand.spec.to_core()
    class_name, _ = build_names(owner.namespace, owner.name, spec)
    if plan.make_class:
        await ports.children.apply(owner, CLASSES, plan.make_class, {"value": spec.priority})
    if plan.make_job:
        await ports.children.apply(owner, JOBS, plan.make_job, build_job(spec, class_name))
    for name in plan.drop_jobs:
        await ports.children.delete(owner, JOBS, name)
    for name in plan.drop_classes:
        await ports.children.delete(owner, CLASSES, name)


def build_job(spec: ErrandSpec, class_name: str) -> Json:
    """Return the Job's own part; name, namespace and owner are added by the port."""
    environment = [{"name": name, "value": value} for name, value in spec.data]
    pod = {
        "restartPolicy": "Never",
        "containers": [{"name": "errand", "image": spec.image, "env": environment}],
        **({"priorityClassName": class_name} if class_name else {}),
    }
    return {"spec": {"template": {"spec": pod}}}


async def undo(owner: Owner, ports: Ports) -> None:
    """Remove the PriorityClasses; the Jobs go with their owner, whose reference they bear."""
    await ports.children.delete_all(owner, CLASSES)


def _summarize(conditions: Iterable[Condition], generation: int) -> Condition:
    return summarize_ready(conditions, ("Started",), frozenset({"NotAsked"}), generation)


REASONS = (
    Reason("Ready", "AsSpecified", "What the spec asks for is in force."),
    Reason("Ready", "InvalidSpec", "The spec breaks a rule.", "Correct the field that the message names."),
    Reason("Ready", "FinalizerRefused", "The finalizer cannot be written.", "Restore the rights of the ClusterRole."),
    Reason("Ready", "Forbidden", "presage may not remove a PriorityClass.", "Restore the rights of the ClusterRole."),
    Reason("Ready", "Unavailable", "A PriorityClass is not removed yet; tried again."),
    Reason("Ready", "UndoTimedOut", "The PriorityClasses cannot be removed in time.", "See the API server."),
    Reason("Started", "JobExists", "The Job exists."),
    Reason("Started", "NotAsked", "spec.run is false."),
    Reason("Started", "NameTaken", "An object of the name is not presage's.", "Remove or rename it."),
    Reason("Started", "Forbidden", "presage may not write.", "Restore the rights of the ClusterRole."),
    Reason("Started", "Refused", "The API server refuses the object.", "See the message."),
    Reason("Started", "Conflict", "Someone else wrote at the same time; tried again."),
    Reason("Started", "Unavailable", "The API server did not answer; tried again."),
    Reason("Completed", "Succeeded", "The Job is done."),
    Reason("Completed", "NotYet", "No pod of the Job has succeeded."),
)

DEFINITION: KindDefinition[Errand, ErrandInput, ErrandPlan, None] = KindDefinition(
    model=Errand,
    gather=gather,
    decide=decide,
    apply=apply,
    summarize=_summarize,
    watched=(
        watch_children("Errand", JOBS, lambda job: {"succeeded": (job.get("status") or {}).get("succeeded", 0)}),
        watch_children("Errand", CLASSES, lambda _: {}),
    ),
    rules=(
        PolicyRule(("batch",), ("jobs",), ("get", "list", "watch", "create", "patch", "delete")),
        PolicyRule(("scheduling.k8s.io",), ("priorityclasses",), ("get", "list", "watch", "create", "patch", "delete")),
    ),
    reasons=REASONS,
    gauges={"errand_completed": "1 once the Errand's Job is done, 0 before."},
    undo=undo,
)
