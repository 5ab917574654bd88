"""How good a forecast was: MASE, pinball loss, weighted quantile loss, coverage.

All functions are vectorised over leading axes and skip missing truths; what cannot be told is NaN.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from presage.core.forecast.types import FloatArray

TIE = 1e-9  # a truth above a quantile by no more than this is at it
SCALE_FLOOR = 1e-3  # least scale of an error, as a share of the history's mean size


def seasonal_scale(history: FloatArray, season: int) -> FloatArray:
    """Mean in-sample error of the seasonal naive forecast: what MASE divides by.

    Args:
        history: (..., n) values; NaN = missing.
        season: Slots of the season.

    Returns:
        (...) mean |y[t] - y[t - season]|, and never less than a thousandth of the history's mean size: a load that
        repeats exactly, or for which no season is known, would make any error infinite.

    Raises:
        ValueError: If the season is not positive.
    """
    if season < 1:
        raise ValueError(f"season must be at least one slot, got {season}")
    past = _array(history)
    scale = _mean(np.abs(past[..., season:] - past[..., :-season]))
    return np.fmax(scale, SCALE_FLOOR * (_mean(np.abs(past)) + 1e-12))


def mase(truth: FloatArray, point: FloatArray, history: FloatArray, season: int) -> FloatArray:
    """Mean absolute scaled error.

    Args:
        truth: (..., h) what came; NaN = missing.
        point: (..., h) forecast.
        history: (..., n) values before the forecast; NaN = missing.
        season: Slots of the season whose naive forecast scales the error.

    Returns:
        (...) mean |error| over the `seasonal_scale` of the history; NaN if either is unknown.

    Raises:
        ValueError: If the season is not positive.

    Source: Hyndman & Koehler, Another look at measures of forecast accuracy, IJF 22 (2006).
    """
    return np.asarray(_mean(np.abs(_array(truth) - point)) / seasonal_scale(history, season))


def pinball_loss(truth: FloatArray, quantile: FloatArray, level: float) -> FloatArray:
    """Pinball loss per slot, in the values' unit; NaN where the truth is missing.

    Args:
        truth: (..., h) what came.
        quantile: (..., h) forecast of the quantile.
        level: Its level, within (0, 1).

    Raises:
        ValueError: If the level is not within (0, 1).

    Source: Koenker & Bassett, Regression quantiles, Econometrica 46 (1978).
    """
    if not 0 < level < 1:
        raise ValueError(f"level must lie within (0, 1), got {level}")
    error = _array(truth) - quantile
    return np.asarray(np.maximum(level * error, (level - 1) * error))


def weighted_quantile_loss(truth: FloatArray, quantiles: Mapping[float, FloatArray]) -> FloatArray:
    """Mean over levels of 2 * sum of pinball losses over sum of |truth|.

    Args:
        truth: (..., h) what came; NaN = missing.
        quantiles: Level -> (..., h) forecast.

    Returns:
        (...) dimensionless; NaN where all truths are missing or zero.

    Raises:
        ValueError: If no quantile is given or a level is not within (0, 1).

    Source: Makridakis et al., The M5 uncertainty competition, IJF 38 (2022); as in GluonTS's `mean_wQuantileLoss`.
    """
    if not quantiles:
        raise ValueError("at least one quantile is needed")
    total = sum(np.nansum(pinball_loss(truth, curve, level), axis=-1) for level, curve in quantiles.items())
    size = np.nansum(np.abs(_array(truth)), axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(2 * total / len(quantiles) / np.where(size > 0, size, np.nan))


def coverage(truth: FloatArray, quantile: FloatArray) -> FloatArray:
    """(...) share of known truths (..., h) at or below the quantile (..., h); NaN where none is known."""
    known = np.isfinite(_array(truth))
    return _mean(np.where(known, _array(truth) - quantile <= TIE, np.nan))


def _array(values: npt.ArrayLike) -> FloatArray:
    return np.asarray(values, dtype=np.float64)


def _mean(values: FloatArray) -> FloatArray:
    known = np.isfinite(values)
    count = known.sum(axis=-1)
    total = np.where(known, values, 0.0).sum(axis=-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
