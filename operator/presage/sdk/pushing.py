"""Sends what is recorded to a back end, at the interval of the profiles in force."""

from __future__ import annotations

import concurrent.futures.thread  # noqa: F401  # exporters import it, which fails once the interpreter ends: see `stop`
import threading
import time
from collections.abc import Callable
from typing import Protocol

from opentelemetry.sdk.metrics.export import MetricExportResult, MetricsData

from presage.sdk.collection import Collection
from presage.sdk.own import OwnState
from presage.sdk.tiers import drop_shortest

OUTPUT = "push"
LOAD_EXPORTER_AFTER_S = 1.0
"""Seconds after the start at which the exporter's modules are imported: not on the way to the first event."""

LOAD_TIMEOUT_S = 15.0
"""Seconds that a flush waits for the exporter to be imported, which takes a busy machine several."""

EXPORT_TIMEOUT_S = 10.0
MAX_LEVEL = 8


class Exporter(Protocol):
    """The part of OpenTelemetry's `MetricExporter` that is used."""

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000) -> MetricExportResult:
        """Send; return whether that worked."""

    def shutdown(self, timeout_millis: float = 30_000) -> None:
        """Let go of connections."""


class _Flush:
    """An export that somebody waits for."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.done = threading.Event()
        self.worked = False


class Pusher:
    """Exports at the interval, and at once when asked to.

    A back end that fails, or needs more than half the interval, is spared: one more tier, the one that is kept for the
    shortest time, stays at home; each export that goes well takes one back.
    """

    def __init__(
        self,
        collection: Collection,
        own: OwnState,
        load_exporter: Callable[[], Exporter],
        interval_s: Callable[[], float],
    ) -> None:
        """Args: load_exporter: called once, late; interval_s: seconds between two exports, asked each time."""
        self.level = 0
        self._collection = collection
        self._own = own
        self._load = load_exporter
        self._interval_s = interval_s
        self._exporter: Exporter | None = None
        self._lock = threading.Lock()  # one export at a time, whoever asks for it
        self._wake = threading.Event()
        self._stopped = False
        self._flushes: list[_Flush] = []
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to export."""
        self._thread = threading.Thread(target=self._run, name="presage-export", daemon=True)
        self._thread.start()

    def reconsider(self) -> None:
        """Look at the interval again, since profiles have changed."""
        self._wake.set()

    def flush(self, timeout_s: float) -> bool:
        """Export now, in the thread that exports; whether it worked, in so many seconds after it began."""
        if self._thread is None or not self._thread.is_alive():
            return self._export(timeout_s)
        flush = _Flush()
        self._flushes.append(flush)
        self._wake.set()
        return flush.begun.wait(LOAD_TIMEOUT_S) and flush.done.wait(timeout_s) and flush.worked

    def stop(self, timeout_s: float) -> None:
        """Export a last time and end."""
        self.flush(timeout_s)
        self._stopped = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout_s)
        if self._exporter is not None:
            self._exporter.shutdown()

    def _run(self) -> None:
        last = time.monotonic()
        self._wake.wait(min(LOAD_EXPORTER_AFTER_S, self._interval_s()))
        self._load_exporter()
        while not self._stopped or self._flushes:
            left = last + self._interval_s() - time.monotonic()
            if left > 0 and not self._flushes:
                self._wake.wait(left)
                self._wake.clear()
                continue
            last = time.monotonic()
            waiting, self._flushes = self._flushes, []
            for each in waiting:
                each.begun.set()
            worked = self._export(min(self._interval_s(), EXPORT_TIMEOUT_S))
            for each in waiting:
                each.worked = worked
                each.done.set()

    def _load_exporter(self) -> Exporter | None:
        if self._exporter is None:
            try:
                self._exporter = self._load()
            except Exception as problem:  # noqa: BLE001  # an exporter that is not installed, or refuses its settings
                self._own.fail(problem)
        return self._exporter

    def _export(self, timeout_s: float) -> bool:
        with self._lock:
            cpu, started = time.thread_time(), time.monotonic()
            worked = False
            try:
                exporter = self._load_exporter()
                if exporter is not None:
                    data, dropped = drop_shortest(self._collection.collect(OUTPUT), self.level)
                    worked = exporter.export(data, timeout_millis=timeout_s * 1000) is MetricExportResult.SUCCESS
                    self._own.drop(dropped)
                    if worked:
                        self._collection.commit(OUTPUT, data)
            except Exception as problem:  # noqa: BLE001  # an exporter may fail in any way; the function goes on
                self._own.fail(problem)
            slow = time.monotonic() - started > self._interval_s() / 2
            self.level = min(self.level + 1, MAX_LEVEL) if slow or not worked else max(self.level - 1, 0)
            self._own.export_s += time.thread_time() - cpu
            return worked
