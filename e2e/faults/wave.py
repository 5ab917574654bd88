"""The load of the fault scenarios, known by the second (pure).

Its days are short and alike: low, then a little more, then the peak, then low again. Forecast and reactive part both
act on it: the rises come as they always did, but the day that is played stays at its peak for longer than any before,
which only the reactive part can know. What is removed during a fault would therefore be missed.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np

from e2e.demo.accounting import FloatArray
from e2e.demo.plan import Plan
from e2e.demo.traces import CompressedLoad

DAY_SECONDS = 150
HISTORY_DAYS = 8
WARMUP_SECONDS = 8
CAPACITY = 20.0
LOW, MIDDLE, PEAK = 30.0, 60.0, 140.0
PEAK_BEGINS = 15
USUAL_PEAK_ENDS, PLAYED_PEAK_ENDS = 50, 112
PLAN = Plan(day_seconds=DAY_SECONDS, capacity=CAPACITY, warmup_seconds=WARMUP_SECONDS, max_replicas=12)


def build_day(peak_ends: int) -> FloatArray:
    """Return the rates of one day by the second, (DAY_SECONDS,)."""
    day = np.full(DAY_SECONDS, LOW)
    day[:PEAK_BEGINS] = MIDDLE
    day[PEAK_BEGINS:peak_ends] = PEAK
    return day


def build_history() -> CompressedLoad:
    """Return the days before the played one; its last day is the first that is played."""
    days = [build_day(USUAL_PEAK_ENDS)] * HISTORY_DAYS
    return CompressedLoad("wave", DAY_SECONDS, 1.0, np.vstack([*days, build_day(PLAYED_PEAK_ENDS)]))


def build_live() -> FloatArray:
    """Return what is sent: the end of the history, the played day, and a low one."""
    return np.concatenate([np.full(WARMUP_SECONDS, LOW), build_day(PLAYED_PEAK_ENDS), np.full(DAY_SECONDS, LOW)])


@dataclass(frozen=True, slots=True)
class Clock:
    """Turns Unix seconds into seconds of the played day and back.

    Attributes:
        begins: Unix second at which the warm-up begins.
    """

    begins: float

    def at(self, second: float) -> float:
        """Return the Unix time of a second of the played day; negative ones are warm-up."""
        return self.begins + WARMUP_SECONDS + second

    def second(self, when: float) -> float:
        """Return the second of the played day."""
        return when - self.begins - WARMUP_SECONDS

    @property
    def ends(self) -> float:
        """Unix time after which nothing is sent any more."""
        return self.begins + len(build_live())

    def need(self, when: float) -> int:
        """Return the pods that the load needs at a time; none before it begins and after it ends."""
        live = build_live()
        index = int(when - self.begins)
        return ceil(live[index] / CAPACITY) if 0 <= index < len(live) else 0
