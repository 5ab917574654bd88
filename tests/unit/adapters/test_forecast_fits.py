"""Worker processes that fit: each fault is done to a real one and costs one fit, and no process is left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import structlog

from presage.adapters.forecast_fits import PROGRAM, ForecastFits
from presage.adapters.forecast_worker import NICENESS, FitJob
from presage.core.forecast.api import Forecast, Series, forecast_one
from presage.core.forecast.spec import ForecastSpec
from presage.core.scaling.gate import make_setting, plan_job
from presage.core.scaling.policy import DEFAULTS
from presage.core.scaling.replay import Past
from tests.integration.tools import eventually
from tests.processes import NICE, children, status_of
from tests.unit.adapters.moody_worker import CHATTERS, EATS, EXITS, RAISES, SLEEPS, SPINS

LEVELS = (0.5, 0.9)
MOODY = (sys.executable, str(Path(__file__).with_name("moody_worker.py")))
_WHEN = np.arange(600)
HISTORY = Series(10 * (2 + np.sin(2 * np.pi * _WHEN / 48)), 0.0, 1800.0)


def job(start: float = 0.0) -> FitJob:
    return FitJob(replace(HISTORY, start=start), 4, LEVELS, None)


def environment_of(pid: int) -> list[bytes]:
    return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")


async def begun(worker: int) -> None:
    """Wait until a worker is in the midst of its first fit."""
    await eventually(lambda: int(status_of(worker)[NICE]) == NICENESS, what="it has begun")
    await asyncio.sleep(0.2)


class Fitting:
    """Workers, what was told of their fits, and their process ids."""

    def __init__(self, **settings: Any) -> None:
        self._before = children()
        self.outcomes: list[str] = []
        settings = {"workers": 1, "deadline_s": 30, "program": MOODY, "observe": self._observe, **settings}
        self._deadline_s = settings["deadline_s"]
        self.fits = ForecastFits(**settings)

    def _observe(self, outcome: str, seconds: float) -> None:
        assert 0 <= seconds < self._deadline_s + 3
        self.outcomes.append(outcome)

    async def fit(self, start: float = 0.0) -> Forecast | None:
        return await asyncio.wait_for(self.fits.ask(job(start)), 40)

    @property
    def workers(self) -> set[int]:
        return children() - self._before

    async def first_worker(self) -> int:
        await eventually(lambda: self.workers, what="a worker runs")
        return min(self.workers)


@asynccontextmanager
async def start(**settings: Any) -> AsyncIterator[Fitting]:
    fitting = Fitting(**settings)
    try:
        yield fitting
    finally:
        await asyncio.wait_for(fitting.fits.close(), 5)
        assert not fitting.workers, "close leaves no process behind"


async def test_a_fit_is_the_full_tiers_forecast() -> None:
    async with start(program=PROGRAM) as fitting:
        forecast = await fitting.fit()
    alone = forecast_one(HISTORY, 4, LEVELS, effort="full")
    np.testing.assert_array_equal(forecast.point, alone.point)
    np.testing.assert_array_equal(forecast.quantiles[0.9], alone.quantiles[0.9])
    assert fitting.outcomes == ["Done"]


@pytest.mark.parametrize("mood", [pytest.param(SLEEPS, id="that waits"), pytest.param(SPINS, id="that computes")])
async def test_a_killed_worker_costs_its_fit(mood: float) -> None:
    with structlog.testing.capture_logs() as logs:
        async with start() as fitting:
            dies, next_one = fitting.fits.ask(job(mood)), fitting.fits.ask(job())
            worker = await fitting.first_worker()
            await begun(worker)
            os.kill(worker, signal.SIGKILL)
            assert await asyncio.wait_for(dies, 5) is None
            assert await asyncio.wait_for(next_one, 30) is not None
            assert fitting.workers != {worker}
    assert fitting.outcomes == ["Died", "Done"]
    assert [(line["event"], line["outcome"]) for line in logs] == [("forecast.fit_failed", "Died")]
    assert "signal 9" in logs[0]["error"]


@pytest.mark.parametrize("mood", [pytest.param(SLEEPS, id="asleep"), pytest.param(SPINS, id="in an endless loop")])
async def test_a_fit_without_end_is_given_up_at_its_deadline(mood: float) -> None:
    async with start(deadline_s=1.5) as fitting:
        assert await fitting.fit(mood) is None
        assert fitting.outcomes == ["Late"]
        await eventually(lambda: not fitting.workers, what="its worker is ended")
        await eventually_fits(fitting)


async def eventually_fits(fitting: Fitting) -> None:
    """See that a fit succeeds; on a busy machine a short deadline may need a second try."""
    for _ in range(3):
        if await fitting.fit() is not None:
            return
    raise AssertionError(f"no fit succeeds: {fitting.outcomes}")


async def test_a_frozen_worker_is_replaced() -> None:
    async with start(deadline_s=3) as fitting:
        await eventually_fits(fitting)
        frozen = await fitting.first_worker()
        os.kill(frozen, signal.SIGSTOP)
        assert await fitting.fit() is None
        assert fitting.outcomes[-1] == "Late"
        await eventually(lambda: not status_of(frozen), what="it is ended")
        await eventually_fits(fitting)


@pytest.mark.parametrize(
    ("mood", "outcome", "why"),
    [
        pytest.param(RAISES, "Failed", "ZeroDivisionError: as asked", id="raises"),
        pytest.param(EATS, "Failed", "MemoryError", id="wants more memory than a worker may have"),
        pytest.param(EXITS, "Died", "exit code 3", id="ends its process"),
    ],
)
async def test_a_fit_that_fails_costs_no_other(mood: float, outcome: str, why: str) -> None:
    with structlog.testing.capture_logs() as logs:
        async with start() as fitting:
            answers = await asyncio.gather(fitting.fit(), fitting.fit(mood), fitting.fit())
    assert [answer is not None for answer in answers] == [True, False, True]
    assert fitting.outcomes == ["Done", outcome, "Done"]
    assert why in logs[0]["error"]


async def test_what_a_fit_prints_is_no_answer() -> None:
    async with start() as fitting:
        assert await fitting.fit(CHATTERS) is not None


async def test_a_program_that_cannot_start_fails_every_fit() -> None:
    async with start(program=("/no/such/program",)) as fitting:
        assert await asyncio.gather(fitting.fit(), fitting.fit()) == [None, None]
    assert fitting.outcomes == ["Died", "Died"]


async def test_without_workers_there_is_no_full_tier() -> None:
    async with start(workers=0) as fitting:
        assert await fitting.fit() is None
        assert not fitting.workers


async def test_a_worker_is_replaced_after_its_share() -> None:
    async with start(max_fits=2) as fitting:
        seen = []
        for _ in range(3):
            asked = fitting.fits.ask(job())
            seen.append(await fitting.first_worker())
            assert await asked is not None
            await asyncio.sleep(0.05)
    assert seen[0] == seen[1] != seen[2]


async def test_an_idle_worker_ends_and_the_next_fit_starts_another() -> None:
    async with start(idle_s=0.1) as fitting:
        for _ in range(2):
            assert await fitting.fit() is not None
            await eventually(lambda: not fitting.workers, what="the idle worker ends")


async def test_a_fit_asked_for_at_the_moment_an_idle_worker_ends_is_not_forgotten() -> None:
    async with start(idle_s=0.05) as fitting:
        for moment in range(8):
            assert await fitting.fit() is not None
            await asyncio.sleep(0.05 + moment / 2000)


async def test_as_many_workers_as_asked_for_and_none_before_there_is_work() -> None:
    async with start(workers=2) as fitting:
        assert not fitting.workers
        asked = [fitting.fits.ask(job(SLEEPS)) for _ in range(4)]
        await eventually(lambda: len(fitting.workers) == 2, what="both work")
        await asyncio.sleep(0.2)
        assert len(fitting.workers) == 2
        assert fitting.fits.waiting == 2
        assert not any(answer.done() for answer in asked)


async def test_a_worker_gives_way_and_uses_one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "8")
    async with start() as fitting:
        assert await fitting.fit() is not None
        worker = await fitting.first_worker()
        assert int(status_of(worker)[NICE]) == NICENESS
        given = environment_of(worker)
        assert {b"OPENBLAS_NUM_THREADS=1", b"OMP_NUM_THREADS=1", b"MKL_NUM_THREADS=1"} <= set(given)


async def test_the_log_names_the_object() -> None:
    merge = structlog.contextvars.merge_contextvars
    with structlog.testing.capture_logs(processors=[merge]) as logs:
        async with start() as fitting:
            for name in ("shop", "till"):
                structlog.contextvars.clear_contextvars()
                structlog.contextvars.bind_contextvars(name=name)
                assert await fitting.fit(RAISES) is None
    assert [line["name"] for line in logs] == ["shop", "till"]


ORPHAN = """
import asyncio, sys
from presage.adapters.forecast_fits import ForecastFits
from tests.unit.adapters.test_forecast_fits import MOODY, job

async def main():
    await ForecastFits(1, 60, program=MOODY).ask(job(float(sys.argv[1])))

asyncio.run(main())
"""


@contextmanager
def orphaning(mood: float) -> Iterator[subprocess.Popen[bytes]]:
    """Run an operator's part as a process of its own, that has one such fit done."""
    root = Path(__file__).parents[3]
    with subprocess.Popen([sys.executable, "-c", ORPHAN, str(mood)], cwd=root) as operator:
        try:
            yield operator
        finally:
            operator.kill()


@pytest.mark.parametrize("mood", [pytest.param(SLEEPS, id="that waits"), pytest.param(SPINS, id="that computes")])
async def test_a_worker_ends_with_an_operator_that_is_killed(mood: float) -> None:
    with orphaning(mood) as operator:
        await eventually(lambda: children(operator.pid), what="a worker runs")
        worker = min(children(operator.pid))
        await begun(worker)
    await eventually(lambda: not status_of(worker), within=5, what="the worker ends by itself")


async def test_a_replay_is_a_job_like_any_other_and_counts_as_no_fit() -> None:
    history = Series(np.tile(HISTORY.values[:48], 12), 0.0, 1800.0)
    ask = ForecastSpec(1800, 12 * 86_400, 7200, (86_400,), None, None)
    setting = make_setting(replace(DEFAULTS, max_replicas=9, lead_time_s=60.0), ask, 75.0)
    past = Past(history, np.repeat(history.values, 30), 0.0, setting.tick_s, 576)
    asked = plan_job(past, (10 * 86_400.0, 12 * 86_400.0), setting)
    async with start() as fitting:
        days = await asyncio.wait_for(fitting.fits.ask(asked), 40)
        assert fitting.outcomes == []
    assert days is not None
    assert [day.start for day in days] == [10 * 86_400.0, 11 * 86_400.0]
    np.testing.assert_array_equal(days[0].unmet, asked.run()[0].unmet)
