"""Workers take keys from the queue, reconcile, and turn outcomes into due times."""

from __future__ import annotations

import asyncio
import hashlib
import random
import time
from collections.abc import Awaitable, Callable

import structlog

from presage.core.outcome import Fail, Ok, Outcome, Retry
from presage.reconcile.kind import ObjectKey
from presage.runtime.queue import WorkQueue
from presage.runtime.scheduler import Scheduler
from presage.runtime.store import ObjectStore
from presage.runtime.turns import Turns

log = structlog.get_logger()

_DEFECT_DELAY_S = 15.0
_SWEEP_S = 15.0


class Workers:
    """Runs reconciles and the sweep.

    Attributes:
        last_sweep: Monotonic second of the last sweep, None before the first; the liveness probe fails when it is
            too old.

    Args:
        reconcile: Handles one key; None means the object is gone.
        queue: Where keys come from.
        scheduler: Where due times go.
        store: presage's own objects, for the sweep.
        turns: How many keys are worked on at the same time.
        resync_s: Every object is looked at at least this often.
    """

    def __init__(
        self,
        reconcile: Callable[[ObjectKey], Awaitable[Outcome | None]],
        queue: WorkQueue,
        scheduler: Scheduler,
        store: ObjectStore,
        *,
        turns: Turns,
        resync_s: float,
    ) -> None:
        self._reconcile = reconcile
        self._queue = queue
        self._scheduler = scheduler
        self._store = store
        self._turns = turns
        self._resync_s = resync_s
        self._retries: dict[ObjectKey, int] = {}
        self._seen: dict[ObjectKey, float] = {}
        self.last_sweep: float | None = None

    async def run(self) -> None:
        """Start a worker for each key in its turn, until cancelled; one that dies ends all, and with it the process."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._sweep(), name="sweep")
            while True:
                key = await self._queue.get()
                await self._turns.take()
                group.create_task(self._work(key), name=f"worker-{key.kind}/{key.namespace}/{key.name}")

    async def _work(self, key: ObjectKey) -> None:
        try:
            await self._handle(key)
        finally:
            self._turns.give_back()
            self._queue.done(key)

    async def _handle(self, key: ObjectKey) -> None:
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(kind=key.kind, namespace=key.namespace, name=key.name)
        self._seen[key] = time.monotonic()
        try:
            outcome = await self._reconcile(key)
        except Exception:  # a defect in one object's handling must not stop the others
            log.exception("reconcile.defect")
            outcome = Retry("Defect", "An unexpected error; see the log.", _DEFECT_DELAY_S)
        if outcome is None:
            self._forget(key)
        else:
            self._scheduler.schedule(key, self._next_delay(key, outcome))

    def _next_delay(self, key: ObjectKey, outcome: Outcome) -> float:
        """Return the seconds until the key is due: repeated retries wait longer, with jitter; nothing beyond resync."""
        if isinstance(outcome, Retry):
            tries = self._retries[key] = self._retries.get(key, 0) + 1
            delay = min(outcome.max_delay_s, outcome.delay_s * 2.0 ** min(tries - 1, 10))
            return delay * random.uniform(0.8, 1.2)  # noqa: S311  # jitter, no secret
        self._retries.pop(key, None)
        match outcome:
            case Ok(next_in_s):
                return min(next_in_s, self._spread(key))
            case Fail():
                return self._spread(key)

    def _spread(self, key: ObjectKey) -> float:
        """Return this key's own share of the resync period, so that resyncs do not come in waves."""
        digest = hashlib.sha256(f"{key.kind}/{key.namespace}/{key.name}".encode()).digest()
        return self._resync_s * (0.75 + 0.25 * digest[0] / 255)

    async def _sweep(self) -> None:
        """Queue every object that lost its due time, whatever lost it; and show that the loop lives."""
        while True:
            now = time.monotonic()
            for key in self._store.all_keys():
                if now - self._seen.get(key, -self._resync_s) >= self._resync_s:
                    self._queue.add(key)
            self.last_sweep = now
            await asyncio.sleep(_SWEEP_S)

    def _forget(self, key: ObjectKey) -> None:
        self._scheduler.forget(key)
        self._retries.pop(key, None)
        self._seen.pop(key, None)
