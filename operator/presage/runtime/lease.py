"""Leadership by a Lease of `coordination.k8s.io/v1`: two operators never act at once.

Clocks of two machines are never compared. A holder counts as gone when its record has not changed for its whole
duration on *our* monotonic clock; and we count as holder only until `duration` after the moment at which our last
successful renewal was *sent*, minus a margin, so that our own belief always ends before a rival's patience does.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

import structlog

from presage.adapters.kube import Conflict, Forbidden, KubeError, NotFound
from presage.adapters.kube_json import JsonObject, int_at, text_at

log = structlog.get_logger()

_MARGIN = 0.1  # share of the duration by which our belief ends earlier than a rival may act


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
        refusal: Why the API server does not let us take part; None while it does. A Lease that another holds is none.

    Args:
        client: Talks to the API server.
        namespace: Of the Lease.
        name: Of the Lease.
        identity: Of this process, unique among its rivals.
        duration_s: How long a holder counts after its last sign of life.
        renew_s: Time between renewals and between looks at another's Lease.
        monotonic: Seconds that only grow.
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
        self._client = client
        self._namespace, self._name, self._identity = namespace, name, identity
        self._duration_s, self._renew_s = duration_s, renew_s
        self._monotonic = monotonic
        self._held_until = -1.0
        self._version = ""
        self._transitions = 0
        self._acquired = ""
        self._seen: tuple[str, float] | None = None  # version of another's record, and when we first saw it
        self.refusal: str | None = None

    def held(self) -> bool:
        """Return whether this process may write now; cheap, and safe to call from any thread."""
        return self._monotonic() < self._held_until

    async def acquire(self) -> None:
        """Wait until this process holds the Lease."""
        while True:
            if await self._try_once():
                return
            await asyncio.sleep(self._renew_s)

    async def hold(self) -> None:
        """Renew until it cannot be done any more.

        Raises:
            LeaseLost: Another process holds it, or no renewal succeeded in time.
        """
        while True:
            await asyncio.sleep(self._renew_s)
            if not await self._try_once() and not self.held():
                raise LeaseLost(f"Lease {self._namespace}/{self._name} is no longer held by {self._identity}")

    async def release(self) -> None:
        """Give the Lease up, so that a rival need not wait for it to expire; does nothing if it is not held."""
        if not self.held():
            return
        self._held_until = -1.0
        spec = self._build_spec(holder="", duration_s=1)
        try:
            await self._client.replace_lease(self._namespace, self._name, spec, self._version)
        except KubeError as error:
            log.info("lease.not_released", error=type(error).__name__)

    async def _try_once(self) -> bool:
        """Take or renew the Lease; return whether that succeeded. Only faults of the API are swallowed, and told."""
        try:
            taken = await self._renew() if self.held() else await self._take()
        except Conflict:
            return False  # somebody else was first; the next look shows who
        except Forbidden as error:
            self._refuse(f"the API server refuses the Lease {self._namespace}/{self._name}: {error}")
            return False
        except KubeError as error:
            log.warning("lease.unreachable", error=str(error))
            return False
        self.refusal = None
        return taken

    async def _renew(self) -> bool:
        sent = self._monotonic()
        spec = self._build_spec(holder=self._identity, duration_s=self._duration_s)
        try:
            answer = await self._client.replace_lease(self._namespace, self._name, spec, self._version)
        except Conflict:
            if not await self._still_ours():
                self._held_until = -1.0
            return False
        self._accept(answer, sent)
        return True

    async def _still_ours(self) -> bool:
        """After a conflict: read who holds it; a write of ours whose answer was lost leaves it with us."""
        current = await self._client.get_lease(self._namespace, self._name)
        self._version = text_at(current, "metadata", "resourceVersion") or ""
        return text_at(current, "spec", "holderIdentity") == self._identity

    async def _take(self) -> bool:
        sent = self._monotonic()
        try:
            current = await self._client.get_lease(self._namespace, self._name)
        except NotFound:
            self._acquired = _now()
            spec = self._build_spec(holder=self._identity, duration_s=self._duration_s)
            self._accept(await self._client.create_lease(self._namespace, self._name, spec), sent)
            return True
        if not self._is_free(current):
            return False
        version = text_at(current, "metadata", "resourceVersion") or ""
        self._transitions = (int_at(current, "spec", "leaseTransitions") or 0) + 1
        self._acquired = _now()
        spec = self._build_spec(holder=self._identity, duration_s=self._duration_s)
        sent = self._monotonic()
        self._accept(await self._client.replace_lease(self._namespace, self._name, spec, version), sent)
        return True

    def _is_free(self, current: JsonObject) -> bool:
        """Return whether nobody holds it, or its holder has been silent for its whole duration since we first looked.

        Our own name on it does not count as ours: it may be that of a predecessor whose last write is still under way.
        """
        if not text_at(current, "spec", "holderIdentity"):
            return True
        version, now = text_at(current, "metadata", "resourceVersion") or "", self._monotonic()
        if self._seen is None or self._seen[0] != version:
            self._seen = (version, now)
        duration = int_at(current, "spec", "leaseDurationSeconds") or self._duration_s
        return now - self._seen[1] >= duration

    def _accept(self, answer: JsonObject, sent: float) -> None:
        self._version = text_at(answer, "metadata", "resourceVersion") or ""
        self._transitions = int_at(answer, "spec", "leaseTransitions") or 0
        self._held_until = sent + self._duration_s * (1 - _MARGIN)

    def _build_spec(self, *, holder: str, duration_s: float) -> dict[str, object]:
        return {
            "holderIdentity": holder,
            "leaseDurationSeconds": max(1, round(duration_s)),
            "acquireTime": self._acquired,
            "renewTime": _now(),
            "leaseTransitions": self._transitions,
        }

    def _refuse(self, refusal: str) -> None:
        if refusal != self.refusal:
            log.error("lease.refused", trouble=refusal)
        self.refusal = refusal


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
