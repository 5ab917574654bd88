"""Writes status: only when its meaning changed, and again if it failed.

Two things make a write: a change of a condition or of any status field that is not volatile, or a volatile field that
differs after `refresh_s`. Everything else is silence: an idle object costs at most one write in that time. A write
that fails is tried again with the next decisions, less and less often; it never holds a decision up.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from presage.adapters.kube import KubeClient, KubeError, NotFound
from presage.core.conditions import Condition, find_transitions, merge_conditions, parse_conditions
from presage.reconcile.kind import AnyKind, ObjectKey
from presage.reconcile.ports import Json

FIELD_MANAGER = "presage-status"


_RETRY_S, _MAX_RETRY_S = 1.0, 60.0


@dataclass(slots=True)
class _Written:
    """The status an object has, as far as we know; `at` is when its volatile fields were fresh."""

    uid: str
    status: Mapping[str, Any]
    at: float
    failures: int = 0
    quiet_until: float = 0.0


class StatusWriter:
    """Owns `status` of presage's kinds, by server-side apply.

    Args:
        client: Fenced client.
        refresh_s: Seconds after which volatile fields alone are worth a write.
        on_gone: Called when the API server has no such object: its deletion may have been missed.
    """

    def __init__(self, client: KubeClient, refresh_s: float, on_gone: Callable[[], None] = lambda: None) -> None:
        self._client = client
        self._refresh_s = refresh_s
        self._on_gone = on_gone
        self._written: dict[ObjectKey, _Written] = {}

    async def write(
        self, definition: AnyKind, key: ObjectKey, body: Json, conditions: tuple[Condition, ...], fields: Json
    ) -> tuple[Condition, ...]:
        """Bring status in line; return the conditions that changed in status or reason.

        Args:
            definition: The object's kind.
            key: The object.
            body: The object as last seen; used where this process has not written yet.
            conditions: All conditions judged now.
            fields: All other fields of status.

        Raises:
            KubeError: If the API server did not take it; it is tried again with a later decision.
        """
        before = self._recall(key, body)
        if time.monotonic() < before.quiet_until:
            return ()
        old = parse_conditions(before.status.get("conditions"))
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        merged = merge_conditions(old, conditions, now)
        status = {
            "observedGeneration": body["metadata"].get("generation", 0),
            "conditions": [condition.to_json() for condition in merged],
            **fields,
        }
        volatile = definition.volatile_status
        same = strip(status, volatile) == strip(before.status, volatile)
        if same and (status == before.status or time.monotonic() - before.at < self._refresh_s):
            return ()
        try:
            await self._client.apply(
                definition.resource,
                key.name,
                {"status": status},
                namespace=key.namespace or None,
                field_manager=FIELD_MANAGER,
                subresource="status",
            )
        except NotFound:
            self._on_gone()
            return ()
        except KubeError:
            before.failures += 1
            before.quiet_until = time.monotonic() + min(_MAX_RETRY_S, _RETRY_S * 2.0 ** min(before.failures, 10))
            raise
        self._written[key] = _Written(before.uid, status, time.monotonic())
        return find_transitions(old, merged)

    def _recall(self, key: ObjectKey, body: Json) -> _Written:
        written, uid = self._written.get(key), body["metadata"].get("uid", "")
        if written is None or written.uid != uid:
            written = self._written[key] = _Written(uid, body.get("status") or {}, time.monotonic())
        return written

    def forget(self, key: ObjectKey) -> None:
        """Drop what is remembered of a deleted object."""
        self._written.pop(key, None)


def strip(status: Json, paths: tuple[str, ...]) -> Json:
    """Return `status` without the fields at the dotted `paths`, of each entry of a list; the rest is shared."""
    for path in paths:
        status = _without(status, path.split("."))
    return status


def _without(place: Json, path: list[str]) -> Json:
    first, *rest = path
    if not rest:
        return {name: value for name, value in place.items() if name != first}
    inner = place.get(first)
    if isinstance(inner, list):
        return {**place, first: [_without(each, rest) if isinstance(each, Mapping) else each for each in inner]}
    return {**place, first: _without(inner, rest)} if isinstance(inner, Mapping) else place
