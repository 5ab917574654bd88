"""What goes into and comes out of the forecaster; re-exported by `api`.

All arrays are equally spaced in time; the unit of the values is the caller's and is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from presage.core.forecast.state import State

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
SmallArray = npt.NDArray[np.float32]
ByteArray = npt.NDArray[np.uint8]
HistoryRung = Literal["Hours", "Day", "Days", "Full"]
Effort = Literal["batch", "full"]
SeasonReason = Literal["Given", "Repeats", "NoBetterThanRivals", "NotCorrelated", "TooLittleHistory"]


@dataclass(frozen=True, slots=True)
class Series:
    """One load history on a regular grid.

    Attributes:
        values: (n,) load per slot; NaN = missing or masked.
        start: Epoch second of slot 0; slot i covers [start + i*step, start + (i+1)*step).
        step: Slot length in seconds, >= 1.
        seasons: Season lengths in seconds; None or empty = test 1 hour, 1 day and 7 days.
        time_zone: IANA name by which whole-day seasons are aligned; None = UTC.
        coarse: Longer history at a coarser step, same unit; stands in for lags before `start`.
    """

    values: FloatArray
    start: float
    step: float
    seasons: tuple[int, ...] | None = None
    time_zone: str | None = None
    coarse: Series | None = None


@dataclass(frozen=True, slots=True)
class SeasonTest:
    """Whether a season is in use, and why.

    Attributes:
        season: Its length, seconds.
        used: Whether it counts as a season of the history.
        reason: `Given` by the user; it `Repeats`; or what speaks against it.
        loss: Mean absolute error of the value one season before, in the series' unit; NaN = not tested.
        rival: The lowest such error of what a true season must beat: the season's mean, half the season
            before, and each shorter season in use; NaN = not tested.
        correlation: Autocorrelation one season apart; NaN = not tested.
    """

    season: int
    used: bool
    reason: SeasonReason
    loss: float
    rival: float
    correlation: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """A forecast for the `h` slots after the last one given, with its own track record.

    Attributes:
        point: (h,) median forecast.
        quantiles: Level -> (h,); keys as asked, ordered by level, >= 0 if the history is.
        weights: Model -> share of the forecast, averaged over the horizon's steps; sums to 1.
        backtest: Model -> mean absolute error per horizon bucket (up to 3 slots, 1/24, 1/8, 1/3 and 1
            "day"), in the series' unit; NaN where the bucket has no slot within the horizon or the
            model could not be tried.
        naive: The same for the naive forecasts `last`, `day` (yesterday) and `week` (last week).
        coverage: Level -> (share of truths at or below that quantile, how many truths were looked at).
        seasons: Seasons in use, seconds.
        season_tests: Each season that was considered, shortest first, and why it is in use or not; empty
            after `advance`, which keeps the seasons of the fit.
        shift_at: Epoch second of the last level shift found; None = none was found.
        history_rung: How much history stood behind the forecast.
        warnings: What a person should know about the input, one sentence each.
        state: Opaque and picklable; feed it to `advance` or to the next forecast.
    """

    point: FloatArray
    quantiles: Mapping[float, FloatArray]
    weights: Mapping[str, float]
    backtest: Mapping[str, tuple[float, ...]]
    naive: Mapping[str, tuple[float, ...]]
    coverage: Mapping[float, tuple[float, int]]
    seasons: tuple[int, ...]
    season_tests: tuple[SeasonTest, ...]
    shift_at: float | None
    history_rung: HistoryRung
    warnings: tuple[str, ...]
    state: State
