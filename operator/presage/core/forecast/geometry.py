"""How one kind of series is cut into slots, seasons and horizon buckets.

Everything that has a length in the forecaster is a share of the "day", so that a replay in which a
day lasts six minutes behaves like the real one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from presage.core.forecast.types import HistoryRung, IntArray

HOUR_SECONDS = 3600
DAY_SECONDS = 86_400
WEEK_SECONDS = 7 * DAY_SECONDS
DETECTED_SEASONS = (HOUR_SECONDS, DAY_SECONDS, WEEK_SECONDS)
DAY_MIN_SLOTS = 24  # a given season needs this many slots to play the part of the day
BUCKETS = 5
SPAN_DAYS = 7  # the newest "days" in which backtest cut-offs lie


@dataclass(frozen=True, slots=True)
class Season:
    """One season: its name in model names, seconds, and slots (a fraction if the step does not divide it)."""

    name: str
    seconds: int
    slots: float


@dataclass(frozen=True, slots=True)
class Geometry:
    """Slots, seasons and buckets of one kind of series; hashable, so that alike series share a batch.

    Attributes:
        step: Slot length, seconds.
        day: Slots of one "day", >= 1.
        seasons: Seasons to use, shortest first.
        given: Seasons that the user gave, seconds (then they are used untested); None = to be tested.
    """

    step: float
    day: int
    seasons: tuple[Season, ...]
    given: tuple[int, ...] | None

    def __hash__(self) -> int:
        """Quick, for the caches: few geometries share a step and a day."""
        return hash((self.step, self.day, self.given))

    @property
    def edges(self) -> tuple[int, ...]:
        """Last step of each horizon bucket: 3 slots, 1/24, 1/8, 1/3 and 1 "day"; the last one is open."""
        edges = [3]
        for part in (24, 8, 3, 1):
            edges.append(max(edges[-1], round(self.day / part)))
        return tuple(edges)

    def bucket_of(self, ahead: IntArray) -> IntArray:
        """Bucket number of each step ahead (1 = the next slot)."""
        found = np.searchsorted(np.asarray(self.edges), ahead)
        return np.minimum(found, BUCKETS - 1).astype(np.int64)

    def slots(self, share_of_day: float) -> int:
        """Slots in a share of the "day", at least one."""
        return max(1, round(share_of_day * self.day))

    def rung_of(self, slots: int) -> HistoryRung:
        """History rung for that many slots of history: under 1, 3, 8 "days", or more."""
        days = slots / self.day
        if days < 1:
            return "Hours"
        if days < 3:
            return "Day"
        return "Days" if days < 8 else "Full"

    @property
    def day_season(self) -> Season | None:
        """The season that plays the day, if it has two slots or more."""
        return next((s for s in self.seasons if s.name == "day"), None)

    @property
    def day_seconds(self) -> float:
        """Seconds of the "day"."""
        return next((s.seconds for s in self.seasons if s.name == "day"), self.day * self.step)

    @property
    def lag_slots(self) -> int:
        """Slots before a cut-off that models can reach: past seasons, then the recent deviation."""
        return round(max([1, *(s.slots * self.periods_of(s) for s in self.seasons)])) + self.day

    @property
    def history_slots(self) -> int:
        """Slots of history that a fit can use: the lags before the oldest cut-off."""
        return self.lag_slots + SPAN_DAYS * self.day

    def periods_of(self, season: Season) -> int:
        """Past periods behind a median: fewer of a long season."""
        return 7 if season.slots <= self.day else 4


def bucket_slices(bucket: IntArray) -> list[tuple[int, slice]]:
    """Each bucket among ascending steps ahead, with the run of steps that lie in it."""
    numbers, first = np.unique(bucket, return_index=True)
    ends = [*first[1:].tolist(), len(bucket)]
    return [(int(n), slice(int(a), b)) for n, a, b in zip(numbers, first, ends, strict=True)]


@lru_cache(maxsize=1024)
def geometry_of(step: float, seasons: tuple[int, ...] | None) -> Geometry:
    """Geometry for a step and the seasons given by the user.

    Args:
        step: Slot length, seconds.
        seasons: Season lengths, seconds; None or empty = 1 hour, 1 day and 7 days, to be tested.
    """
    lengths = sorted(set(seasons or DETECTED_SEASONS))
    if seasons:
        day_seconds = next((s for s in lengths if s >= DAY_MIN_SLOTS * step), lengths[-1])
    else:
        day_seconds = DAY_SECONDS
        lengths = [s for s in lengths if s != HOUR_SECONDS or s >= 6 * step]
    names = {HOUR_SECONDS: "hour"} | {day_seconds: "day", 7 * day_seconds: "week"}
    usable = [s for s in lengths if s >= 2 * step]
    return Geometry(
        step=step,
        day=max(1, round(day_seconds / step)),
        seasons=tuple(Season(names.get(s, f"{s}s"), s, s / step) for s in usable),
        given=seasons or None,
    )
