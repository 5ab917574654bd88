"""Which of the candidate seasons a history shows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from presage.core.forecast.block import Block
from presage.core.forecast.geometry import Geometry
from presage.core.forecast.types import BoolArray, FloatArray, IntArray, SeasonReason, SeasonTest

BETTER = 0.95  # the lag's error must lie below this share of the rivals' error
MIN_AUTOCORRELATION = 0.2
TEST_PERIODS = 4  # newest periods looked at
TEST_SLOTS = 1200  # at most so many slots of them are looked at


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for and against each season of a geometry, shape (rows, seasons) each.

    Attributes:
        found: Whether the season repeats in the history.
        enough: Whether there was history enough to tell.
        loss: Mean absolute error of the value one season before; NaN = not tested.
        rival: The lowest error of what it must beat; NaN = not tested.
        correlation: Autocorrelation one season apart; NaN = not tested.
    """

    found: BoolArray
    enough: BoolArray
    loss: FloatArray
    rival: FloatArray
    correlation: FloatArray


def find_seasons(block: Block) -> Evidence:
    """Test each season of the block's geometry.

    A season counts if the value one season back misses by less than the mean of that season does, by
    less than the value half a season back (which a mere drift brings closer), and by less than each
    shorter season that counts; its autocorrelation confirms it. Seasons that the user gave count untested.
    """
    shape = (block.rows, len(block.geometry.seasons))
    found = np.full(shape, block.geometry.given is not None)
    enough = np.zeros(shape, dtype=bool)
    loss, rival, correlation = np.full(shape, np.nan), np.full(shape, np.nan), np.full(shape, np.nan)
    lags = [round(s.slots) for s in block.geometry.seasons]
    for i, lag in enumerate(lags if block.geometry.given is None else ()):
        stride = _stride(lag)
        oldest = max(lag, block.width - TEST_PERIODS * lag)
        if oldest >= block.width:
            continue
        newest = block.width - 1
        columns = np.arange(newest - (newest - oldest) // stride * stride, block.width, stride)
        now, back, half = (block.observed[columns - shift] for shift in (0, lag, lag // 2))
        loss[:, i] = _miss(now, back)
        rival[:, i] = np.fmin(_miss(now, _mean_before(block.observed, columns, lag, stride)), _miss(now, half))
        for j in range(i):
            shorter = _miss(now, block.observed[columns - lags[j]])
            rival[:, i] = np.where(found[:, j], np.fmin(rival[:, i], shorter), rival[:, i])
        correlation[:, i] = _correlation(now, back)
        enough[:, i] = stride * np.isfinite(now - back).sum(axis=0) >= max(6, lag // 2)
        repeats = (loss[:, i] < BETTER * rival[:, i]) & (correlation[:, i] > MIN_AUTOCORRELATION)
        found[:, i] = enough[:, i] & repeats
    return Evidence(found, enough, loss, rival, correlation)


def _stride(lag: int) -> int:
    """Every how many slots to look: some hundreds tell enough; never in step with hours, halves or thirds."""
    stride = math.ceil(TEST_PERIODS * lag / TEST_SLOTS)
    while math.gcd(stride, 6) > 1:
        stride += 1
    return stride


def explain(evidence: Evidence, row: int, geometry: Geometry, exponent: int) -> tuple[SeasonTest, ...]:
    """The evidence of one row in words and in the series' unit, which is 2**exponent times the block's."""
    tests = []
    for i, season in enumerate(geometry.seasons):
        loss, rival = evidence.loss[row, i], evidence.rival[row, i]
        correlation = float(evidence.correlation[row, i])
        reason: SeasonReason = "NoBetterThanRivals"
        if geometry.given is not None:
            reason = "Given"
        elif evidence.found[row, i]:
            reason = "Repeats"
        elif not evidence.enough[row, i]:
            reason = "TooLittleHistory"
        elif loss < BETTER * rival:
            reason = "NotCorrelated"
        loss, rival = (float(np.ldexp(x, exponent)) if np.isfinite(x) else math.nan for x in (loss, rival))
        tests.append(SeasonTest(season.seconds, bool(evidence.found[row, i]), reason, loss, rival, correlation))
    return tuple(tests)


def _miss(now: FloatArray, forecast: FloatArray) -> FloatArray:
    error = np.abs(now - forecast)
    known = np.isfinite(error)
    count = known.sum(axis=0)
    total = np.where(known, error, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.inf)


def _mean_before(observed: FloatArray, columns: IntArray, lag: int, stride: int) -> FloatArray:
    """(columns, rows) mean of every `stride`-th slot of the season before each column."""
    periods = lag // stride
    first = int(columns[0]) - periods * stride
    values = observed[first : int(columns[-1]) : stride]
    known = np.isfinite(values)
    total = np.zeros((len(values) + 1, values.shape[1]))
    count = np.zeros_like(total)
    np.cumsum(np.where(known, values, 0.0), axis=0, out=total[1:])
    np.cumsum(known, axis=0, out=count[1:])
    mass = count[periods:] - count[:-periods]
    return np.where(mass > 0, (total[periods:] - total[:-periods]) / np.maximum(mass, 1), np.nan)


def _correlation(a: FloatArray, b: FloatArray) -> FloatArray:
    known = np.isfinite(a) & np.isfinite(b)
    count = np.maximum(known.sum(axis=0), 1)
    x, y = np.where(known, a, 0.0), np.where(known, b, 0.0)
    x = np.where(known, x - x.sum(axis=0) / count, 0.0)
    y = np.where(known, y - y.sum(axis=0) / count, 0.0)
    scale = np.sqrt((x * x).sum(axis=0) * (y * y).sum(axis=0))
    return np.where(scale > 0, (x * y).sum(axis=0) / np.where(scale > 0, scale, 1.0), 0.0)
