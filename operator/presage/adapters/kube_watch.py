"""A trimmed copy of all objects of one type, kept up to date by one list and watch.

A `WatchReader` in a thread of its own hands changes to the event loop, where the copy is updated and the listener is
called; so the copy is read and written on the event loop alone and needs no lock. Invariant: a listener hears of a
change only after the copy holds it.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from presage.adapters.kube import KubeClient
from presage.adapters.kube_reader import Trim, WatchReader, WatchTimes
from presage.adapters.kube_store import Key, Objects, ObjectStore
from presage.core.resource_type import ResourceType

__all__ = ["Listener", "Trim", "WatchCache", "WatchTimes"]

Trimmed: TypeAlias = Mapping[str, Any]
Listener = Callable[[str, Trimmed], None]

_TURN_S = 0.005  # how long changes are applied in one go before other tasks get their turn
_JOIN_S = 5.0
_USUAL_TIMES = WatchTimes()


class WatchCache:
    """A trimmed copy of all objects of one type.

    Attributes:
        resource: what is watched.
        synced: set once the first list is in the copy, or the API turned out to be absent.
    """

    def __init__(
        self,
        client: KubeClient,
        resource: ResourceType,
        trim: Trim,
        on_change: Listener,
        *,
        label_selector: str | None = None,
        index: Callable[[Trimmed], Iterable[str]] | None = None,
        times: WatchTimes = _USUAL_TIMES,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Prepare the watch; `start` begins it.

        Args:
            client: whose connections are used.
            resource: what to watch, in all namespaces.
            trim: keeps the fields that are used; must not change its argument. An object it cannot read is left out.
            on_change: called on the event loop with `ADDED`, `MODIFIED` or `DELETED` and the trimmed object (for a
                deletion the last one known). A change of fields that `trim` drops is no change.
            label_selector: only objects that match it.
            index: values under which `indexed` finds an object.
            times: see there.
            jitter: gives numbers in [0, 1).
        """
        self.resource = resource
        self.synced = asyncio.Event()
        self._on_change = on_change
        self._store = ObjectStore(index)
        self._lock = threading.Lock()  # guards _pending and _draining
        self._pending: deque[tuple[str, Key, Trimmed]] = deque()
        self._draining = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._reader = WatchReader(
            client.transport, resource, trim, self._hand_over, label_selector=label_selector, times=times, jitter=jitter
        )
        self._thread = threading.Thread(target=self._reader.run, name=f"watch-{resource.plural}", daemon=True)

    @property
    def last_activity(self) -> float:
        """Monotonic seconds of the API server's last sign of life on this watch; it sends one a minute at least."""
        return self._reader.last_activity

    @property
    def trouble(self) -> str | None:
        """Why the copy may be out of date; None while all is well."""
        return self._reader.trouble

    async def start(self) -> None:
        """Begin to list and watch; returns at once, `synced` tells when the copy is whole. Only once."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def stop(self) -> None:
        """End the watch; the copy stays readable."""
        self._reader.stop()
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join, _JOIN_S)

    def retry_now(self) -> None:
        """Do not wait for the next try: what stood in the way is gone."""
        self._reader.retry_now()

    def get(self, namespace: str, name: str) -> Trimmed | None:
        """The trimmed object, or None; the namespace of a cluster-scoped object is empty."""
        return self._store.get(namespace, name)

    def list(self, namespace: str | None = None) -> Objects:
        """The trimmed objects of one namespace, or of all; in no particular order."""
        return self._store.list(namespace)

    def indexed(self, value: str) -> Objects:
        """The trimmed objects for which the index function gives `value`; costs only what it finds."""
        return self._store.indexed(value)

    def __len__(self) -> int:
        """How many objects the copy holds."""
        return len(self._store)

    def _hand_over(self, change: str, key: Key, trimmed: Trimmed) -> None:
        """In the reader's thread: queue a change, and wake the event loop unless it is at it."""
        with self._lock:
            self._pending.append((change, key, trimmed))
            if self._draining or self._loop is None:
                return
            self._draining = True
        try:
            self._loop.call_soon_threadsafe(self._drain)
        except RuntimeError:  # the event loop is closed: nobody listens any more
            self._reader.stop()

    def _drain(self) -> None:
        """On the event loop: apply waiting changes, some at a time, so that other tasks get their turn in between."""
        until = time.monotonic() + _TURN_S
        try:
            while time.monotonic() < until:
                with self._lock:
                    if not self._pending:
                        break
                    change, key, trimmed = self._pending.popleft()
                self._apply(change, key, trimmed)
        finally:  # also when the listener raised: the rest must not be lost
            with self._lock:
                self._draining = bool(self._pending)
            if self._draining and self._loop is not None:
                self._loop.call_soon(self._drain)

    def _apply(self, change: str, key: Key, trimmed: Trimmed) -> None:
        if change == "SYNCED":
            self.synced.set()
            return
        self._store.set(key, None if change == "DELETED" else trimmed)
        self._on_change(change, trimmed)
