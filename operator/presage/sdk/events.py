"""One event in the user's code: a context manager, or a decorator, for sync and asyncio.

Nothing here raises into the user's code but what the user's code raised.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from time import perf_counter
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from presage.sdk.metrics import SampledMetric
from presage.sdk.tables import Table

if TYPE_CHECKING:
    from presage.sdk.instruments import EventType

P = ParamSpec("P")
T = TypeVar("T")
_new_object = object.__new__
MAX_DEPENDENCIES = 64
"""Calls of dependencies of one event that are measured; further ones are not."""


class Extra:
    """What only some events carry."""

    __slots__ = ("dependencies", "failed", "payload_bytes", "queue_s")

    def __init__(self) -> None:
        self.failed = False
        self.queue_s: float | None = None
        self.payload_bytes: float | None = None
        self.dependencies: list[tuple[str, float]] = []


class EventPlan:
    """What an event does at its end, by the profile in force; swapped whole.

    Attributes:
        groups: Tables that count each event, with the metrics that each event measures.
        queue_time, payload, dependency_latency: Metrics of what only some events carry; None if left out.
    """

    __slots__ = ("dependency_latency", "groups", "payload", "queue_time")

    def __init__(
        self,
        groups: tuple[tuple[Table, tuple[SampledMetric, ...]], ...],
        queue_time: SampledMetric | None = None,
        payload: SampledMetric | None = None,
        dependency_latency: SampledMetric | None = None,
    ) -> None:
        self.groups = groups
        self.queue_time = queue_time
        self.payload = payload
        self.dependency_latency = dependency_latency

    def finish(self, attributes: dict[str, object], seconds: float, failed: bool, extra: Extra | None) -> None:
        """Count an event and keep of it what is to be kept."""
        for table, metrics in self.groups:
            new = False
            try:
                cell = table.cells[table.key(attributes)]
            except (KeyError, TypeError):
                cell, new = table.admit(attributes)
            cell.count += 1
            if failed:
                cell.errors += 1
            for metric in metrics:
                sampler = metric.sampler
                left = sampler.left - 1
                sampler.left = left
                if left <= 0 or failed or new:
                    metric.keep(cell, seconds, left, failed, new)
        if extra is not None:
            self._finish_extra(attributes, failed, extra)

    def _finish_extra(self, attributes: dict[str, object], failed: bool, extra: Extra) -> None:
        if self.queue_time is not None and extra.queue_s is not None:
            self.queue_time.measure(extra.queue_s, attributes, failed)
        if self.payload is not None and extra.payload_bytes is not None:
            self.payload.measure(extra.payload_bytes, attributes, failed)
        if self.dependency_latency is not None:
            for name, seconds in extra.dependencies:
                attributes["dependency"] = name
                self.dependency_latency.measure(seconds, attributes, failed)


class Event:
    """One event that is going on; made by `EventType.measure`."""

    __slots__ = ("_attributes", "_extra", "_started", "_type")

    _attributes: dict[str, object]
    _extra: Extra | None
    _started: float
    _type: EventType

    def __enter__(self) -> Event:
        self._started = perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        now = perf_counter()
        event_type = self._type
        plan = event_type.plan
        if plan is None:
            return
        try:
            seconds = now - self._started
            extra, attributes = self._extra, self._attributes
            if extra is None and kind is None:
                if "outcome" not in attributes:
                    attributes["outcome"] = "ok"
                plan.finish(attributes, seconds, False, None)
                return
            failed = (extra is not None and extra.failed) or (kind is not None and issubclass(kind, Exception))
            attributes.setdefault("outcome", "error" if failed else "ok" if kind is None else "cancelled")
            plan.finish(attributes, seconds, failed, extra)
        except Exception as problem:  # noqa: BLE001  # telemetry never breaks the function that it measures
            event_type.report(problem)

    async def __aenter__(self) -> Event:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def __call__(self, function: Callable[P, T]) -> Callable[P, T]:
        """Decorate a function, sync or async: each call is an event with these attributes."""
        event_type, attributes = self._type, self._attributes
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def measured_async(*args: Any, **kwargs: Any) -> Any:
                with event_type.measure(**attributes):
                    return await function(*args, **kwargs)

            return cast(Callable[P, T], measured_async)

        @functools.wraps(function)
        def measured(*args: P.args, **kwargs: P.kwargs) -> T:
            with event_type.measure(**attributes):
                return function(*args, **kwargs)

        return measured

    def set(self, **attributes: object) -> None:
        """Give attributes that are known only now; `outcome` replaces `ok` or `error`."""
        self._attributes.update(attributes)

    def fail(self) -> None:
        """Say that the event failed though no exception leaves it, such as an answer with status 503."""
        self._more().failed = True

    def queued(self, seconds: float) -> None:
        """Say how long the event waited before work on it began, in seconds."""
        plan = self._type.plan
        if plan is not None and plan.queue_time is not None:
            self._more().queue_s = seconds

    def payload(self, size: float) -> None:
        """Say how many bytes the event carried."""
        plan = self._type.plan
        if plan is not None and plan.payload is not None:
            self._more().payload_bytes = size

    def dependency(self, name: str) -> DependencyCall:
        """Measure a call of something that the event depends on: `with event.dependency("db"):`, sync or async."""
        plan = self._type.plan
        if plan is None or plan.dependency_latency is None:
            return _NOT_MEASURED
        return DependencyCall(self, name)

    def _more(self) -> Extra:
        if self._extra is None:
            self._extra = Extra()
        return self._extra

    def _called(self, name: str, seconds: float) -> None:
        calls = self._more().dependencies
        if len(calls) < MAX_DEPENDENCIES:
            calls.append((name, seconds))


def begin_event(event_type: EventType, attributes: dict[str, object]) -> Event:
    """Return an event; its fields are set here, since a constructor in Python takes twice as long."""
    event = _new_object(Event)
    event._type = event_type
    event._attributes = attributes
    event._extra = None
    return event


class DependencyCall:
    """A call of a dependency that is going on."""

    __slots__ = ("_event", "_name", "_started")

    def __init__(self, event: Event, name: str) -> None:
        self._event = event
        self._name = name
        self._started = 0.0

    def __enter__(self) -> DependencyCall:
        self._started = perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._event._called(self._name, perf_counter() - self._started)

    async def __aenter__(self) -> DependencyCall:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)


class _NotMeasured(DependencyCall):
    """A call that the profile leaves out; one for all."""

    __slots__ = ()

    def __init__(self) -> None:
        """Hold nothing."""

    def __enter__(self) -> DependencyCall:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Do nothing."""


_NOT_MEASURED = _NotMeasured()
