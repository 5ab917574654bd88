"""When each request of a replayed load is due (pure).

A schedule is a rate held for each slot of an equal grid. Requests are evenly spaced in it: the k-th is due where the
integral of the rate reaches k + 1/2, so that no slot sends more than half a request off its share.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from math import isfinite


@dataclass(frozen=True, slots=True)
class RateSchedule:
    """Rates in requests a second, each held for ``step_seconds``, from ``start_epoch`` (Unix seconds) on."""

    start_epoch: float
    step_seconds: float
    rates: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse what cannot be replayed.

        Raises:
            ValueError: no rates, a rate that is negative or not finite, or a step that is not positive.
        """
        if not self.rates:
            raise ValueError("a schedule needs at least one rate")
        if not self.step_seconds > 0:
            raise ValueError(f"stepSeconds must be positive, got {self.step_seconds}")
        bad = next((i for i, rate in enumerate(self.rates) if not isfinite(rate) or rate < 0), None)
        if bad is not None:
            raise ValueError(f"rate {bad} is {self.rates[bad]}; rates are finite and not negative")

    @property
    def duration_seconds(self) -> float:
        """Seconds from the first slot's start to the last one's end."""
        return len(self.rates) * self.step_seconds

    def due_offsets(self) -> Iterator[float]:
        """Yield the seconds after ``start_epoch`` at which each request is due, in order."""
        ends = list(accumulate(rate * self.step_seconds for rate in self.rates))
        wanted = 0.5
        while wanted <= ends[-1]:
            slot = bisect_right(ends, wanted)
            if slot == len(ends):
                return
            before = ends[slot - 1] if slot else 0.0
            yield slot * self.step_seconds + (wanted - before) / self.rates[slot]
            wanted += 1.0


def parse_schedule(text: str) -> RateSchedule:
    """Read ``{"startEpoch": s, "stepSeconds": s, "rates": [req/s, …]}``.

    Raises:
        ValueError: not such a document, or values that cannot be replayed.
    """
    try:
        document = json.loads(text)
        rates = tuple(float(rate) for rate in document["rates"])
        return RateSchedule(float(document["startEpoch"]), float(document["stepSeconds"]), rates)
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a load schedule: {error!r}") from error


def render_schedule(schedule: RateSchedule) -> str:
    """Return the text that ``parse_schedule`` reads; rates keep four decimals."""
    return json.dumps(
        {
            "startEpoch": schedule.start_epoch,
            "stepSeconds": schedule.step_seconds,
            "rates": [round(rate, 4) for rate in schedule.rates],
        }
    )
