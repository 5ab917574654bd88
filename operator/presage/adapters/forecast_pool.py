"""Runs the pure forecaster beside the event loop, as the port `Forecaster`.

One thread: numpy leaves the interpreter lock in its inner loops, and blocks from several threads would only fight
for the same cores. Requests wait in order; each costs milliseconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from presage.core.forecast.api import Forecast, Series, State, advance, forecast_many

T = TypeVar("T")


class ForecastThread:
    """Answers the port `Forecaster`."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="forecast")

    async def close(self) -> None:
        """Drop what has not started."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def forecast(
        self, series: Series, horizon: int, quantiles: tuple[float, ...], state: State | None
    ) -> Forecast:
        """Return a forecast with models, weights and quantiles chosen anew."""
        return await self._run(lambda: forecast_many([series], horizon, quantiles, states=[state])[0])

    async def advance(
        self, state: State, new_values: NDArray[np.float64], horizon: int, quantiles: tuple[float, ...]
    ) -> Forecast:
        """Return a forecast from stored coefficients and the newest slots, oldest first."""
        return await self._run(lambda: advance([state], [new_values], horizon, quantiles)[0])

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
