"""Askers of one source that ask at about the same time share requests; each gets what it would have got alone.

An asker waits at most `WINDOW_S` for company, never for another one's request. A fault is shared by those who asked
together, unless the query may be at fault: then halves are asked, so that one bad asker is left with its own fault.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from functools import partial
from typing import Any, Generic, TypeVar

from presage.adapters.prometheus_session import QueryFault
from presage.core.faults import SourceFault
from presage.core.query import Selection, build_selector
from presage.core.sharing import MAX_VALUES, SharedQuery, ask_alone, plan_queries

S = TypeVar("S")
A = TypeVar("A")

WINDOW_S = 0.05  # longest wait for company
REUSE_S = 0.5  # an answer no older than this serves an equal asker
_PAUSE_S, _MAX_PAUSE_S = 15.0, 240.0
_CAREFUL_S = 300.0
_MAX_SUSPECTS = 20_000


class Caution:
    """Remembers what sharing went wrong with: bad askers ask alone, and too large queries are made smaller."""

    def __init__(self) -> None:
        self._suspects: dict[Selection, None] = {}
        self._most, self._most_until = MAX_VALUES, 0.0
        self._failures, self._paused_until = 0, 0.0

    def plan(self, askers: Iterable[Selection], now: float) -> list[SharedQuery]:
        """Return the queries that ask for all askers, at monotonic second `now`."""
        if now >= self._most_until:
            self._most = MAX_VALUES
        paused = now < self._paused_until
        alone: list[Selection] = []
        together: list[Selection] = []
        for asker in askers:
            (alone if paused or asker in self._suspects else together).append(asker)
        return [ask_alone(asker) for asker in alone] + plan_queries(together, self._most)

    def note_answer(self, query: SharedQuery) -> None:
        """Take in that a query was answered: who is answered alone may share again."""
        if len(query.values) > 1:
            self._failures = 0
        for asker in query.values:
            self._suspects.pop(asker, None)

    def note_size(self, query: SharedQuery, now: float) -> None:
        """Take in that both halves of a query were answered and the whole was not."""
        self._most = min(self._most, max(1, len(query.values) // 2))
        self._most_until = now + _CAREFUL_S

    def note_fault(self, query: SharedQuery, now: float) -> None:
        """Take in a fault: of a lone asker its own; of several perhaps the source's, or that of asking together."""
        if len(query.values) > 1:
            self.note_size(query, now)
            self._paused_until = now + min(_MAX_PAUSE_S, _PAUSE_S * 2.0**self._failures)
            self._failures = min(self._failures + 1, 10)
            return
        if len(self._suspects) >= _MAX_SUSPECTS:
            self._suspects.clear()
        self._suspects.update(dict.fromkeys(query.values))


class Sharer(Generic[S, A]):
    """Collects askers of one source; only those that ask for the same shape of answer share.

    Args:
        read: Asks one query for answers of a shape; returns them by asker.
    """

    def __init__(self, read: Callable[[S, SharedQuery], Awaitable[Mapping[Selection, A]]]) -> None:
        self._read = read
        self._waiting: dict[S, list[Selection]] = {}
        self._answers: dict[tuple[S, Selection], asyncio.Future[A]] = {}
        self._caution = Caution()
        self._tasks: set[asyncio.Task[Any]] = set()

    async def get(self, shape: S, asker: Selection) -> A:
        """Return the asker's answer: one under way or just received, else one asked for together with others.

        Raises:
            SourceFault: If there is no usable answer.
            ValueError: If the selection breaks PromQL's grammar.
        """
        build_selector(asker)  # such a fault is for its asker alone
        answer = self._answers.get((shape, asker))
        if answer is None:
            answer = asyncio.get_running_loop().create_future()
            answer.add_done_callback(partial(self._keep_briefly, (shape, asker)))
            self._answers[shape, asker] = answer
            if shape not in self._waiting:
                self._waiting[shape] = []
                self._start(self._collect(shape))
            self._waiting[shape].append(asker)
        return await asyncio.shield(answer)  # an asker that leaves takes nothing from the others

    def close(self) -> None:
        """Ask no more."""
        for task in self._tasks:
            task.cancel()

    def _start(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _collect(self, shape: S) -> None:
        await asyncio.sleep(WINDOW_S)
        askers = self._waiting.pop(shape)
        try:
            queries = self._caution.plan(askers, time.monotonic())
        except Exception as error:  # a defect of ours: nobody may wait for ever
            self._fail(shape, askers, error)
            raise
        for query in queries:
            self._start(self._ask(shape, query))

    async def _ask(self, shape: S, query: SharedQuery) -> bool:
        """Ask for all askers of a query; return whether all were answered."""
        try:
            answers = await self._read(shape, query)
        except SourceFault as fault:
            return await self._take_fault(shape, query, fault)
        except BaseException as error:  # a defect of ours, or the end: nobody may wait for ever
            self._fail(shape, query.values, error)
            raise
        self._caution.note_answer(query)
        for asker, answer in answers.items():
            self._answers[shape, asker].set_result(answer)
        return True

    async def _take_fault(self, shape: S, query: SharedQuery, fault: SourceFault) -> bool:
        if isinstance(fault, QueryFault) and len(query.values) > 1:
            answered = await asyncio.gather(*(self._ask(shape, half) for half in query.halve()))
            if all(answered):
                self._caution.note_size(query, time.monotonic())
            return all(answered)
        self._caution.note_fault(query, time.monotonic())
        self._fail(shape, query.values, fault)
        return False

    def _fail(self, shape: S, askers: Iterable[Selection], error: BaseException) -> None:
        for asker in askers:
            if isinstance(error, asyncio.CancelledError):
                self._answers[shape, asker].cancel()
            else:
                self._answers[shape, asker].set_exception(error)

    def _keep_briefly(self, key: tuple[S, Selection], answer: asyncio.Future[A]) -> None:
        failed = answer.cancelled() or answer.exception() is not None
        asyncio.get_running_loop().call_later(0.0 if failed else REUSE_S, self._answers.pop, key, None)
