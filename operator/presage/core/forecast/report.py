"""From a fitted batch to one `Forecast` per series, in the series' own unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np

from presage.core.forecast import conformal
from presage.core.forecast.engine import Ahead, Fit
from presage.core.forecast.geometry import BUCKETS
from presage.core.forecast.pool import pool_of
from presage.core.forecast.series import Row
from presage.core.forecast.state import next_state
from presage.core.forecast.types import FloatArray, Forecast, SeasonTest

SHORT_MARGIN = 0.1  # with less than a day: the 0.9-quantile is at least this share above the point
BLIND_SPREAD = 0.2  # standard deviation, as a share of the point, when no error could be measured
NAIVE = ("last", "day", "week")


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows with their seasons in use and how those were found, their fit and what it says ahead of the newest slot."""

    rows: Sequence[Row]
    seasons: Sequence[tuple[int, ...]]
    season_tests: Sequence[tuple[SeasonTest, ...]]
    fitted: Fit
    ahead: Ahead


def report(batch: Batch, quantiles: Sequence[float]) -> list[Forecast]:
    """One forecast per row.

    Args:
        batch: A fitted batch with one cut-off.
        quantiles: Levels asked for.
    """
    offsets = {level: _offsets(batch, level) for level in quantiles}
    return [_one(batch, i, offsets) for i in range(len(batch.rows))]


def _offsets(batch: Batch, level: float) -> FloatArray:
    """(rows, p) distance of a quantile from the point."""
    points = np.abs(batch.ahead.points[:, 0])
    grid = conformal.at_level(batch.fitted.grid, level)[:, batch.ahead.bucket]
    blind = BLIND_SPREAD * _normal(level) * points
    offset = np.where(np.isfinite(grid), grid * batch.ahead.spread[:, 0], blind)
    short = np.array([r.slots < r.geometry.day for r in batch.rows])[:, None]
    margin = SHORT_MARGIN * points * _normal(level) / _normal(0.9)
    return np.where(short & (level > 0.5), np.maximum(offset, margin), offset)


@lru_cache(maxsize=256)
def _normal(level: float) -> float:
    return NormalDist().inv_cdf(level)


def _one(batch: Batch, i: int, offsets: dict[float, FloatArray]) -> Forecast:
    row, fitted = batch.rows[i], batch.fitted
    steps = row.ahead - 1
    raw = batch.ahead.points[i, 0, steps]
    lowest = -np.inf if row.signed else 0.0
    point = _unit(np.maximum(np.nan_to_num(raw, nan=0.0), lowest), row.exponent)
    curves = {
        level: point.copy()
        if level == 0.5
        else _unit(np.maximum(np.nan_to_num(raw + offset[i, steps], nan=0.0), lowest), row.exponent)
        for level, offset in offsets.items()
    }
    names = [m.name for m in pool_of(row.geometry)]
    losses = _unit(fitted.loss[i], row.exponent).tolist()
    errors = {name: tuple(loss) for name, loss in zip(names, losses, strict=True)}
    unknown = (float("nan"),) * BUCKETS
    return Forecast(
        point=point,
        quantiles=curves,
        weights=_weights(names, batch.ahead.shares[i].tolist()),
        backtest=errors,
        naive={name: errors.get(name, unknown) for name in NAIVE},
        coverage={level: _coverage(fitted, i, level) for level in offsets},
        seasons=batch.seasons[i],
        season_tests=batch.season_tests[i],
        shift_at=None,
        history_rung=row.geometry.rung_of(row.slots),
        warnings=row.warnings,
        state=next_state(row, batch.seasons[i], fitted, i),
    )


def _unit(scaled: FloatArray, exponent: int) -> FloatArray:
    """Back to the series' unit, cut at the largest float."""
    with np.errstate(over="ignore"):
        values = np.ldexp(scaled, exponent)
    return np.where(np.isinf(values), np.copysign(np.finfo(np.float64).max, values), values)


def _weights(names: Sequence[str], shares: Sequence[float]) -> dict[str, float]:
    used = {name: share for name, share in zip(names, shares, strict=True) if share > 0}
    total = sum(used.values())
    return {name: share / total for name, share in used.items()} if total > 0 else {"last": 1.0}


def _coverage(fitted: Fit, i: int, level: float) -> tuple[float, int]:
    seen = float(fitted.seen[i])
    if seen < 0.5:
        return 0.0, 0
    return float(conformal.at_level(fitted.below[i], level)) / seen, round(seen)
