"""Scores and their statistics, from the rows that the scorer writes; pure.

A row is one method's forecast of one series from one origin. A *ratio* of two methods is, per series, the mean MASE
(or the WQL, pooled over origins) of the one over that of the other, on the origins that both have. What is said over
all series is the geometric mean of the ratios, as in the scorer's columns `rel MASE` and `rel WQL`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

Span = Literal["short", "day"]
Measure = Literal["MASE", "WQL"]
SPANS: tuple[Span, ...] = ("short", "day")
MEASURES: tuple[Measure, ...] = ("MASE", "WQL")
BASE = "snaive_day"
"""Yesterday's value: what "rel" is relative to."""
QUANTILES = ("0.5", "0.9", "0.95")
RESAMPLES, CONFIDENCE, SEED = 10_000, 0.9, 0
_LEAST_RATIO, _LEAST_SUM = 1e-6, 1e-12  # the scorer's own floors

Ratios = Mapping[str, float]
"""Series -> ratio."""


@dataclass(frozen=True)
class Row:
    """One forecast's scores.

    Attributes:
        method: Who forecast.
        series: What.
        group: How the series behaves, by the manifest.
        step: Slot length, seconds.
        origin: From which of the origins.
        cpu_ms: CPU time of the forecast.
        error: Type of the exception for which the scorer fell back to yesterday's value; empty if none.
        spans: Span -> the scorer's sums and means.
    """

    method: str
    series: str
    group: str
    step: int
    origin: int
    cpu_ms: float
    error: str
    spans: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Comparison:
    """A method against a peer, over all series: geometric mean of the ratio and its bootstrap interval."""

    ratio: float
    low: float
    high: float

    @property
    def says(self) -> str:
        """Return `better`, `level` or `worse`: the first and the last only if the whole interval says so."""
        return "better" if self.high < 1 else "worse" if self.low > 1 else "level"


@dataclass(frozen=True)
class LeftOut:
    """The geometric mean without one series, or without one group."""

    name: str
    mean: float


def read_rows(document: Mapping[str, Any], plugin: str) -> list[Row]:
    """Return the rows of the scorer's JSON, its method `plugin` under the name given."""
    return [
        Row(
            plugin if each["method"] == "plugin" else each["method"],
            each["series"],
            each["group"],
            each["step"],
            each["origin"],
            each["cpu_ms"],
            each["err"],
            each["score"],
        )
        for each in document["rows"]
    ]


def methods(rows: Iterable[Row]) -> list[str]:
    """Return the methods that the rows name, in order of appearance."""
    return list(dict.fromkeys(row.method for row in rows))


def groups(rows: Iterable[Row]) -> dict[str, str]:
    """Return series -> group."""
    return {row.series: row.group for row in rows}


def fallbacks(rows: Iterable[Row]) -> dict[str, int]:
    """Return how often each method failed, by `method: exception`; any voids a run."""
    found: dict[str, int] = {}
    for row in rows:
        if row.error:
            key = f"{row.method}: {row.error}"
            found[key] = found.get(key, 0) + 1
    return found


def ratios(rows: Sequence[Row], method: str, peer: str, span: Span, measure: Measure) -> dict[str, float]:
    """Return series -> ratio of the two methods, on the origins that both have."""
    mine, theirs = _by_series(rows, method, span), _by_series(rows, peer, span)
    found = {}
    for series, own in mine.items():
        both = [origin for origin in own if origin in theirs.get(series, {})]
        if both:
            above = _SCORES[measure]([own[origin] for origin in both])
            below = _SCORES[measure]([theirs[series][origin] for origin in both])
            found[series] = above / max(below, _LEAST_SUM)
    return found


def column(rows: Sequence[Row], method: str, span: Span, measure: Measure) -> float:
    """Return what the scorer's column `rel MASE` or `rel WQL` shows."""
    return geometric_mean(ratios(rows, method, BASE, span, measure).values())


def coverage(rows: Sequence[Row], method: str, span: Span, level: str) -> dict[str, float]:
    """Return series -> share of true values at or below the quantile of this level ("0.9" or "0.95")."""
    found = {}
    for series, origins in _by_series(rows, method, span).items():
        count = sum(each["n"] for each in origins.values())
        found[series] = sum(each[f"cv{level}"] * each["n"] for each in origins.values()) / count
    return found


def cpu_ms(rows: Iterable[Row], method: str, step: int | None = None) -> list[float]:
    """Return per series the median CPU milliseconds of a forecast; of those with this step only, if given."""
    took: dict[str, list[float]] = {}
    for row in rows:
        if row.method == method and step in (None, row.step):
            took.setdefault(row.series, []).append(row.cpu_ms)
    return [float(np.median(each)) for each in took.values()]


def geometric_mean(values: Iterable[float]) -> float:
    """Return the geometric mean; NaN of nothing."""
    logs = [math.log(max(value, _LEAST_RATIO)) for value in values if math.isfinite(value)]
    return math.exp(sum(logs) / len(logs)) if logs else math.nan


def compare(ratio: Ratios) -> Comparison:
    """Return the geometric mean of the ratios with its bootstrap interval over series.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13, percentile interval;
    series are drawn, so that both methods are always compared on the same ones.
    """
    logs = np.log(np.maximum(np.array(list(ratio.values())), _LEAST_RATIO))
    if not len(logs):
        return Comparison(math.nan, math.nan, math.nan)
    drawn = np.random.default_rng(SEED).integers(len(logs), size=(RESAMPLES, len(logs)))
    low, high = np.quantile(logs[drawn].mean(axis=1), ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2))
    return Comparison(math.exp(logs.mean()), math.exp(low), math.exp(high))


def leave_one_series_out(ratio: Ratios) -> list[LeftOut]:
    """Return the geometric mean without each series, lowest first."""
    return leave_one_group_out(ratio, {series: series for series in ratio})


def leave_one_group_out(ratio: Ratios, group: Mapping[str, str]) -> list[LeftOut]:
    """Return the geometric mean without each group of series, lowest first."""
    names = dict.fromkeys(group[series] for series in ratio)
    means = [LeftOut(name, geometric_mean(v for s, v in ratio.items() if group[s] != name)) for name in names]
    return sorted(means, key=lambda each: each.mean)


def largest_difference(rows: Sequence[Row], method: str, other: str) -> float:
    """Return by how much the MASE of one forecast differs at most between two methods, as a share."""
    worst = 0.0
    for span in SPANS:
        mine, theirs = _by_series(rows, method, span), _by_series(rows, other, span)
        for series, origins in mine.items():
            for origin, each in origins.items():
                pair = each["mase"], theirs[series][origin]["mase"]
                worst = max(worst, abs(pair[0] - pair[1]) / max(*pair, _LEAST_SUM))
    return worst


def join_peers(fresh: Sequence[Row], earlier: Sequence[Row]) -> list[Row]:
    """Return fresh rows, and of an earlier run those of methods that the fresh run has not.

    Raises:
        ValueError: The earlier run scored other data, by the scores of yesterday's value.
    """
    known, offered = _score_keys(fresh), _score_keys(earlier)
    if known != offered:
        raise ValueError("the earlier run scored other series, origins or traces")
    there = set(methods(fresh))
    return [*fresh, *(row for row in earlier if row.method not in there)]


def rename(rows: Iterable[Row], method: str, name: str) -> list[Row]:
    """Return the rows of one method under another name."""
    return [replace(row, method=name) for row in rows if row.method == method]


def _score_keys(rows: Iterable[Row]) -> dict[tuple[str, int], list[tuple[str, float]]]:
    return {
        (row.series, row.origin): [(span, round(each["ae"], 9)) for span, each in sorted(row.spans.items())]
        for row in rows
        if row.method == BASE
    }


def _by_series(rows: Iterable[Row], method: str, span: Span) -> dict[str, dict[int, Mapping[str, float]]]:
    found: dict[str, dict[int, Mapping[str, float]]] = {}
    for row in rows:
        if row.method == method and span in row.spans:
            found.setdefault(row.series, {})[row.origin] = row.spans[span]
    return found


def _mase(origins: Sequence[Mapping[str, float]]) -> float:
    return float(np.mean([each["mase"] for each in origins]))


def _wql(origins: Sequence[Mapping[str, float]]) -> float:
    total = max(sum(each["sumy"] for each in origins), _LEAST_SUM)
    return float(np.mean([2 * sum(each[f"pb{q}"] for each in origins) / total for q in QUANTILES]))


_SCORES = {"MASE": _mase, "WQL": _wql}
