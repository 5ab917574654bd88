"""What forecasting costs the operator: its event loop's delay and its memory while many series are forecast at once.

The operator's own parts do the work, in a process of its own: histories as they are held, turns, the batch tier's
thread, worker processes, replays of past days. The histories are made up: 21 days at 5 minutes.

    python -m e2e.bench.forecast_load --series 1000 --fits 20
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from e2e.bench.made_up import DAYS, HORIZON_S, STEP_S, make_load
from e2e.bench.processes import BenchError
from e2e.bench.report import describe_machine, quantile
from presage.adapters.forecast_fits import PROGRAM, ForecastFits
from presage.adapters.forecast_pool import ForecastPool
from presage.core.forecast.api import Series, State
from presage.core.forecast.spec import ForecastSpec
from presage.core.profile import EventType
from presage.core.query import GaugeLoad, Selection
from presage.core.scaling.gate import AskedReplay, GateMemory, ReplayJob, make_setting
from presage.core.scaling.policy import DEFAULTS
from presage.core.source import SourceLimits, SourceSpec
from presage.core.source_reading import History, LabelValues, Source, TickSample
from presage.reconcile.metricprofile.forecasting import Asker, Foresight, Stake, update_foresight
from presage.reconcile.metricprofile.inputs import Basis
from presage.reconcile.ports import FullFit
from presage.runtime.garbage import spare_collections
from presage.runtime.settings import Settings
from presage.runtime.turns import PatientForecaster, Turns

PROBE_S = 0.005
LEAD_S = 75.0
LOOK_S = 0.01
WITHIN_S = 600.0
ROUNDS = 3  # one alone takes little more than a second, in which a single stop counts for much
IDLE_S = 1.0


@dataclass(frozen=True)
class LoadFigures:
    """What was measured, in three rounds: all series forecast, those to be fitted fitted and replayed, all moved on.

    Attributes:
        series: Series that were forecast for the first time, all at once.
        fits: Of them, those that were also fitted in full, and whose past week was replayed.
        fits_failed: Fits and replays that gave nothing, of all rounds.
        loop_p50_s: Delay of the event loop in all rounds: half of the moments had less.
        loop_p99_s: Ninety-nine of a hundred moments had less.
        loop_max_s: The longest.
        idle_p99_s: As `loop_p99_s`, before, with nothing to do: the machine's own part.
        forecast_wall_s: Seconds until every series had its forecast; the slowest round.
        fits_wall_s: Seconds until every fit and replay was done, workers started included; the slowest round.
        advance_wall_s: Seconds until every series was moved on by one slot; the slowest round.
        cpu_s: CPU of the operator's process a round, without its workers.
        worker_cpu_s: CPU of its workers a round.
        peak_added_bytes: Resident memory of operator and workers at its peak, above the operator's before, histories
            included; of a round with nothing before it.
        worker_bytes: The workers' part of it.
    """

    series: int
    fits: int
    fits_failed: int
    loop_p50_s: float
    loop_p99_s: float
    loop_max_s: float
    idle_p99_s: float
    forecast_wall_s: float
    fits_wall_s: float
    advance_wall_s: float
    cpu_s: float
    worker_cpu_s: float
    peak_added_bytes: int
    worker_bytes: int


def measure(series: int = 1000, fits: int = 20) -> LoadFigures:
    """Forecast `series` histories at once and fit `fits` of them, in processes of their own.

    Raises:
        BenchError: Such a process failed.
    """
    seconds, _ = _run(series, fits, ROUNDS)
    _, memory = _run(series, fits, 1)  # what earlier rounds left behind is no memory of these series
    return LoadFigures(**seconds, **memory)


def _run(series: int, fits: int, rounds: int) -> tuple[dict[str, Any], dict[str, int]]:
    """Return what one process says of its time, and what is seen of its memory."""
    argv = [sys.executable, "-m", "e2e.bench.forecast_load", f"--series={series}", f"--fits={fits}"]
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(
        [*argv, f"--inside={rounds}"], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()  # everything is imported, nothing is made
        before = _peak(process.pid)
        process.stdin.close()
        largest, workers = 0, 0
        while process.poll() is None:
            own, children = _peak(process.pid), sum(_peak(child) for child in _workers(process.pid))
            if own + children > largest:
                largest, workers = own + children, children
            time.sleep(LOOK_S)
        said = process.stdout.read()
    if process.returncode:
        raise BenchError(f"the measured process ended with code {process.returncode}; its own words stand above")
    return json.loads(said), {"peak_added_bytes": largest - before, "worker_bytes": workers}


def _peak(pid: int) -> int:
    """Return the largest resident memory a process had, in bytes; 0 if it is gone."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def _workers(pid: int) -> Iterator[int]:
    """Yield the worker processes of a process; a child that has not yet become one still has its parent's memory."""
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in task.read_text().split():
                if PROGRAM[-1].encode() in Path(f"/proc/{child}/cmdline").read_bytes():
                    yield int(child)


class _HeldHistories:
    """The port `Loads` once all slots are held: no request, only the operator's own share of the work."""

    def __init__(self, count: int) -> None:
        random = np.random.default_rng(20)
        self.count = count
        self.slots = DAYS * 86_400 // STEP_S
        self._values = [make_load(random, self.slots + 1) for _ in range(count)]

    async def probe(self, source: Source) -> str:
        return ""

    async def observe(self, source: Source, askers: Sequence[Selection], max_age_s: float) -> Sequence[TickSample]:
        raise NotImplementedError

    async def history(
        self, source: Source, askers: Sequence[Selection], step_s: int, history_s: float, now: float
    ) -> Sequence[History]:
        last = int(now // STEP_S)
        first = max(0, last - int(history_s // STEP_S))
        finer = STEP_S // step_s  # a replay of past days asks for minutes
        slots = (self._values[int(asker.load.metric)][first:last] for asker in askers)
        return [History(np.repeat(each, finer) if finer > 1 else each, float(first * STEP_S)) for each in slots]

    async def find_values(self, source: Source, asker: Selection, label: str, most: int) -> LabelValues:
        raise NotImplementedError


class _FewFits(PatientForecaster):
    """Takes only so many fits, and as many replays of past days: as if the hours of the others had not come."""

    def __init__(self, pool: ForecastPool, turns: Turns, fits: int) -> None:
        super().__init__(pool, turns)
        self._pool = pool
        self._left = {"fit": fits, "replay": fits}
        self.asked: list[asyncio.Future[Any]] = []

    def fit(self, series: Series, horizon: int, quantiles: tuple[float, ...], state: State | None) -> FullFit:
        return self._ask("fit", lambda: self._pool.fit(series, horizon, quantiles, state))

    def replay(self, job: ReplayJob) -> AskedReplay:
        return self._ask("replay", lambda: self._pool.replay(job))

    def _ask(self, what: str, ask: Callable[[], asyncio.Future[Any]]) -> asyncio.Future[Any]:
        if self._left[what] == 0:
            return asyncio.get_running_loop().create_future()
        self._left[what] -= 1
        self.asked.append(ask())
        return self.asked[-1]


class _LoopProbe:
    """How late the event loop is at moments spread evenly over the time, also over the time it stands still."""

    def __init__(self) -> None:
        self.delays: list[float] = []

    async def run(self) -> None:
        due = time.monotonic()
        while True:
            due += PROBE_S
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            now = time.monotonic()
            self.delays.append(now - due)
            while due + PROBE_S < now:
                due += PROBE_S
                self.delays.append(now - due)


class _World:
    """All objects that are forecast, and what forecasts them."""

    def __init__(self, loads: _HeldHistories, fits: int) -> None:
        settings = Settings()
        self._loads = loads
        self._turns = Turns(settings.workers)
        self.pool = ForecastPool(ForecastFits(settings.fit_workers, settings.fit_deadline_seconds))
        self.forecaster = _FewFits(self.pool, self._turns, fits)
        self._known = [Foresight(None, GateMemory()) for _ in range(loads.count)]
        limits = SourceLimits(timeout_s=10, max_bytes=1, max_series=1, max_concurrency=1)
        spec = SourceSpec("http://prometheus:9090", None, None, None, True, None, None, None, limits, 60)
        self._source = Source("main", 1, spec)
        self._forecast = ForecastSpec(STEP_S, DAYS * 86_400, HORIZON_S, (), None, None)
        policy = replace(DEFAULTS, max_replicas=200, per_pod=10.0)
        self._setting, self._objective = make_setting(policy, self._forecast, LEAD_S), policy.unmet_load
        self._slot = self._loads.slots

    async def forecast_all(self) -> float:
        """Bring every object up to the newest slot, as the operator's workers do; return the seconds it took."""
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for number in range(len(self._known)):
                await self._turns.take()
                group.create_task(self._forecast_one(number))
        self._slot += 1
        return time.monotonic() - began

    async def _forecast_one(self, number: int) -> None:
        load = GaugeLoad(str(number), ())
        basis = Basis(self._source, (EventType("order", 1.0, load),), self._forecast)
        try:
            asker, stake = Asker(basis, [Selection(load)], str(number)), Stake(self._setting, self._objective)
            now = float(self._slot * STEP_S)
            known = self._known[number]
            self._known[number] = await update_foresight(asker, stake, known, now, self._loads, self.forecaster)
        finally:
            self._turns.give_back()

    async def finish_fits(self) -> list[object]:
        """Return what fits and replays gave, once all are done; None for each that failed."""
        return list(await asyncio.gather(*self.forecaster.asked))


@dataclass(frozen=True)
class _Round:
    """Seconds until all were forecast, fitted and moved on, and how many fits failed."""

    forecasting: float
    fitting: float
    advancing: float
    failed: int


async def _play_round(loads: _HeldHistories, fits: int, probe: _LoopProbe) -> _Round:
    """Forecast all series for the first time, as after a restart, and move all on by one slot."""
    gc.collect()  # what the last round left is no memory of this one
    probing, world, began = asyncio.ensure_future(probe.run()), _World(loads, fits), time.monotonic()
    async with asyncio.timeout(WITHIN_S):
        forecasting = await world.forecast_all()
        results = await world.finish_fits()
        fitting = time.monotonic() - began
        advancing = await world.forecast_all()
    probing.cancel()
    await world.pool.close()
    return _Round(forecasting, fitting, advancing, results.count(None))


async def _measure_inside(series: int, fits: int, rounds: int) -> dict[str, float]:
    idle, busy = _LoopProbe(), _LoopProbe()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(idle.run(), IDLE_S)
    loads = _HeldHistories(series)
    cpu = time.process_time()
    played = [await _play_round(loads, fits, busy) for _ in range(rounds)]
    cpu = time.process_time() - cpu
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "series": series,
        "fits": fits,
        "fits_failed": sum(each.failed for each in played),
        "loop_p50_s": quantile(busy.delays, 0.5),
        "loop_p99_s": quantile(busy.delays, 0.99),
        "loop_max_s": max(busy.delays),
        "idle_p99_s": quantile(idle.delays, 0.99),
        "forecast_wall_s": max(each.forecasting for each in played),
        "fits_wall_s": max(each.fitting for each in played),
        "advance_wall_s": max(each.advancing for each in played),
        "cpu_s": cpu / rounds,
        "worker_cpu_s": (used.ru_utime + used.ru_stime) / rounds,
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m e2e.bench.forecast_load", description=__doc__.splitlines()[0])
    parser.add_argument("--series", type=int, default=1000, help="series forecast at once (default 1000)")
    parser.add_argument("--fits", type=int, default=20, help="of them, those fitted in full meanwhile (default 20)")
    parser.add_argument("--inside", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.inside:
        spare_collections()
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins here, not with the imports
        print("ready", flush=True)
        sys.stdin.read()
        print(json.dumps(asyncio.run(_measure_inside(options.series, options.fits, options.inside))))
        return 0
    print(json.dumps(asdict(measure(options.series, options.fits)), indent=1))
    print(describe_machine(), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
