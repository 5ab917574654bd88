"""A worker process that fits the full tier, one series at a time: `python -m presage.adapters.forecast_worker`.

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
from typing import BinaryIO

from presage.core.forecast.api import Forecast, Series, State, forecast_one

Job = tuple[Series, int, tuple[float, ...], State | None]
"""Series, slots ahead, quantiles, state of an earlier forecast."""

Answer = Forecast | str
"""The forecast, or what went wrong."""

HEADER = 8  # bytes of the length before a pickle
NICENESS = 10  # whoever decides or renews the Lease goes first
MEMORY = 512 * 2**20  # bytes of data a worker may hold; a fit needs some tens of MiB
_GUARD_S = 900  # the kernel ends a fit that takes longer, even where nobody is left to do so


def pack(message: Job | Answer) -> bytes:
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
        answers.write(pack(_fit(job)))
        answers.flush()


def _read(jobs: BinaryIO) -> Job | None:
    header = jobs.read(HEADER)
    if len(header) < HEADER:
        return None
    job: Job = pickle.loads(jobs.read(int.from_bytes(header, "big")))  # noqa: S301  # the operator sent it
    return job


def _fit(job: Job) -> Answer:
    series, horizon, quantiles, state = job
    signal.alarm(_GUARD_S)
    try:
        return forecast_one(series, horizon, quantiles, effort="full", state=state)
    except Exception as error:  # noqa: BLE001  # it is told where the fit was asked for
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
    main()
