"""Due times: a heap that feeds the queue. kopf's timers are not used: they cost a task and a finalizer an object."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable

from presage.reconcile.kind import ObjectKey

_GRID_S = 1.0


def align(due: float, grid_s: float) -> float:
    """Return the last multiple of `grid_s` at or before `due`: those due in the same interval share their requests."""
    return due // grid_s * grid_s if grid_s > 0 else due


class Scheduler:
    """Keeps one due time a key; the latest call counts.

    Args:
        release: Called with each key that is due.
    """

    def __init__(self, release: Callable[[ObjectKey], None]) -> None:
        self._release = release
        self._due: dict[ObjectKey, tuple[float, int]] = {}
        self._heap: list[tuple[float, int, ObjectKey]] = []
        self._count = itertools.count()
        self._changed = asyncio.Event()

    def schedule(self, key: ObjectKey, delay_s: float) -> None:
        """Make `key` due in `delay_s` seconds or a little less, instead of any time set before."""
        entry = (align(time.monotonic() + max(0.0, delay_s), min(_GRID_S, delay_s / 10)), next(self._count))
        self._due[key] = entry
        heapq.heappush(self._heap, (*entry, key))
        self._changed.set()

    def forget(self, key: ObjectKey) -> None:
        """Drop the due time of `key`."""
        self._due.pop(key, None)

    async def run(self) -> None:
        """Release keys as they come due, forever."""
        while True:
            wait = self.release_due(time.monotonic())
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), wait)
            except TimeoutError:
                continue

    def release_due(self, now: float) -> float | None:
        """Release all that is due at monotonic second `now`; return the seconds to the next, None if there is none."""
        while self._heap:
            due, number, key = self._heap[0]
            if self._due.get(key) != (due, number):  # superseded or forgotten
                heapq.heappop(self._heap)
                continue
            if due > now:
                return due - now
            heapq.heappop(self._heap)
            del self._due[key]
            self._release(key)
        return None
