"""Metrics sources over the Prometheus HTTP API, through prometheus-api-client on a bounded session.

Each source has its own line (client, concurrency limit, circuit breaker); requests run in threads, parsing included, so
that a slow source or a large answer never holds up the event loop. History is kept per (source, query, step, span) and
only its newest slots are fetched; equal askers share it.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from presage.adapters.prometheus_answers import read_health, read_range, read_tick, read_version
from presage.adapters.prometheus_line import Observer, ReadSecret, SourceLine
from presage.adapters.recently_used import RecentlyUsed
from presage.core.faults import SourceFault
from presage.core.history import REFETCHED, Slots, plan_missing, plan_span, split_range
from presage.core.source_reading import History, Source, TickSample

_MAX_HISTORIES = 20_000
_FORGET_S = 3_600.0

_HistoryKey = tuple[Source, str, int, int]
"""Source with its spec, query, step, number of slots: askers of different spans never cut each other's slots."""


@dataclass(slots=True)
class _Stored:
    """Slots held of one history."""

    slots: Slots = field(default_factory=lambda: Slots(0, np.empty(0, np.float32)))
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class PrometheusLoads:
    """Answers the port `Loads`.

    Args:
        read_secret: Reads credentials.
        allow_loopback: Whether sources may live on this host's loopback; for tests and single-host use.
        threads: Requests under way at most, over all sources.
        observer: Told of every request, on the event loop.
    """

    def __init__(
        self,
        read_secret: ReadSecret,
        *,
        allow_loopback: bool = False,
        threads: int = 16,
        observer: Observer | None = None,
    ) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="prometheus")
        make_line = partial(
            SourceLine,
            read_secret=read_secret,
            allow_loopback=allow_loopback,
            threads=self._threads,
            observer=observer,
        )
        self._lines: RecentlyUsed[Source, SourceLine] = RecentlyUsed(
            make_line, life_s=_FORGET_S, forget=SourceLine.close
        )
        self._histories: RecentlyUsed[_HistoryKey, _Stored] = RecentlyUsed(
            lambda key: _Stored(), life_s=_FORGET_S, most=_MAX_HISTORIES
        )

    async def close(self) -> None:
        """Drop what has not started and close connections."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for line in self._lines:
            line.close()

    async def probe(self, source: Source) -> str:
        """Return the server's version, empty if it does not tell.

        Raises:
            SourceFault: If the source cannot be used.
        """
        line = self._lines.get(source)
        await line.ask(read_health)
        try:
            return await line.ask(read_version)
        except SourceFault:
            return ""  # not every compatible server tells its version

    async def observe(self, source: Source, query: str) -> TickSample:
        """Return the answer to a tick query (`core.query.build_tick_query`).

        Raises:
            SourceFault: If there is no usable answer.
        """
        return await self._lines.get(source).ask(partial(read_tick, source, query))

    async def history(self, source: Source, query: str, step_s: int, history_s: float, now: float) -> History:
        """Return the complete slots up to `now`, oldest first.

        Only slots not held yet are fetched, and with them the newest few again: their values may have changed.

        Raises:
            SourceFault: If there is no usable answer; what was fetched before stays held.
        """
        wanted = plan_span(now, step_s, history_s)
        stored = self._histories.get((source, query, step_s, int(history_s // step_s)))
        async with stored.lock:
            # What lies past `now` was fetched by a clock that ran ahead; spare slots in front let it step back a bit.
            stored.slots = stored.slots.clip(wanted.first - REFETCHED, wanted.last)
            for part in split_range(plan_missing(stored.slots, wanted)):
                values = await self._lines.get(source).ask(partial(read_range, source, query, part))
                stored.slots = stored.slots.extend(Slots(part.first, values))
            slots = stored.slots.clip(wanted.first, wanted.last)
        return History(slots.values, float(slots.first * step_s))
