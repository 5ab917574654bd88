"""The one object that a function makes: it reads what to record, and sends what is recorded.

It works without presage, without the file, and without a network: then the built-in Minimal profile is recorded. It
never raises; what goes wrong is counted, and logged once.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from presage.core.recording.document import MAX_EVENT_TYPES, Document
from presage.sdk.calibration import measure_event_s
from presage.sdk.choice import Chooser
from presage.sdk.document_file import DocumentFile
from presage.sdk.instruments import EventType
from presage.sdk.lifecycle import FLUSH_S, forget, watch_over
from presage.sdk.outputs import PULL, Outputs, PrometheusOutput, load_otlp, make_resource, parse_environment
from presage.sdk.own import OwnState
from presage.sdk.plans import Builder, EventState, changed_histograms, ended_series
from presage.sdk.watching import Watcher

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricsData

    from presage.sdk.collection import Collection
    from presage.sdk.pushing import Exporter, Pusher
    from presage.sdk.recorders import Recorders

OTHER = "other"
"""Name of the event type that takes those beyond the cap of event types."""

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]")


class Telemetry:
    """What a function records of its event types."""

    def __init__(
        self,
        profile_file: str | None = None,
        *,
        exporter: Exporter | None = None,
        prometheus: bool | None = None,
        seed: int | None = None,
    ) -> None:
        """Begin to record, by the environment; arguments are for tests and for programs without one.

        Args:
            profile_file: The document's path; by default what `PRESAGE_PROFILE_FILE` says.
            exporter: An exporter of OpenTelemetry to push to; by default OTLP if the environment names an endpoint.
            prometheus: Whether `render_prometheus` is used, on a server of the program's own: nothing is served here.
            seed: Of the sampling; by default another one for each process.
        """
        self._lock = threading.RLock()
        self._own = OwnState()
        self._events: dict[str, EventType] = {}
        self._seed = seed
        self._exporter = exporter
        self._forked = False
        self._active = False
        self._event_s: float | None = None
        self._prometheus: PrometheusOutput | None = None
        self._outputs = parse_environment(os.environ)
        self._render = self._outputs.prometheus if prometheus is None else prometheus
        self._file = self._outputs.profile_file if profile_file is None else profile_file
        if self._outputs.disabled:
            return
        try:
            self._begin()
            watch_over(self)
        except Exception as problem:  # noqa: BLE001  # such as OpenTelemetry not installed: the function runs without
            self._own.fail(problem)

    def event(self, name: str) -> EventType:
        """Return the event type of that name; the same one each time. Names beyond 64 share one, `other`."""
        with self._lock:
            name = str(name)[:128] or OTHER
            found = self._events.get(name)
            if found is None and len(self._events) >= MAX_EVENT_TYPES:
                self._own.warn(f"more than {MAX_EVENT_TYPES} event types: further ones are counted as `{OTHER}`")
                name = OTHER
                found = self._events.get(name)
            if found is None:
                found = self._events[name] = EventType(name, self)
                self.refresh(found)
            return found

    @property
    def generation(self) -> int:
        """Generation of the document in force; 0: none was read."""
        return self._own.generation

    def collect(self) -> MetricsData | None:
        """Return everything recorded so far, as OpenTelemetry's data; None if telemetry is off."""
        return self._collection.collect() if self._active else None

    def render_prometheus(self) -> bytes:
        """Return everything recorded so far as text for Prometheus, for a server of the program's own; never raises."""
        started = time.thread_time()
        try:
            with self._lock:
                if not self._active:
                    return b""
                if self._prometheus is None:
                    self._collection.outputs.add(PULL)
                    self._prometheus = PrometheusOutput(self._collection)
            return self._prometheus.render()
        except Exception as problem:  # noqa: BLE001  # telemetry never breaks the function that it measures
            self._own.fail(problem)
            return b""
        finally:
            self._own.export_s += time.thread_time() - started

    def flush(self, timeout_s: float = FLUSH_S) -> bool:
        """Export now; whether that worked in so many seconds. For a function that is about to be frozen."""
        return self._pusher.flush(timeout_s) if self._active and self._pusher is not None else True

    def shutdown(self, timeout_s: float = FLUSH_S) -> None:
        """Export a last time and stop; done by itself at the end of the process."""
        with self._lock:
            if not self._active:
                return
            self._active = False
            for each in self._events.values():
                each.switch_off()
        forget(self)
        self._watcher.stop()
        if self._pusher is not None:
            self._pusher.stop(timeout_s)
        if self._prometheus is not None:
            self._prometheus.close()

    def report(self, problem: BaseException) -> None:
        """Count a failure inside the SDK."""
        self._own.fail(problem)

    def refresh(self, event: EventType) -> None:
        """Bring an event type to what is in force now."""
        with self._lock:
            if not self._active:
                return
            try:
                self._rebuild(event)
            except Exception as problem:  # noqa: BLE001  # the plan that was in force stays
                self._own.fail(problem)

    def begin_anew(self) -> None:
        """Count from zero in a forked child: the parent exports what was counted before, under its own instance."""
        self._lock = threading.RLock()  # another thread of the parent may have held the old one
        if not self._active:
            return
        self._forked = True
        try:
            self._begin()
            for event in self._events.values():
                event.state = EventState()
                self._rebuild(event)
        except Exception as problem:  # noqa: BLE001  # the child runs without telemetry
            self._own.fail(problem)

    def _begin(self) -> None:
        from presage.sdk.collection import Collection
        from presage.sdk.recorders import Recorders

        outputs, forked = self._outputs, self._forked
        own = OwnState()
        self._own = own
        self._in_force_seed = self._seed if self._seed is not None and not forked else _draw_seed()
        self._chooser = Chooser(outputs.pod)
        self._document = DocumentFile(self._file, own.refuse) if self._file else None
        self._recorders: Recorders = Recorders(lambda: make_resource(outputs.pod, forked))
        self._collection: Collection = Collection(self._recorders, self._own_points, outputs.delta, time.time_ns())
        self._pusher: Pusher | None = None
        self._prometheus = None
        self._active = True
        self._look_for_document()
        self._start_outputs(outputs)
        self._watcher = Watcher(self._look)
        self._watcher.start()

    def _start_outputs(self, outputs: Outputs) -> None:
        if self._render:
            self._collection.outputs.add(PULL)
        if outputs.prometheus:
            try:
                self._prometheus = PrometheusOutput(self._collection)
                self._prometheus.serve(outputs.host, outputs.port)
            except (ImportError, OSError) as problem:
                self._own.fail(problem)
        if outputs.push or self._exporter is not None:
            from presage.sdk.pushing import OUTPUT, Pusher

            given = self._exporter
            load: Callable[[], Exporter] = load_otlp if given is None else lambda: given
            self._collection.outputs.add(OUTPUT)
            self._pusher = Pusher(self._collection, self._own, load, self._interval_s)
            self._pusher.start()

    def _look(self) -> None:
        started = time.thread_time()
        try:
            with self._lock:
                if self._active and (self._look_for_document() or self._has_escalation_turned()):
                    self._rebuild_all()
        except Exception as problem:  # noqa: BLE001  # the watcher must live: what was in force stays
            self._own.fail(problem)
        self._own.watch_s += time.thread_time() - started

    def _look_for_document(self) -> bool:
        document: Document | None = None if self._document is None else self._document.look(time.monotonic())
        if document is None:
            return False
        self._chooser.take(document.recording, time.time(), time.monotonic())
        self._own.metric_profile = document.recording.name
        self._own.generation = document.generation
        self._own.since = time.time()
        return True

    def _has_escalation_turned(self) -> bool:
        """Whether time alone has changed what is in force."""
        if not self._chooser.has_escalations:
            return False
        wall, monotonic = time.time(), time.monotonic()
        events = self._events.values()
        return any(self._chooser.choose(each.name, wall, monotonic) is not each.state.profile for each in events)

    def _rebuild_all(self) -> None:
        for event in self._events.values():
            self._rebuild(event)
        if self._pusher is not None:
            self._pusher.reconsider()

    def _rebuild(self, event: EventType) -> None:
        profile = self._chooser.choose(event.name, time.time(), time.monotonic())
        prefix = f"presage.{_NOT_IN_NAMES.sub('_', event.name)}."
        builder = Builder(
            event.name,
            prefix,
            self._in_force_seed,
            self._chooser.recording.attribute_sets,
            self._recorders.make,
            self._count_events,
        )
        before = event.state
        after = builder.build(before, profile, event.declared)
        event.put_in_force(after)
        self._own.keep_of(before, after)
        ended = [f"{prefix}{name}" for name in changed_histograms(before, after)]
        self._collection.swap(event.name, after.series, ended_series(before, after), ended)

    def _count_events(self) -> int:
        return sum(event.count() for event in list(self._events.values()))

    def _interval_s(self) -> float:
        profiles = [each.state.profile for each in list(self._events.values())]
        default = self._chooser.recording.default.export_interval_s
        return float(min((each.export_interval_s for each in profiles if each is not None), default=default))

    def _own_points(self) -> list[tuple[str, str, bool, dict[str, str], int | float]]:
        if self._event_s is None:
            self._event_s = measure_event_s()
        states = [each.state for each in list(self._events.values())]
        return list(self._own.points(states, self._count_events() * self._event_s))


def _draw_seed() -> int:
    return int.from_bytes(os.urandom(8), "big")
