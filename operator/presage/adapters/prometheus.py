"""Metrics sources over the Prometheus HTTP API, through prometheus-api-client on a bounded session.

Each source has its own line (client, threads, concurrency limit, circuit breaker), and its askers share requests. All
that waits or parses is in threads, so that a slow source or a large answer never holds up the event loop. History is
kept per (source, selection, step, span) and only its newest slots are fetched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from presage.adapters.prometheus_answers import (
    read_health,
    read_is_gauge,
    read_range,
    read_tick,
    read_values,
    read_version,
)
from presage.adapters.prometheus_line import Observer, ReadSecret, SourceLine
from presage.adapters.prometheus_sharing import Sharer
from presage.adapters.prometheus_types import MetricTypes
from presage.adapters.recently_used import RecentlyUsed
from presage.core.faults import SourceFault
from presage.core.history import REFETCHED, SlotRange, Slots, plan_missing, plan_span, split_range
from presage.core.query import CounterLoad, Selection, build_values_query
from presage.core.sharing import SharedQuery, limit_points
from presage.core.source_reading import History, LabelValues, Source, TickSample

T = TypeVar("T")

_MAX_HISTORIES = 20_000
_MAX_SLOTS = 80_000_000  # of all histories together, 4 bytes each: every edit of a profile may leave another history
_FORGET_S = 3_600.0

_HistoryKey = tuple[Source, Selection, int, int]
"""Source with its spec, selection, step, number of slots: askers of different spans never cut each other's slots."""


@dataclass(slots=True)
class _Stored:
    """Slots held of one history."""

    slots: Slots = field(default_factory=lambda: Slots(0, np.empty(0, np.float32)))
    counted: bool = True
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class _SharedSource:
    """One source: its line, and those who wait for a tick (by largest sample age) or for slots."""

    def __init__(self, source: Source, line: SourceLine) -> None:
        self._source = source
        self.line = line
        self.ticks: Sharer[float, TickSample] = Sharer(self._read_ticks)
        self.slots: Sharer[SlotRange, NDArray[np.float32]] = Sharer(self._read_slots)
        self._types = MetricTypes(lambda metric: self.line.ask(partial(read_is_gauge, metric)))

    def close(self) -> None:
        self.ticks.close()
        self.slots.close()
        self.line.close()

    async def observe(self, asker: Selection, max_age_s: float) -> TickSample:
        """Return the load now; a rate over what is no counter is none."""
        sample = await self.ticks.get(max_age_s, asker)
        if not isinstance(asker.load, CounterLoad) or sample.newest_at is None:
            return sample
        if not await self._types.is_gauge(asker.load.metric):
            return sample
        return replace(sample, load=None, flaw="NotACounter")

    async def _read_ticks(self, max_age_s: float, query: SharedQuery) -> dict[Selection, TickSample]:
        return await self.line.ask(partial(read_tick, self._source, query, max_age_s))

    async def _read_slots(self, wanted: SlotRange, query: SharedQuery) -> dict[Selection, NDArray[np.float32]]:
        """Return the slots `wanted`, or the front of them if the source failed on the way."""
        parts: dict[Selection, list[NDArray[np.float32]]] = {asker: [] for asker in query.values}
        for part in split_range(wanted, limit_points(len(query.values))):
            try:
                answers = await self.line.ask(partial(read_range, self._source, query, part))
            except SourceFault:
                if part.first == wanted.first:
                    raise
                break
            for asker, values in answers.items():
                parts[asker].append(values)
        return {asker: np.concatenate(values) for asker, values in parts.items()}


class PrometheusLoads:
    """Answers the port `Loads`.

    Args:
        read_secret: Reads credentials.
        allow_loopback: Whether sources may live on this host's loopback; for tests and single-host use.
        observer: Told of every request, on the event loop.
    """

    def __init__(
        self,
        read_secret: ReadSecret,
        *,
        allow_loopback: bool = False,
        observer: Observer | None = None,
    ) -> None:
        make_line = partial(SourceLine, read_secret=read_secret, allow_loopback=allow_loopback, observer=observer)
        self._sources: RecentlyUsed[Source, _SharedSource] = RecentlyUsed(
            lambda source: _SharedSource(source, make_line(source)), life_s=_FORGET_S, forget=_SharedSource.close
        )
        self._histories: RecentlyUsed[_HistoryKey, _Stored] = RecentlyUsed(
            lambda key: _Stored(), life_s=_FORGET_S, most=_MAX_HISTORIES, forget=self._discount
        )
        self._slots_held = 0

    async def close(self) -> None:
        """Drop what has not started and close connections."""
        for source in self._sources:
            source.close()

    async def probe(self, source: Source) -> str:
        """Return the server's version, empty if it does not tell.

        Raises:
            SourceFault: If the source cannot be used.
        """
        line = self._sources.get(source).line
        await line.ask(read_health)
        try:
            return await line.ask(read_version)
        except SourceFault:
            return ""  # not every compatible server tells its version

    async def observe(self, source: Source, askers: Sequence[Selection], max_age_s: float) -> list[TickSample]:
        """Return each asker's load now, its newest sample's time, and its targets with a sample of `max_age_s` at most.

        Raises:
            SourceFault: If there is no usable answer for one of them.
        """
        shared = self._sources.get(source)
        return await _all(shared.observe(asker, max_age_s) for asker in askers)

    async def history(
        self, source: Source, askers: Sequence[Selection], step_s: int, history_s: float, now: float
    ) -> list[History]:
        """Return each asker's complete slots up to `now`, oldest first.

        Only slots not held yet are fetched, and with them the newest few again: their values may have changed.

        Raises:
            SourceFault: If there is no usable answer for one of them; what was fetched before stays held.
        """
        wanted = plan_span(now, step_s, history_s)
        return await _all(self._bring_up(source, asker, wanted, int(history_s // step_s)) for asker in askers)

    async def find_values(self, source: Source, asker: Selection, label: str, most: int) -> LabelValues:
        """Return the values of a label in the series that an asker may see: `most` of them, those with the most load.

        Raises:
            SourceFault: If there is no usable answer.
            ValueError: If the selection or the label breaks PromQL's grammar.
        """
        build_values_query(asker, label, most)  # such a fault is no answer of the source
        return await self._sources.get(source).line.ask(partial(read_values, source, asker, label, most))

    async def _bring_up(self, source: Source, asker: Selection, wanted: SlotRange, span: int) -> History:
        stored = self._histories.get((source, asker, wanted.step_s, span))
        shared = self._sources.get(source).slots
        async with stored.lock:
            # What lies past `now` was fetched by a clock that ran ahead; spare slots in front let it step back a bit.
            self._hold(stored, stored.slots.clip(wanted.first - REFETCHED, wanted.last))
            while missing := plan_missing(stored.slots, wanted):  # an answer may hold the front only
                fetched = Slots(missing.first, await shared.get(missing, asker))
                self._hold(stored, stored.slots.extend(fetched))
            slots = stored.slots.clip(wanted.first, wanted.last)
        return History(slots.values, float(slots.first * wanted.step_s))

    def _hold(self, stored: _Stored, slots: Slots) -> None:
        """Put slots into a history; if all together are too many, those unused longest go."""
        if stored.counted:
            self._slots_held += len(slots.values) - len(stored.slots.values)
        stored.slots = slots
        while self._slots_held > _MAX_SLOTS and self._histories.forget_oldest():
            pass

    def _discount(self, stored: _Stored) -> None:
        """Count a forgotten history no longer, though someone may still be filling it."""
        stored.counted = False
        self._slots_held -= len(stored.slots.values)


async def _all(asked: Iterable[Awaitable[T]]) -> list[T]:
    """Return all answers, once all are there; raise the first fault in their order."""
    answers = await asyncio.gather(*asked, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return [answer for answer in answers if not isinstance(answer, BaseException)]
