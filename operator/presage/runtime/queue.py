"""The work queue: de-duplicated keys, each handled by one worker at a time, namespaces in turn.

A key added while it waits is not added twice; a key added while it is being handled is handled once more afterwards.
A namespace with many keys does not hold up another one's: each gives one key a round. Keys of cluster-scoped objects
are those of the namespace "". The queue is bounded by the number of objects, since it holds each key at most once.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict

from presage.reconcile.kind import ObjectKey


class WorkQueue:
    """Round robin over namespaces, first in, first out in each of them, on one event loop."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, OrderedDict[ObjectKey, float]] = OrderedDict()  # the next namespace first
        self._handled: set[ObjectKey] = set()
        self._again: set[ObjectKey] = set()
        self._ready = asyncio.Event()

    def add(self, key: ObjectKey) -> None:
        """Ask for `key` to be handled."""
        if key in self._handled:
            self._again.add(key)
            return
        self._waiting.setdefault(key.namespace, OrderedDict()).setdefault(key, time.monotonic())
        self._ready.set()

    async def get(self) -> ObjectKey:
        """Wait for a key; it must be given back with `done`."""
        while not self._waiting:
            self._ready.clear()
            await self._ready.wait()
        namespace, keys = self._waiting.popitem(last=False)
        key, _ = keys.popitem(last=False)
        if keys:
            self._waiting[namespace] = keys  # behind all others
        self._handled.add(key)
        return key

    def done(self, key: ObjectKey) -> None:
        """Give `key` back; it waits again if it was asked for meanwhile."""
        self._handled.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    @property
    def depth(self) -> int:
        """Number of keys that wait."""
        return sum(len(keys) for keys in self._waiting.values())

    @property
    def age_s(self) -> float:
        """Seconds the oldest key has waited; 0 if none waits."""
        oldest = min((next(iter(keys.values())) for keys in self._waiting.values()), default=None)
        return 0.0 if oldest is None else time.monotonic() - oldest
