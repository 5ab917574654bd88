"""Runs the pure forecaster beside the event loop, as the port `Forecaster`.

The batch tier runs in one thread: numpy leaves the interpreter lock in its inner loops, and blocks from several threads
would only fight for the same cores. What waits while the thread is busy is done together in its next go: a batch costs
a fraction of the same series one by one. The full tier runs in worker processes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.ma  # numpy itself imports it at the first median of few columns, and nothing else runs for 50 ms
from numpy.typing import NDArray

from presage.adapters.forecast_fits import ForecastFits
from presage.adapters.forecast_worker import FitJob
from presage.core.forecast.api import Forecast, Series, State, advance, forecast_many
from presage.core.scaling.gate import ReplayJob
from presage.core.scaling.objective import ReplayedDay

MAX_BATCH = 32  # bounds the time of one go, and the memory


@dataclass(frozen=True, slots=True)
class _Fit:
    """Forecast with everything chosen anew."""

    series: Series
    horizon: int
    state: State | None


@dataclass(frozen=True, slots=True)
class _Move:
    """Forecast with stored coefficients."""

    state: State
    new_values: NDArray[np.float64]
    horizon: int


_Job = _Fit | _Move
_Shape = tuple[type[_Job], int, tuple[float, ...]]
"""What jobs of one batch have in common: their kind, horizon and quantiles."""


class ForecastPool:
    """Answers the port `Forecaster`.

    Args:
        fits: Does the full tier.
    """

    def __init__(self, fits: ForecastFits) -> None:
        self._fits = fits
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="forecast")
        self._waiting: dict[_Shape, list[tuple[_Job, asyncio.Future[Forecast]]]] = {}  # the longest waiting shape first
        self._running: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Drop what has not started, and end the workers."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        if self._running is not None:
            self._running.cancel()
        await self._fits.close()

    async def forecast(
        self, series: Series, horizon: int, quantiles: tuple[float, ...], state: State | None
    ) -> Forecast:
        """Return the batch tier's forecast, with weights and quantiles chosen anew."""
        return await self._add(_Fit(series, horizon, state), quantiles)

    async def advance(
        self, state: State, new_values: NDArray[np.float64], horizon: int, quantiles: tuple[float, ...]
    ) -> Forecast:
        """Return a forecast from stored coefficients and the newest slots, oldest first."""
        return await self._add(_Move(state, new_values, horizon), quantiles)

    def fit(
        self, series: Series, horizon: int, quantiles: tuple[float, ...], state: State | None
    ) -> asyncio.Future[Forecast | None]:
        """Ask a worker for the full tier's forecast."""
        return self._fits.ask(FitJob(series, horizon, quantiles, state))

    def replay(self, job: ReplayJob) -> asyncio.Future[tuple[ReplayedDay, ...] | None]:
        """Ask a worker for a replay of past days."""
        return self._fits.ask(job)

    async def _add(self, job: _Job, quantiles: tuple[float, ...]) -> Forecast:
        answer: asyncio.Future[Forecast] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault((type(job), job.horizon, quantiles), []).append((job, answer))
        if self._running is None:
            self._running = asyncio.get_running_loop().create_task(self._run())
        return await answer

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._solve_next()
        finally:
            self._running = None

    async def _solve_next(self) -> None:
        shape = next(iter(self._waiting))
        jobs = self._waiting.pop(shape)
        if len(jobs) > MAX_BATCH:
            self._waiting[shape] = jobs[MAX_BATCH:]  # behind the others
        batch = jobs[:MAX_BATCH]
        results = await asyncio.get_running_loop().run_in_executor(
            self._thread, _solve_each, [job for job, _ in batch], shape
        )
        for (_, answer), result in zip(batch, results, strict=True):
            if answer.done():  # its asker left
                continue
            if isinstance(result, Exception):
                answer.set_exception(result)
            else:
                answer.set_result(result)


def _solve_each(jobs: Sequence[_Job], shape: _Shape) -> list[Forecast | Exception]:
    """Return each job's forecast or what is wrong with it: one at fault costs the others no more than time."""
    try:
        return list(_solve(jobs, shape))
    except Exception as error:  # noqa: BLE001  # it is raised where the forecast was asked for
        if len(jobs) == 1:
            return [error]
        return [result for job in jobs for result in _solve_each([job], shape)]


def _solve(jobs: Sequence[_Job], shape: _Shape) -> list[Forecast]:
    _, horizon, quantiles = shape
    moves = [job for job in jobs if isinstance(job, _Move)]
    if moves:
        return advance([m.state for m in moves], [m.new_values for m in moves], horizon, quantiles)
    fits = [job for job in jobs if isinstance(job, _Fit)]
    return forecast_many([f.series for f in fits], horizon, quantiles, states=[f.state for f in fits])
