"""A worker process for what takes long, one job at a time: `python -m presage.adapters.forecast_worker`.

It fits the full tier, and replays past days.

Jobs come in through standard input and answers go out through standard output, each a pickle behind its length. Both
ends are ours: nothing from outside is ever unpickled. The worker ends when standard input ends, also in the midst of a
fit: an operator that was killed leaves no child behind.
"""

from __future__ import annotations

import os
import pickle
import resource
import select
import signal
import sys
import threading
from dataclasses import dataclass
from typing import BinaryIO, Generic, Protocol, TypeVar

from presage.core.forecast.api import Forecast, Series, State, forecast_one

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


class Job(Protocol[T_co]):
    """Plain data that can be worked on by itself."""

    def run(self) -> T_co:
        """Return what comes of it."""


@dataclass(frozen=True, slots=True)
class FitJob:
    """A fit of the full tier; see `forecast_one`."""

    series: Series
    horizon: int
    quantiles: tuple[float, ...]
    state: State | None

    def run(self) -> Forecast:
        """Return the forecast."""
        return forecast_one(self.series, self.horizon, self.quantiles, effort="full", state=self.state)


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """What came of a job."""

    result: T


Answer = Done[T] | str
"""What came of a job, or what went wrong."""

HEADER = 8  # bytes of the length before a pickle
NICENESS = 10  # whoever decides or renews the Lease goes first
MEMORY = 512 * 2**20  # bytes of data a worker may hold; a fit needs some tens of MiB
_GUARD_S = 900  # the kernel ends a fit that takes longer, even where nobody is left to do so


def pack(message: object) -> bytes:
    """Return a message as it goes through a pipe."""
    body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    return len(body).to_bytes(HEADER, "big") + body


def main() -> None:
    """Answer jobs until standard input ends."""
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while (job := _read(sys.stdin.buffer)) is not None:
        answers.write(pack(_work(job)))
        answers.flush()


def _read(jobs: BinaryIO) -> Job[object] | None:
    header = jobs.read(HEADER)
    if len(header) < HEADER:
        return None
    job: Job[object] = pickle.loads(jobs.read(int.from_bytes(header, "big")))  # noqa: S301  # the operator sent it
    return job


def _work(job: Job[T]) -> Answer[T]:
    signal.alarm(_GUARD_S)
    try:
        return Done(job.run())
    except Exception as error:  # noqa: BLE001  # it is told where the job was asked for
        return f"{type(error).__name__}: {error}"
    finally:
        signal.alarm(0)


def _end_with_parent() -> None:
    """Wait until the other end of standard input is gone, and end the process whatever it is at."""
    watch = select.poll()
    watch.register(0, 0)  # hang-up is always told
    watch.poll()
    os._exit(0)


if __name__ == "__main__":
    from presage.adapters import forecast_worker  # whoever reads an answer knows its type by this name

    forecast_worker.main()
