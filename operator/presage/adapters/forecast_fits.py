"""Fits of the full tier and replays, in worker processes: whatever happens to one costs that job, never the operator.

A worker starts when a fit waits and ends when it has been idle, has done its share, or has failed in any way. It is a
plain child with two pipes: no semaphore, no shared memory, no file, so it runs under a read-only root.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import os
import pickle
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import structlog

from presage.adapters.forecast_worker import HEADER, Answer, Done, FitJob, Job, pack

log = structlog.get_logger()
T = TypeVar("T")

Observer = Callable[[str, float], None]
"""Told of every fit: its outcome (`Done`, `Failed`, `Died`, `Late`) and the seconds it took."""

PROGRAM = (sys.executable, "-m", "presage.adapters.forecast_worker")
MAX_FITS = 500  # of one worker: what leaks, leaks no further
IDLE_S = 60.0
# Workers are the way to use several cores. Without this each would start as many threads as there are cores.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class _FitError(Exception):
    """A fit gave no forecast; the first argument is its outcome, the second says why."""


@dataclass(frozen=True, slots=True)
class _Ask:
    """A fit that waits, in the context of who asked: log lines name the object."""

    job: Job[Any]
    answer: asyncio.Future[Any]
    context: contextvars.Context = field(default_factory=contextvars.copy_context)


class ForecastFits:
    """Hands fits to workers, in the order in which they were asked for.

    Args:
        workers: How many fit at the same time; 0 = every fit fails at once.
        deadline_s: Longest time of one fit, the start of its worker included.
        observe: Told of every fit.
        program: Command line of a worker.
        max_fits: After how many fits a worker is replaced.
        idle_s: Seconds after which an idle worker ends.
    """

    def __init__(
        self,
        workers: int,
        deadline_s: float,
        observe: Observer | None = None,
        *,
        program: Sequence[str] = PROGRAM,
        max_fits: int = MAX_FITS,
        idle_s: float = IDLE_S,
    ) -> None:
        self._workers = workers
        self._deadline_s = deadline_s
        self._observe = observe or (lambda outcome, seconds: None)
        self._program = tuple(program)
        self._max_fits = max_fits
        self._idle_s = idle_s
        self._asks: asyncio.Queue[_Ask] = asyncio.Queue()
        self._lanes: dict[asyncio.Task[None], _Worker] = {}
        self._idle = 0

    @property
    def waiting(self) -> int:
        """Fits that have not begun."""
        return self._asks.qsize()

    def ask(self, job: Job[T]) -> asyncio.Future[T | None]:
        """Ask for a job; the answer is None if it fails, which a log line tells, and of a fit a metric, too."""
        answer: asyncio.Future[T | None] = asyncio.get_running_loop().create_future()
        if not self._workers:
            answer.set_result(None)
            return answer
        self._asks.put_nowait(_Ask(job, answer))
        self._start_lane()
        return answer

    async def close(self) -> None:
        """End all workers, whatever they are at; what waits is never answered."""
        self._workers, lanes = 0, dict(self._lanes)
        for lane in lanes:
            lane.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)
        await asyncio.gather(*(worker.end() for worker in lanes.values()))  # a lane's own wait may have been cut short

    def _start_lane(self) -> None:
        """Start a lane if there is work and room for one more."""
        if self._asks.qsize() > self._idle and len(self._lanes) < self._workers:
            worker = _Worker(self._program)
            lane = asyncio.get_running_loop().create_task(self._serve(worker), context=contextvars.Context())
            self._lanes[lane] = worker
            lane.add_done_callback(self._replace_lane)

    def _replace_lane(self, ended: asyncio.Task[None]) -> None:
        """Start another lane where something was asked for while one was about to end."""
        del self._lanes[ended]
        self._start_lane()

    async def _serve(self, worker: _Worker) -> None:
        """Answer one ask after the other, until there is none for a while."""
        done = 0
        try:
            while (ask := await self._next()) is not None:
                good = await self._answer(worker, ask)
                done += 1
                if not good or done == self._max_fits:
                    await worker.end()
                    done = 0
        finally:
            await worker.end()

    async def _next(self) -> _Ask | None:
        self._idle += 1
        try:
            async with asyncio.timeout(self._idle_s):
                return await self._asks.get()
        except TimeoutError:
            return self._asks.get_nowait() if self._asks.qsize() else None
        finally:
            self._idle -= 1

    async def _answer(self, worker: _Worker, ask: _Ask) -> bool:
        """Answer one ask; return whether the worker may be trusted with another."""
        began, done = time.monotonic(), None
        try:
            done = await self._try(worker, ask.job)
            outcome = "Done"
        except _FitError as error:
            outcome, why = error.args
            ask.context.run(log.warning, "forecast.fit_failed", outcome=outcome, error=why)
        finally:  # also when cancelled
            if not ask.answer.done():
                ask.answer.set_result(done.result if done else None)
        if isinstance(ask.job, FitJob):
            self._observe(outcome, time.monotonic() - began)
        return done is not None

    async def _try(self, worker: _Worker, job: Job[T]) -> Done[T]:
        try:
            async with asyncio.timeout(self._deadline_s):
                answer = await worker.ask(job)
        except TimeoutError:
            raise _FitError("Late", f"no answer within {self._deadline_s:g} s; its worker was ended") from None
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            raise _FitError(
                "Died", f"its worker could not start or ended early: {await worker.find_end(error)}"
            ) from None
        if isinstance(answer, str):
            raise _FitError("Failed", answer)
        return answer


class _Worker:
    """One worker process at a time, started by the first job, and by the first one after its end."""

    def __init__(self, program: Sequence[str]) -> None:
        self._program = program
        self._process: asyncio.subprocess.Process | None = None

    async def ask(self, job: Job[T]) -> Answer[T]:
        """Send a job and return its answer.

        Raises:
            OSError: The process does not start, or a pipe broke.
            EOFError: It ended before it answered.
        """
        process = self._process or await self._start()
        assert process.stdin is not None  # noqa: S101  # it is a pipe
        assert process.stdout is not None  # noqa: S101  # it is a pipe
        process.stdin.write(pack(job))
        await process.stdin.drain()
        size = int.from_bytes(await process.stdout.readexactly(HEADER), "big")
        answer = pickle.loads(await process.stdout.readexactly(size))  # noqa: S301  # our own child sent it
        return cast(Answer[T], answer)

    async def _start(self) -> asyncio.subprocess.Process:
        pipe, nowhere = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        self._process = await asyncio.create_subprocess_exec(
            *self._program, stdin=pipe, stdout=pipe, stderr=nowhere, env={**os.environ, **_ONE_THREAD}
        )
        return self._process

    async def find_end(self, error: Exception) -> str:
        """Return how the process ended, as far as that is known at once."""
        if self._process is None:
            return str(error)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), 1)
        code = self._process.returncode
        if code is None:
            return str(error)
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    async def end(self) -> None:
        """End the process, whatever it is at; it holds nothing that would be lost."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        self._process = None
