"""Turns: how many objects are worked on at the same time; waiting for a source or a forecast does not count as work.

A source that hangs keeps those waiting who ask it, and nobody else; and who waits together is answered together.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from presage.core.forecast.api import Forecast, Series, State
from presage.core.query import Selection
from presage.core.recording.retention.canary import Canary, Look
from presage.core.recording.retention.tiers import Retention, Tier
from presage.reconcile.ports import (
    AskedReplay,
    Canaries,
    Forecaster,
    FullFit,
    History,
    LabelValues,
    Loads,
    ReplayJob,
    Source,
    TickSample,
)


class Turns:
    """Counts who works.

    Args:
        count: How many may work at the same time.
    """

    def __init__(self, count: int) -> None:
        self._free = asyncio.Semaphore(count)

    async def take(self) -> None:
        """Wait for a turn; it must be given back."""
        await self._free.acquire()

    def give_back(self) -> None:
        """End a turn."""
        self._free.release()

    @contextlib.asynccontextmanager
    async def lent(self) -> AsyncIterator[None]:
        """Give the caller's turn to others for the time of the block; wait for one again at its end."""
        self.give_back()
        try:
            yield
        finally:
            await self.take()


class PatientLoads:
    """The port `Loads` for handlers that hold a turn: they lend it while they wait.

    Args:
        loads: Answers.
        turns: Where turns come from.
    """

    def __init__(self, loads: Loads, turns: Turns) -> None:
        self._loads = loads
        self._turns = turns

    async def probe(self, source: Source) -> str:
        """See `Loads`."""
        async with self._turns.lent():
            return await self._loads.probe(source)

    async def observe(self, source: Source, askers: Sequence[Selection], max_age_s: float) -> Sequence[TickSample]:
        """See `Loads`."""
        async with self._turns.lent():
            return await self._loads.observe(source, askers, max_age_s)

    async def history(
        self, source: Source, askers: Sequence[Selection], step_s: int, history_s: float, now: float
    ) -> Sequence[History]:
        """See `Loads`."""
        async with self._turns.lent():
            return await self._loads.history(source, askers, step_s, history_s, now)

    async def find_values(self, source: Source, asker: Selection, label: str, most: int) -> LabelValues:
        """See `Loads`."""
        async with self._turns.lent():
            return await self._loads.find_values(source, asker, label, most)


class PatientCanaries:
    """The port `Canaries` for handlers that hold a turn: they lend it while they wait.

    Args:
        canaries: Answers.
        turns: Where turns come from.
    """

    def __init__(self, canaries: Canaries, turns: Turns) -> None:
        self._canaries = canaries
        self._turns = turns

    async def look(self, source: Source, retention: Retention, known: Mapping[str, Canary]) -> Mapping[str, Look]:
        """See `Canaries`."""
        async with self._turns.lent():
            return await self._canaries.look(source, retention, known)

    async def write(self, source: Source, tier: Tier, at: float) -> None:
        """See `Canaries`."""
        async with self._turns.lent():
            await self._canaries.write(source, tier, at)


class PatientForecaster:
    """The port `Forecaster` for handlers that hold a turn: they lend it while they wait.

    Args:
        forecaster: Answers.
        turns: Where turns come from.
    """

    def __init__(self, forecaster: Forecaster, turns: Turns) -> None:
        self._forecaster = forecaster
        self._turns = turns

    async def forecast(
        self, series: Series, horizon: int, quantiles: tuple[float, ...], state: State | None
    ) -> Forecast:
        """See `Forecaster`."""
        async with self._turns.lent():
            return await self._forecaster.forecast(series, horizon, quantiles, state)

    async def advance(
        self, state: State, new_values: NDArray[np.float64], horizon: int, quantiles: tuple[float, ...]
    ) -> Forecast:
        """See `Forecaster`."""
        async with self._turns.lent():
            return await self._forecaster.advance(state, new_values, horizon, quantiles)

    def fit(self, series: Series, horizon: int, quantiles: tuple[float, ...], state: State | None) -> FullFit:
        """See `Forecaster`; nobody waits for it."""
        return self._forecaster.fit(series, horizon, quantiles, state)

    def replay(self, job: ReplayJob) -> AskedReplay:
        """See `Forecaster`; nobody waits for it."""
        return self._forecaster.replay(job)
