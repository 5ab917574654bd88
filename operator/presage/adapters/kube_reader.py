"""The blocking half of a watch: list, watch from that version on, compare with what is known, tell the changes.

Runs in a thread of its own. Invariants: an object is trimmed before it is kept, and a change of dropped fields is no
change; a relist tells the difference, deletions included; every failure of the API leads to another try, later and
later, with jitter.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from presage.adapters.kube_error import Gone, KubeError, NotFound, Unavailable
from presage.adapters.kube_json import int_at, object_at, objects_at, text_at
from presage.adapters.kube_path import api_path
from presage.adapters.kube_store import Key
from presage.adapters.kube_transport import Limits, Stream, Transport, status_error
from presage.core.resource_type import ResourceType

log = structlog.get_logger(__name__)

Trim = Callable[[Mapping[str, Any]], Mapping[str, Any]]
Emit = Callable[[str, Key, Mapping[str, Any]], None]

_PAGE = 500
_BACK_OFF_FIRST_S = 0.5
_BACK_OFF_LAST_S = 30.0
_RELIST_AFTER_FAILURES = 5  # the version held may be one the server no longer has, such as after a restored backup
_SHORT_WATCH_S = 1.0
_LIST_LIMITS = Limits(connect_s=3, read_s=30)
_FOREIGN_SHAPE = (AttributeError, IndexError, KeyError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class WatchTimes:
    """Times of a watch, in seconds.

    Attributes:
        server_timeout_s: after which the server ends a watch and it is opened again.
        silence_limit_s: without any line, bookmarks included (one a minute), after which the connection is given up.
        absent_retry_s: between two looks for an API that is not installed.
    """

    server_timeout_s: int = 300
    silence_limit_s: float = 100.0
    absent_retry_s: float = 60.0


class WatchReader:
    """Lists and watches one resource type until it is stopped.

    Attributes:
        last_activity: monotonic seconds of the last sign of life of the API server.
        trouble: why what was told may be out of date; None while all is well.
    """

    def __init__(
        self,
        transport: Transport,
        resource: ResourceType,
        trim: Trim,
        emit: Emit,
        *,
        label_selector: str | None,
        times: WatchTimes,
        jitter: Callable[[], float],
    ) -> None:
        """Prepare; `run` does the work.

        Args:
            transport: whose connections are used.
            resource: what to watch, in all namespaces.
            trim: keeps the fields that are used; an object it cannot read is left out.
            emit: called in the thread with `ADDED`, `MODIFIED`, `DELETED` (the last object known), or `SYNCED` after
                a whole list.
            label_selector: only objects that match it.
            times: see there.
            jitter: gives numbers in [0, 1).
        """
        self.last_activity = time.monotonic()
        self.trouble: str | None = None
        self._transport = transport
        self._resource = resource
        self._trim = trim
        self._emit = emit
        self._selector = {"labelSelector": label_selector} if label_selector else {}
        self._times = times
        self._jitter = jitter
        self._path = api_path(resource)
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._lock = threading.Lock()  # guards _stream
        self._stream: Stream | None = None
        self._known: dict[Key, Mapping[str, Any]] = {}
        self._version = ""

    def stop(self) -> None:
        """End `run` soon; a read that waits is cut short. May be called from any thread."""
        self._stopping.set()
        self.retry_now()
        with self._lock:
            if self._stream is not None:
                self._stream.shutdown()

    def retry_now(self) -> None:
        """Do not wait for the next try: what stood in the way is gone. May be called from any thread."""
        self._wake.set()

    def run(self) -> None:
        """List and watch until `stop`."""
        failures = 0
        while not self._stopping.is_set():
            try:
                if not self._version:
                    self._relist()
                    self._emit("SYNCED", ("", ""), {})
                self.trouble = None
                failures = 0 if self._watch() >= _SHORT_WATCH_S else failures + 1
                pause = self._back_off(failures)
            except NotFound:
                failures, pause = 0, self._times.absent_retry_s
                self._forget_all()
            except Gone:
                failures += 1
                self._version, pause = "", self._back_off(failures - 1)
            except KubeError as error:
                failures += 1
                self._note(error, failures)
                pause = self._back_off(failures)
            self._wake.wait(pause)
            self._wake.clear()

    def _note(self, error: KubeError, failures: int) -> None:
        if self._stopping.is_set():
            return  # our own doing
        if error.status:
            self.last_activity = time.monotonic()
        if not isinstance(error, Unavailable) or failures % _RELIST_AFTER_FAILURES == 0:
            self._version = ""
        if failures > 1 or not isinstance(error, Unavailable):  # one dropped connection is daily business
            self.trouble = f"watch of {self._resource.plural}: {error}"  # told by whoever looks at it, once

    def _back_off(self, failures: int) -> float:
        if failures < 1:
            return 0.0
        longest = min(_BACK_OFF_LAST_S, _BACK_OFF_FIRST_S * 2.0 ** min(failures - 1, 10))
        return longest * (0.5 + 0.5 * self._jitter())

    def _relist(self) -> None:
        """List page by page; objects are trimmed page by page, so that the whole list is never in memory."""
        query = {"limit": str(_PAGE), **self._selector}
        seen: set[Key] = set()
        while True:
            page = self._transport.request("GET", self._path, _LIST_LIMITS, query=query)
            self.last_activity = time.monotonic()
            for item in objects_at(page, "items"):
                seen.add(key_of(item))
                self._heard({"apiVersion": self._resource.api_version, "kind": self._resource.kind, **item})
            query["continue"] = text_at(page, "metadata", "continue") or ""
            if not query["continue"]:
                break
        for key in self._known.keys() - seen:
            self._gone(key)
        self._version = text_at(page, "metadata", "resourceVersion") or ""

    def _watch(self) -> float:
        """Watch until the server ends it; gives the seconds it lasted."""
        started = time.monotonic()
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._version,
            "timeoutSeconds": str(self._times.server_timeout_s),
            **self._selector,
        }
        limits = Limits(connect_s=3, read_s=self._times.silence_limit_s)
        stream = self._transport.stream(self._path, limits, query=query)
        with self._lock:
            self._stream = stream
        try:
            self.last_activity = time.monotonic()
            if not self._stopping.is_set():
                for event in stream.lines():
                    self._take(event)
        finally:
            with self._lock:
                self._stream = None
            stream.close()
        return time.monotonic() - started

    def _take(self, event: Mapping[str, object]) -> None:
        """Take in one line of the watch.

        Raises:
            Gone: the version is too old.
            KubeError: the server reports another fault.
        """
        self.last_activity = time.monotonic()
        kind, item = text_at(event, "type"), object_at(event, "object")
        if kind == "ERROR":
            raise status_error(item, int_at(item, "code") or 500)
        if kind == "DELETED":
            self._gone(key_of(item))
        elif kind in ("ADDED", "MODIFIED"):
            self._heard(item)
        self._version = text_at(item, "metadata", "resourceVersion") or self._version

    def _heard(self, item: Mapping[str, object]) -> None:
        key = key_of(item)
        try:
            trimmed = self._trim(item)
        except _FOREIGN_SHAPE as error:
            place = {"resource": self._resource.plural, "namespace": key[0], "name": key[1]}
            log.warning("watch.object_unreadable", **place, error=f"{type(error).__name__}: {error}")
            self._gone(key)
            return
        known = self._known.get(key)
        if known != trimmed:
            self._known[key] = trimmed
            self._emit("ADDED" if known is None else "MODIFIED", key, trimmed)

    def _gone(self, key: Key) -> None:
        known = self._known.pop(key, None)
        if known is not None:
            self._emit("DELETED", key, known)

    def _forget_all(self) -> None:
        """The API is not there: so are its objects."""
        self.last_activity = time.monotonic()
        self.trouble = None
        self._version = ""
        for key in [*self._known]:
            self._gone(key)
        self._emit("SYNCED", ("", ""), {})


def key_of(item: Mapping[str, object]) -> Key:
    """Namespace (empty for cluster-scoped objects) and name of an object."""
    return text_at(item, "metadata", "namespace") or "", text_at(item, "metadata", "name") or ""
