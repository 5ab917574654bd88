"""From a fitted batch to one `Forecast` per series, in the series' own unit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress
from statistics import NormalDist

import numpy as np

from presage.core.forecast import conformal
from presage.core.forecast.engine import Ahead, Fit, names_of
from presage.core.forecast.geometry import BUCKETS
from presage.core.forecast.series import Row
from presage.core.forecast.state import next_state, pack
from presage.core.forecast.types import FloatArray, Forecast, IntArray, SeasonTest

SHORT_MARGIN = 0.1  # with less than a day: the 0.9-quantile is at least this share above the point
SAFE_EXPONENT = 800  # below, nothing that a forecast makes of scaled values overflows
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


class Losses(Mapping[str, tuple[float, ...]]):
    """Errors per model and bucket, made into numbers when they are read: few forecasts of many ever are."""

    __slots__ = ("_names", "_values")

    def __init__(self, names: tuple[str, ...], values: FloatArray) -> None:
        self._names = names
        self._values = values  # (names, buckets)

    def __getitem__(self, name: str) -> tuple[float, ...]:
        if name not in self._names:
            raise KeyError(name)
        return tuple(self._values[self._names.index(name)].tolist())

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return repr(dict(self))


def report(batch: Batch, quantiles: Sequence[float]) -> list[Forecast]:
    """One forecast per row.

    Args:
        batch: A fitted batch with one cut-off.
        quantiles: Levels asked for.
    """
    rows, fitted = batch.rows, batch.fitted
    exponents = np.array([r.exponent for r in rows])
    names = names_of(rows[0].geometry)
    levels = tuple(dict.fromkeys(quantiles))
    outer = tuple(q for q in levels if q != 0.5)
    curves = _curves(batch, outer, exponents)
    covered = list(zip(*(_coverage(fitted, q) for q in levels), strict=True)) if levels else [()] * len(rows)
    losses = to_unit(fitted.loss, exponents[:, None, None])
    naive = np.full((len(rows), len(NAIVE), BUCKETS), np.nan)
    for i, name in enumerate(NAIVE):
        if name in names:
            naive[:, i] = losses[:, names.index(name)]
    shares = _weights(names, batch.ahead.shares)
    packed = pack(fitted)
    out = []
    for i, row in enumerate(rows):
        point, *others = curves[i][:, row.steps].copy()  # one piece of memory, and none of the neighbours'
        by_level = dict(zip(outer, others, strict=True))
        out.append(
            Forecast(
                point=point,
                quantiles={q: by_level.get(q, point) for q in levels},
                weights=shares[i],
                backtest=Losses(names, losses[i].copy()),
                naive=Losses(NAIVE, naive[i].copy()),
                coverage=dict(zip(levels, covered[i], strict=True)),
                seasons=batch.seasons[i],
                season_tests=batch.season_tests[i],
                shift_at=row.shift_at,
                history_rung=row.geometry.rung_of(row.slots),
                warnings=row.warnings,
                state=next_state(row, batch.seasons[i], packed[i].copy()),
            )
        )
    return out


def _curves(batch: Batch, levels: Sequence[float], exponents: IntArray) -> FloatArray:
    """(rows, 1 + levels, p) the point forecast and its quantiles beside the median, in the series' unit."""
    points = batch.ahead.points
    scaled = np.empty((1 + len(levels), *points.shape))
    scaled[0] = points
    grid = conformal.adapted(batch.fitted.grid, batch.fitted.stretch)
    for curve, level in zip(scaled[1:], levels, strict=True):
        np.add(points, _offsets(batch, grid, level), out=curve)
    unknown = np.isnan(points)
    if unknown.any():
        scaled[:, unknown] = 0.0
    lowest = np.where([r.signed for r in batch.rows], -np.inf, 0.0)
    np.maximum(scaled, lowest, out=scaled)
    return np.ascontiguousarray(to_unit(scaled, exponents).transpose(2, 0, 1))


def _offsets(batch: Batch, grid: FloatArray, level: float) -> FloatArray:
    """(p, rows) distance of a quantile from the point, by the (rows, buckets, levels) grid."""
    points, bucket = batch.ahead.points, batch.ahead.bucket
    by_bucket = conformal.at_level(grid, level).T
    offset = by_bucket[bucket] * batch.ahead.spread
    if np.isnan(by_bucket).any():
        offset = np.where(np.isnan(offset), BLIND_SPREAD * _normal(level) * np.abs(points), offset)
    short = np.array([r.slots < r.geometry.day for r in batch.rows])
    if level > 0.5 and short.any():
        margin = SHORT_MARGIN * np.abs(points) * _normal(level) / _normal(0.9)
        offset = np.where(short, np.maximum(offset, margin), offset)
    return offset


@lru_cache(maxsize=256)
def _normal(level: float) -> float:
    return NormalDist().inv_cdf(level)


def to_unit(scaled: FloatArray, exponents: IntArray) -> FloatArray:
    """Values times 2**exponent, cut at the largest float; `exponents` of a shape that goes with theirs."""
    if np.abs(exponents).max(initial=0) < SAFE_EXPONENT:
        return np.asarray(scaled * np.ldexp(1.0, exponents))
    half = exponents // 2  # in two steps: 2**1024 itself is no float
    with np.errstate(over="ignore"):
        values = scaled * np.ldexp(1.0, half)
        values *= np.ldexp(1.0, exponents - half)
    largest = np.finfo(np.float64).max
    return np.clip(values, -largest, largest, out=values)


def _weights(names: Sequence[str], shares: FloatArray) -> list[dict[str, float]]:
    """Per row: the models with a share of (models, rows), in parts of 1."""
    total = shares.sum(axis=0)
    parts = (shares / np.where(total > 0, total, 1.0)).T.tolist()
    return [dict(zip(compress(names, row), filter(None, row), strict=True)) or {"last": 1.0} for row in parts]


def _coverage(fitted: Fit, level: float) -> list[tuple[float, int]]:
    """Per row: share of truths at or below a level, and how many were looked at."""
    seen = np.where(fitted.seen < 0.5, 0.0, fitted.seen)
    share = np.where(seen > 0, conformal.at_level(fitted.below, level) / np.maximum(seen, 0.5), 0.0)
    return list(zip(share.tolist(), np.rint(seen).astype(np.int64).tolist(), strict=True))
