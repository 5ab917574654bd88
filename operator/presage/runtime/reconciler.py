"""One object, once: gather → decide → apply → status → events, the same for every kind.

Invariants: it may run at any moment, twice, or after a crash between any two lines, and ends in the same state; a
fault of the outside becomes an outcome or a condition; only a defect of ours raises.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import structlog

from presage.adapters.kube import Forbidden, KubeError
from presage.core.conditions import Condition
from presage.core.outcome import Fail, Ok, Outcome, Retry
from presage.observability.metrics import Metrics
from presage.reconcile.kind import AnyKind, Applied, Decision, GaugeValue, ObjectKey
from presage.reconcile.ports import Json, Objects, Ports
from presage.resources.base import InvalidSpecError
from presage.runtime.deletion import Deletion
from presage.runtime.events import EventWriter
from presage.runtime.status import StatusWriter

log = structlog.get_logger()

_RETRY_S = 5.0
_LONGEST = 100  # characters of a text, entries of a list


def shorten(value: Any) -> Any:
    """Return plain data with its long texts and lists cut, for a line of the log."""
    if isinstance(value, Mapping):
        return {name: shorten(each) for name, each in value.items()}
    if isinstance(value, str):
        return value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…"
    if isinstance(value, list | tuple):
        return [shorten(each) for each in value[:_LONGEST]]
    return value


class Reconciler:
    """Holds what outlives one run: each object's memory.

    Args:
        kinds: All kinds, each with the outside as it sees it.
        objects: presage's own objects.
        status: Writes status.
        deletion: Holds objects back and lets them go.
        events: Writes events.
        metrics: Counts.
    """

    def __init__(
        self,
        kinds: Iterable[tuple[AnyKind, Ports]],
        objects: Objects,
        status: StatusWriter,
        deletion: Deletion,
        events: EventWriter,
        metrics: Metrics,
    ) -> None:
        self._kinds: Mapping[str, tuple[AnyKind, Ports]] = {kind.name: (kind, ports) for kind, ports in kinds}
        self._objects = objects
        self._status = status
        self._deletion = deletion
        self._events = events
        self._metrics = metrics
        self._memories: dict[ObjectKey, tuple[str, Any]] = {}

    async def reconcile(self, key: ObjectKey) -> Outcome | None:
        """Bring one object in line; None means that it is gone and need not be looked at again."""
        started = time.monotonic()
        body = self._objects.get(key.kind, key.namespace, key.name)
        try:
            outcome = None if body is None else await self._reconcile_body(key, body)
        except Exception:
            self._metrics.observe_reconcile(key.kind, "Defect", time.monotonic() - started)
            raise
        if outcome is None:
            self._forget(key)
            return None
        self._metrics.observe_reconcile(key.kind, type(outcome).__name__, time.monotonic() - started)
        return outcome

    async def _reconcile_body(self, key: ObjectKey, body: Json) -> Outcome | None:
        definition, ports = self._kinds[key.kind]
        if body["metadata"].get("deletionTimestamp"):
            obstacle = await self._deletion.let_go(definition, key, body, ports)
            return None if obstacle is None else await self._refuse(definition, key, body, obstacle)
        try:
            model = definition.model.parse(body)
        except InvalidSpecError as error:
            return await self._refuse(definition, key, body, Fail("InvalidSpec", str(error)))
        uid = str(body["metadata"].get("uid", ""))
        known = self._memories.get(key)
        memory = known[1] if known is not None and known[0] == uid else None
        decision = definition.decide(await definition.gather(model, memory, ports))
        self._memories[key] = (uid, decision.memory)
        if decision.needs_undo and (obstacle := await self._deletion.hold(definition, key, body)):
            return await self._refuse(definition, key, body, obstacle)
        applied = await self._apply(definition, model, decision, ports)
        if decision.binding:
            self._metrics.count_decision(key.kind, decision.binding)
        better = {condition.type: condition for condition in applied.conditions}
        conditions = tuple(better.get(c.type, c) for c in decision.conditions)
        ready = definition.summarize(conditions, body["metadata"].get("generation", 0))
        self._show(key, decision.gauges, ready, conditions)
        await self._report(definition, key, body, (ready, *conditions), decision.status)
        for note in (*decision.notes, *applied.notes):
            self._events.announce(body, "Normal", note.reason, note.message)
        return applied.outcome

    async def _apply(self, definition: AnyKind, model: Any, decision: Decision[Any, Any], ports: Ports) -> Applied:
        if decision.plan is None:
            return Applied(Ok(decision.next_in_s))
        applied = await definition.apply(model, decision.plan, ports)
        log.info("plan.applied", plan=shorten(asdict(decision.plan)), outcome=type(applied.outcome).__name__)
        return applied

    def _show(
        self, key: ObjectKey, gauges: Mapping[str, GaugeValue], ready: Condition, conditions: tuple[Condition, ...] = ()
    ) -> None:
        if conditions:
            gauges = {**gauges, "object_condition": {c.type: float(c.status == "True") for c in conditions}}
        self._metrics.set_object(key.kind, key.namespace, key.name, gauges, ready=ready.status == "True")

    async def _report(
        self, definition: AnyKind, key: ObjectKey, body: Json, conditions: tuple[Condition, ...], fields: Json
    ) -> None:
        """Write status, `Ready` first, and announce transitions; a status that is refused costs no decision."""
        try:
            changed = await self._status.write(definition, key, body, conditions, fields)
        except Forbidden:
            return  # told once for all objects, by runtime.access
        except KubeError as error:
            log.warning("status.refused", error=str(error))
            return
        first = not (body.get("status") or {}).get("conditions")
        for condition in changed:
            self._announce(body, condition, conditions[0], first=first)

    def _announce(self, body: Json, condition: Condition, ready: Condition, *, first: bool) -> None:
        """Announce a transition; a new object's conditions only where they stand in its way."""
        blocks = ready.status != "True" and condition.status != "True" and condition.reason == ready.reason
        if condition.type == "Ready" or (first and not blocks):
            return
        log.info("condition.changed", type=condition.type, status=condition.status, reason=condition.reason)
        note = condition.message or f"{condition.type} is {condition.status}"
        self._events.announce(body, "Warning" if blocks else "Normal", condition.reason, note)

    async def _refuse(self, definition: AnyKind, key: ObjectKey, body: Json, why: Fail | Retry) -> Outcome:
        """Answer what stops all work on an object, such as a spec that breaks a rule: one condition, and no more."""
        ready = Condition("Ready", "False", why.reason, why.message, body["metadata"].get("generation", 0))
        self._show(key, {}, ready)
        try:
            changed = await self._status.write(definition, key, body, (ready,), {})
        except KubeError as error:
            return Retry("StatusRefused", str(error), _RETRY_S)  # nothing else will bring this object back soon
        if changed:
            self._events.announce(body, "Warning", why.reason, why.message)
        return why

    def _forget(self, key: ObjectKey) -> None:
        self._memories.pop(key, None)
        self._status.forget(key)
        self._metrics.forget_object(key.kind, key.namespace, key.name)
