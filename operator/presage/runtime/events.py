"""Writes Kubernetes events: bounded, rate-limited, and never in the way of a reconcile.

kopf's own events need context variables that exist only inside its tasks; reconciling runs in our workers. An event
that finds the queue full is dropped and counted: status carries the truth, events only announce it.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from presage.adapters.kube import Forbidden, KubeClient, KubeError
from presage.reconcile.ports import Json

log = structlog.get_logger()

_QUEUE = 512
_PER_SECOND = 10.0
_QUIET_S = 60.0  # the same reason on the same object is said at most this often
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class _Entry:
    regarding: Json
    type_: str
    reason: str
    note: str
    time: str


class EventWriter:
    """One task writes what `announce` takes.

    Args:
        client: Fenced client.
        instance: Name of this process, shown as the reporting instance.
    """

    def __init__(self, client: KubeClient, instance: str) -> None:
        self._client = client
        self._instance = instance
        self._queue: asyncio.Queue[_Entry] = asyncio.Queue(_QUEUE)
        self._said: OrderedDict[tuple[str, str], float] = OrderedDict()
        self.dropped = 0

    def announce(self, body: Json, type_: str, reason: str, note: str) -> None:
        """Take an event about an object; it is written soon, unless it was said a moment ago or the queue is full.

        Args:
            body: The object.
            type_: `Normal` or `Warning`.
            reason: PascalCase.
            note: For a person.
        """
        said, now = (str(body["metadata"].get("uid", "")), reason), time.monotonic()
        if now - self._said.get(said, -_QUIET_S) < _QUIET_S:
            return
        self._said[said] = now
        self._said.move_to_end(said)
        if len(self._said) > _REMEMBERED:
            self._said.popitem(last=False)
        try:
            moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            self._queue.put_nowait(_Entry(body, type_, reason, note, moment))
        except asyncio.QueueFull:
            self.dropped += 1

    async def run(self) -> None:
        """Write events, forever."""
        while True:
            entry = await self._queue.get()
            try:
                await self._client.create_event(
                    entry.regarding,
                    reason=entry.reason,
                    note=entry.note,
                    event_time=entry.time,
                    type_=entry.type_,
                    instance=self._instance,
                )
            except Forbidden:
                self.dropped += 1  # told once for all events, by runtime.access
            except KubeError as error:
                self.dropped += 1
                log.warning("event.dropped", reason=entry.reason, error=type(error).__name__)
            await asyncio.sleep(1 / _PER_SECOND)
