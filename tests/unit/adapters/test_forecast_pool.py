"""The forecaster beside the event loop: what waits together is done together, and each gets its own."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from presage.adapters import forecast_pool
from presage.adapters.forecast_fits import ForecastFits
from presage.adapters.forecast_pool import MAX_BATCH, ForecastPool
from presage.core.forecast.api import Series, forecast_one

LEVELS = (0.5, 0.9)


def series(number: int, slots: int = 600) -> Series:
    when = np.arange(slots)
    return Series((10 + number) * (2 + np.sin(2 * np.pi * when / 48)), 0.0, 1800.0)


@pytest.fixture
async def forecaster() -> Any:
    pool = ForecastPool(ForecastFits(workers=0, deadline_s=1))
    yield pool
    await pool.close()


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    sizes = []
    solve = forecast_pool._solve

    def spy(jobs: Any, shape: Any) -> Any:
        sizes.append(len(jobs))
        return solve(jobs, shape)

    monkeypatch.setattr(forecast_pool, "_solve", spy)
    return sizes


async def test_each_gets_the_forecast_it_would_get_alone(forecaster: ForecastPool, batches: list[int]) -> None:
    asked = [(series(n), 4 + n % 2) for n in range(20)]
    forecasts = await asyncio.gather(*(forecaster.forecast(s, h, LEVELS, None) for s, h in asked))
    for (history, horizon), forecast in zip(asked, forecasts, strict=True):
        alone = forecast_one(history, horizon, LEVELS, effort="batch")
        np.testing.assert_allclose(forecast.point, alone.point)
        np.testing.assert_allclose(forecast.quantiles[0.9], alone.quantiles[0.9])
    assert len(batches) <= 4
    new = np.array([20.0])
    moved = await asyncio.gather(*(forecaster.advance(f.state, new, 4, LEVELS) for f in forecasts))
    alone_moved = [await forecaster.advance(f.state, new, 4, LEVELS) for f in forecasts]
    for together, single in zip(moved, alone_moved, strict=True):
        np.testing.assert_allclose(together.point, single.point)


async def test_a_batch_is_bounded_and_nobody_is_left(forecaster: ForecastPool, batches: list[int]) -> None:
    count = 2 * MAX_BATCH + 5
    await asyncio.gather(*(forecaster.forecast(series(n, 60), 4, LEVELS, None) for n in range(count)))
    assert sum(batches) == count
    assert max(batches) == MAX_BATCH


async def test_one_at_fault_leaves_the_others_their_forecasts(forecaster: ForecastPool) -> None:
    wrong = Series(np.ones((2, 2)), 0.0, 1800.0)
    asked = [forecaster.forecast(s, 4, LEVELS, None) for s in (series(0), wrong, series(1))]
    first, fault, last = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(fault, ValueError)
    assert not isinstance(first, BaseException)
    assert not isinstance(last, BaseException)


async def test_an_asker_that_leaves_holds_up_nobody(forecaster: ForecastPool) -> None:
    leaves = asyncio.ensure_future(forecaster.forecast(series(0), 4, LEVELS, None))
    stays = asyncio.ensure_future(forecaster.forecast(series(1), 4, LEVELS, None))
    await asyncio.sleep(0)
    leaves.cancel()
    assert len((await asyncio.wait_for(stays, 5)).point) == 4
    assert len((await asyncio.wait_for(forecaster.forecast(series(2), 4, LEVELS, None), 5)).point) == 4
