"""Which of the candidate seasons a history shows."""

from __future__ import annotations

import numpy as np

from presage.core.forecast.block import Block
from presage.core.forecast.types import BoolArray, FloatArray

BETTER = 0.95  # the lag's error must lie below this share of the rivals' error
MIN_AUTOCORRELATION = 0.2
TEST_PERIODS = 4  # newest periods looked at


def find_seasons(block: Block) -> BoolArray:
    """(rows, seasons) whether each season of the geometry repeats in the history.

    A season counts if the value one season back misses by less than the mean of that season does, by
    less than the value half a season back (which a mere drift brings closer), and by less than each
    shorter season that counts; its autocorrelation confirms it. Seasons that the user gave count untested.
    """
    seasons = block.geometry.seasons
    found = np.ones((len(block.observed), len(seasons)), dtype=bool)
    if block.geometry.given:
        return found
    lags = [round(s.slots) for s in seasons]
    for i, lag in enumerate(lags):
        window = block.observed[:, -(TEST_PERIODS + 1) * lag :]
        if window.shape[1] <= lag:
            found[:, i] = False
            continue
        now, back = window[:, lag:], window[:, :-lag]
        loss = _miss(now, back)
        half = window[:, lag - lag // 2 : -(lag // 2)]
        rival = np.fmin(_miss(now, _mean_before(window, lag)), _miss(now, half))
        for j in range(i):
            shorter = _miss(now, window[:, lag - lags[j] : -lags[j]])
            rival = np.where(found[:, j], np.fmin(rival, shorter), rival)
        enough = (np.isfinite(now) & np.isfinite(back)).sum(axis=1) >= max(6, lag // 2)
        found[:, i] = enough & (loss < BETTER * rival) & (_correlation(now, back) > MIN_AUTOCORRELATION)
    return found


def _miss(now: FloatArray, forecast: FloatArray) -> FloatArray:
    error = np.abs(now - forecast)
    known = np.isfinite(error)
    count = known.sum(axis=1)
    total = np.where(known, error, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.inf)


def _mean_before(window: FloatArray, lag: int) -> FloatArray:
    known = np.isfinite(window)
    total = np.cumsum(np.where(known, window, 0.0), axis=1)
    count = np.cumsum(known, axis=1)
    total[:, lag:] -= total[:, :-lag].copy()
    count[:, lag:] -= count[:, :-lag].copy()
    mass = count[:, lag - 1 : -1]
    return np.where(mass > 0, total[:, lag - 1 : -1] / np.maximum(mass, 1), np.nan)


def _correlation(a: FloatArray, b: FloatArray) -> FloatArray:
    known = np.isfinite(a) & np.isfinite(b)
    count = np.maximum(known.sum(axis=1), 1)[:, None]
    x, y = np.where(known, a, 0.0), np.where(known, b, 0.0)
    x = np.where(known, x - x.sum(axis=1, keepdims=True) / count, 0.0)
    y = np.where(known, y - y.sum(axis=1, keepdims=True) / count, 0.0)
    scale = np.sqrt((x * x).sum(axis=1) * (y * y).sum(axis=1))
    return np.where(scale > 0, (x * y).sum(axis=1) / np.where(scale > 0, scale, 1.0), 0.0)
