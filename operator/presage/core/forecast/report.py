"""From a fitted batch to one `Forecast` per series, in the series' own unit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np

from presage.core.forecast import conformal
from presage.core.forecast.engine import Ahead, Fit, names_of
from presage.core.forecast.geometry import BUCKETS
from presage.core.forecast.series import Row
from presage.core.forecast.state import next_state, pack
from presage.core.forecast.types import FloatArray, Forecast, IntArray, SeasonTest

SHORT_MARGIN = 0.1  # with less than a day: the 0.9-quantile is at least this share above the point
BLIND_SPREAD = 0.2  # standard deviation, as a share of the point, when no error could be measured
NAIVE = ("last", "day", "week")
UNKNOWN = (float("nan"),) * BUCKETS


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
    rows, fitted = batch.rows, batch.fitted
    raw = batch.ahead.points.T
    exponents = np.array([r.exponent for r in rows])
    lowest = np.where([r.signed for r in rows], -np.inf, 0.0)[:, None]

    def curve(scaled: FloatArray) -> FloatArray:
        known = np.where(np.isnan(scaled), 0.0, scaled)
        return to_unit(np.maximum(known, lowest, out=known), exponents)

    names = names_of(rows[0].geometry)
    point = curve(raw)
    curves = {q: point if q == 0.5 else curve(raw + _offsets(batch, q)) for q in quantiles}
    covered = {q: _coverage(fitted, q) for q in quantiles}
    losses = to_unit(fitted.loss, exponents).reshape(len(rows), -1).tolist()
    shares = batch.ahead.shares.T.tolist()
    packed = pack(fitted)
    out = []
    for i, row in enumerate(rows):
        steps = row.steps
        errors = dict(zip(names, _runs(losses[i], BUCKETS), strict=True))
        out.append(
            Forecast(
                point=point[i, steps].copy(),
                quantiles={q: values[i, steps].copy() for q, values in curves.items()},
                weights=_weights(names, shares[i]),
                backtest=errors,
                naive={name: errors.get(name, UNKNOWN) for name in NAIVE},
                coverage={q: pairs[i] for q, pairs in covered.items()},
                seasons=batch.seasons[i],
                season_tests=batch.season_tests[i],
                shift_at=row.shift_at,
                history_rung=row.geometry.rung_of(row.slots),
                warnings=row.warnings,
                state=next_state(row, batch.seasons[i], packed[i].copy()),
            )
        )
    return out


def _runs(values: Iterable[float], length: int) -> Iterator[tuple[float, ...]]:
    """Tuples of `length` values each."""
    return zip(*[iter(values)] * length, strict=True)


def _offsets(batch: Batch, level: float) -> FloatArray:
    """(rows, p) distance of a quantile from the point."""
    points = np.abs(batch.ahead.points.T)
    grid = conformal.at_level(batch.fitted.grid, level)[:, batch.ahead.bucket]
    offset = grid * batch.ahead.spread.T
    blind = np.isnan(offset)
    if blind.any():
        offset = np.where(blind, BLIND_SPREAD * _normal(level) * points, offset)
    short = np.array([r.slots < r.geometry.day for r in batch.rows])
    if level > 0.5 and short.any():
        margin = SHORT_MARGIN * points * _normal(level) / _normal(0.9)
        offset = np.where(short[:, None], np.maximum(offset, margin), offset)
    return offset


@lru_cache(maxsize=256)
def _normal(level: float) -> float:
    return NormalDist().inv_cdf(level)


def to_unit(scaled: FloatArray, exponents: IntArray) -> FloatArray:
    """(rows, ...) times 2**exponent of each row, cut at the largest float."""
    half = exponents // 2  # in two steps: 2**1024 itself is no float
    shape = (-1, *[1] * (scaled.ndim - 1))
    with np.errstate(over="ignore"):
        values = scaled * np.ldexp(1.0, half).reshape(shape) * np.ldexp(1.0, exponents - half).reshape(shape)
    largest = np.finfo(np.float64).max
    return np.asarray(np.clip(values, -largest, largest))


def _weights(names: Sequence[str], shares: Sequence[float]) -> dict[str, float]:
    total = sum(shares)
    if total <= 0:
        return {"last": 1.0}
    return {name: share / total for name, share in zip(names, shares, strict=True) if share > 0}


def _coverage(fitted: Fit, level: float) -> list[tuple[float, int]]:
    """Per row: share of truths at or below a level, and how many were looked at."""
    seen = np.where(fitted.seen < 0.5, 0.0, fitted.seen)
    share = np.where(seen > 0, conformal.at_level(fitted.below, level) / np.maximum(seen, 0.5), 0.0)
    return list(zip(share.tolist(), np.rint(seen).astype(np.int64).tolist(), strict=True))
