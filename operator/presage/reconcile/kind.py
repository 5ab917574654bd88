"""What a kind is to the runtime: one `KindDefinition`, from which all else follows.

A new kind is a module in each layer that exports one of these, and one line in `runtime/kinds.py`. CRD, RBAC rules,
watches, status, events, per-object series and the reference of reasons are derived from it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from presage.core.conditions import Condition
from presage.core.outcome import Outcome
from presage.core.resource_type import ResourceType
from presage.reconcile.ports import Json, Objects, Owner, Ports
from presage.resources.base import Resource

ModelT = TypeVar("ModelT", bound=Resource)
InputT = TypeVar("InputT")
PlanT = TypeVar("PlanT")
MemoryT = TypeVar("MemoryT")


GaugeValue = float | Mapping[str, float]
"""Of a per-object series: its value, or, if it has a label of its own, the label's value → value."""


@dataclass(frozen=True, slots=True, order=True)
class ObjectKey:
    """Names one object; `namespace` is empty for cluster-scoped kinds."""

    kind: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """One RBAC rule a kind needs, in every namespace."""

    groups: tuple[str, ...]
    resources: tuple[str, ...]
    verbs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reason:
    """One documented reason, of a condition or of an event alone: then `condition` is empty."""

    condition: str
    name: str
    meaning: str
    remedy: str = "Nothing to do."


@dataclass(frozen=True, slots=True)
class WatchedType:
    """Objects of another type whose changes concern objects of this kind.

    Attributes:
        resource: Type to list and watch.
        trim: Keeps only the fields used; what it drops is never held in memory.
        find_keys: Keys that a changed (trimmed) object concerns.
        index: Values under which `Watched.find` gives the (trimmed) object; None where it is only got by name.
        label_selector: Objects that do not match it are not even read; all kinds that watch a type must say the same.
    """

    resource: ResourceType
    trim: Callable[[Json], Json]
    find_keys: Callable[[Json, Objects], Iterable[ObjectKey]]
    index: Callable[[Json], Iterable[str]] | None = None
    label_selector: str | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Something done or found out that is worth an event: PascalCase reason and a message for a person."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Decision(Generic[PlanT, MemoryT]):
    """What `decide` answers.

    Attributes:
        plan: For `apply`; None = nothing to write besides status.
        conditions: Judged now; transition times are filled in by the status writer.
        status: All other fields of status.
        next_in_s: Seconds until the object is due again.
        memory: Handed to the next `gather`; lost on restart, so nothing may depend on it for safety.
        gauges: Per-object series: name → value, or, of a series with a label of its own, the label's value → value.
        binding: Which rule decided, for the count of decisions; empty where nothing was.
        needs_undo: Whether the plan makes something that no owner reference removes: the object gets a finalizer
            first, and is let go only after the kind's `undo`.
        notes: What was found out and is worth an event.
    """

    plan: PlanT | None
    conditions: tuple[Condition, ...]
    status: Mapping[str, object]
    next_in_s: float
    memory: MemoryT
    gauges: Mapping[str, GaugeValue] = field(default_factory=dict)
    binding: str = ""
    needs_undo: bool = False
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Applied:
    """What `apply` answers: the outcome, conditions it knows better than `decide` did, and what is worth an event."""

    outcome: Outcome
    conditions: tuple[Condition, ...] = ()
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class KindDefinition(Generic[ModelT, InputT, PlanT, MemoryT]):
    """A kind: its model, its three steps, and what they need.

    Attributes:
        model: Pydantic model; its `meta` names the kind.
        gather: Reads everything one decision needs into one frozen input.
        decide: Pure: same input, same answer.
        apply: Writes the plan; called only with a plan.
        summarize: `Ready` out of all other conditions.
        undo: Takes back, for an owner being deleted, what no owner reference removes; raises a `Fault` if it cannot.
            It may run twice, and is told whom to undo for but no spec: that may have changed since, or be invalid.
        watched: Types whose changes make objects of this kind due.
        rules: RBAC this kind needs beyond reading itself and writing its status.
        reasons: Every reason its conditions can carry, and those of events about something else than a condition.
        gauges: Every per-object series `decide` may give: name without prefix → help.
        gauge_labels: Which of them have a label of their own, and its name.
        volatile_status: Dotted paths of status fields whose change alone is no reason to write: they ride along with
            other writes and refresh by themselves only rarely.
    """

    model: type[ModelT]
    gather: Callable[[ModelT, MemoryT | None, Ports], Awaitable[InputT]]
    decide: Callable[[InputT], Decision[PlanT, MemoryT]]
    apply: Callable[[ModelT, PlanT, Ports], Awaitable[Applied]]
    summarize: Callable[[Iterable[Condition], int], Condition]
    watched: tuple[WatchedType, ...] = ()
    rules: tuple[PolicyRule, ...] = ()
    reasons: tuple[Reason, ...] = ()
    gauges: Mapping[str, str] = field(default_factory=dict)
    gauge_labels: Mapping[str, str] = field(default_factory=dict)
    volatile_status: tuple[str, ...] = ()
    undo: Callable[[Owner, Ports], Awaitable[None]] | None = None

    @property
    def name(self) -> str:
        """The kind's name, such as `MetricProfile`."""
        return self.model.meta.kind

    @property
    def resource(self) -> ResourceType:
        """The kind as a type of the API."""
        return self.model.meta.resource


AnyKind = KindDefinition[Any, Any, Any, Any]
