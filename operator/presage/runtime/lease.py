"""Leadership by a Lease of `coordination.k8s.io/v1`: two operators never act at once.

Clocks of two machines are never compared. A holder counts as gone when its record has not changed for its whole
duration on *our* monotonic clock; and we count as holder only until `duration` after the moment at which our last
successful renewal was *sent*, minus a margin, so that our own belief always ends before a rival's patience does.

What is left: if a person deletes the Lease while a replica starts that never saw it, both may act for at most one
renewal period, until the old holder's next renewal finds the newcomer.
"""

from __future__ import annotations

import asyncio
import math
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Protocol

import structlog

from presage.adapters.kube import Conflict, Forbidden, KubeError, NotFound
from presage.adapters.kube_json import JsonObject, int_at, text_at

log = structlog.get_logger()

_MARGIN = 0.15  # share of the duration by which our belief ends earlier: a write sent last may still be under way
_RETRY_S = 0.5
_NEVER = -math.inf


class LeaseLost(Exception):
    """Another process holds the Lease, or ours could not be renewed in time."""


class LeaseClient(Protocol):
    """What the Lease needs of the API server; `adapters.kube.KubeClient` gives it."""

    async def get_lease(self, namespace: str, name: str) -> dict[str, object]:
        """Return the Lease."""

    async def create_lease(self, namespace: str, name: str, spec: JsonObject) -> dict[str, object]:
        """Create the Lease."""

    async def replace_lease(
        self, namespace: str, name: str, spec: JsonObject, resource_version: str
    ) -> dict[str, object]:
        """Replace the Lease, if it is still at that version."""


class Lease:
    """One process's part in the election.

    Attributes:
        trouble: Why we cannot take part at the moment; None while we can. A Lease that another holds is no trouble.

    Args:
        client: Talks to the API server.
        namespace: Of the Lease.
        name: Of the Lease.
        identity: Who we are, for people; a random suffix makes it unique, also against a predecessor of that name.
        duration_s: How long a holder counts after its last sign of life.
        renew_s: Time between renewals; a waiting replica looks twice as often, so that it follows a release soon.
        monotonic: Seconds that only grow.

    Raises:
        ValueError: If renewals are so rare that a Lease would end between two of them.
    """

    def __init__(
        self,
        client: LeaseClient,
        *,
        namespace: str,
        name: str,
        identity: str,
        duration_s: float,
        renew_s: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if renew_s * 2 > duration_s:
            raise ValueError(
                f"a Lease of {duration_s} s must be renewed at least twice in that time, not each {renew_s} s"
            )
        self._client = client
        self._namespace, self._name = namespace, name
        self._identity = f"{identity}_{uuid.uuid4().hex[:8]}"
        self._duration_s, self._renew_s = duration_s, renew_s
        self._monotonic = monotonic
        self._held_until = _NEVER
        self._version = ""
        self._transitions = 0
        self._acquired = ""
        self._seen: tuple[str, float] | None = None  # version of another's record, and when we first saw it
        self._patience_s = duration_s  # how long that other counts without a change
        self.trouble: str | None = None

    def held(self) -> bool:
        """Return whether this process may write now; cheap, and safe to call from any thread."""
        return self._monotonic() < self._held_until

    async def acquire(self) -> None:
        """Wait until this process holds the Lease."""
        while True:
            if await self._attempt(self._take):
                return
            await asyncio.sleep(self._renew_s / 2)

    async def hold(self) -> None:
        """Renew until it cannot be done any more; once lost it is never taken back, since others may have acted.

        Raises:
            LeaseLost: Another process holds it, or no renewal succeeded in time.
        """
        pause = self._renew_s
        while True:
            await asyncio.sleep(pause)
            renewed = self.held() and await self._renew_in_time()
            if not self.held():
                raise LeaseLost(f"Lease {self._namespace}/{self._name} is no longer held by {self._identity}")
            pause = self._renew_s if renewed else min(self._renew_s, _RETRY_S)

    async def release(self) -> None:
        """Give the Lease up, so that a rival need not wait for it to expire; does nothing if it is not held."""
        if not self.held():
            return
        self._held_until = _NEVER
        spec = self._build_spec(holder="", duration_s=1)
        try:
            await self._client.replace_lease(self._namespace, self._name, spec, self._version)
        except KubeError as error:
            log.info("lease.not_released", error=type(error).__name__)

    async def _renew_in_time(self) -> bool:
        """Renew, but wait for the answer no longer than the Lease lasts."""
        try:
            async with asyncio.timeout(self._held_until - self._monotonic()):
                return await self._attempt(self._renew)
        except TimeoutError:
            return False

    async def _attempt(self, step: Callable[[], Awaitable[bool]]) -> bool:
        """Do one step; return whether it succeeded. Only faults of the API are swallowed, and kept as `trouble`."""
        where = f"Lease {self._namespace}/{self._name}"
        try:
            done = await step()
        except Conflict:
            return False  # somebody else was first; the next look shows who
        except Forbidden as error:
            remedy = "apply the chart's Role and RoleBinding in that namespace"
            self.trouble = f"the API server refuses the {where}: {error}. Remedy: {remedy}"
            return False
        except NotFound as error:  # a Lease that is not there is created; this is about its namespace
            self.trouble = f"the {where} cannot be created: {error}. Remedy: create it or set PRESAGE_NAMESPACE"
            return False
        except KubeError as error:
            self.trouble = f"the {where} cannot be read or written: {error}"
            return False
        self.trouble = None
        return done

    async def _renew(self) -> bool:
        sent = self._monotonic()
        spec = self._build_spec(holder=self._identity, duration_s=self._duration_s)
        try:
            answer = await self._client.replace_lease(self._namespace, self._name, spec, self._version)
        except Conflict:
            if not await self._still_ours():
                self._held_until = _NEVER
            return False
        except NotFound:  # a person deleted it: put it back before a rival does
            answer = await self._client.create_lease(self._namespace, self._name, spec)
        self._accept(answer, sent)
        return True

    async def _still_ours(self) -> bool:
        """After a conflict: read who holds it; a write of ours whose answer was lost leaves it with us."""
        current = await self._client.get_lease(self._namespace, self._name)
        self._version = text_at(current, "metadata", "resourceVersion") or ""
        return text_at(current, "spec", "holderIdentity") == self._identity

    async def _take(self) -> bool:
        try:
            current = await self._client.get_lease(self._namespace, self._name)
        except NotFound:
            current = {}
        if not self._is_free(current):
            return False
        self._transitions = (int_at(current, "spec", "leaseTransitions") or 0) + 1 if current else 0
        self._acquired = _now()
        spec = self._build_spec(holder=self._identity, duration_s=self._duration_s)
        sent = self._monotonic()
        version = text_at(current, "metadata", "resourceVersion") or ""
        if current:
            answer = await self._client.replace_lease(self._namespace, self._name, spec, version)
        else:
            answer = await self._client.create_lease(self._namespace, self._name, spec)
        self._accept(answer, sent)
        return True

    def _is_free(self, current: JsonObject) -> bool:
        """Return whether nobody holds it, or its holder has been silent for its whole duration since we first looked.

        A Lease that was deleted is a change like any other: its holder may not have noticed yet.
        """
        holder = text_at(current, "spec", "holderIdentity")
        if (current and holder in ("", None, self._identity)) or (not current and self._seen is None):
            return True
        version, now = text_at(current, "metadata", "resourceVersion") or "", self._monotonic()
        if self._seen is None or self._seen[0] != version:
            self._seen = (version, now)
            self._patience_s = int_at(current, "spec", "leaseDurationSeconds") or self._patience_s
        return now - self._seen[1] >= self._patience_s

    def _accept(self, answer: JsonObject, sent: float) -> None:
        self._version = text_at(answer, "metadata", "resourceVersion") or ""
        self._held_until = sent + self._duration_s * (1 - _MARGIN)

    def _build_spec(self, *, holder: str, duration_s: float) -> dict[str, object]:
        return {
            "holderIdentity": holder,
            "leaseDurationSeconds": math.ceil(duration_s),
            "acquireTime": self._acquired,
            "renewTime": _now(),
            "leaseTransitions": self._transitions,
        }


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
