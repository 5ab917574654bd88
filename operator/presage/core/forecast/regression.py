"""Ridge regression on the forecasts of the pool and on how far the newest slots lie off the usual course.

The full tier's own model. For a step ahead it starts from the mix of the pool and learns from the
history what to add: shares of what single models say beside the mix, and shares of the recent deviations
from the day's profile. So the past seasons, the level and the newest values enter as in a sparse periodic
auto-regression, with far fewer coefficients, and shrunk towards the mix instead of towards zero.
Coefficients are shared by the steps between two knots. Absolute errors are minimised by reweighted
least squares. A backtest forecast is made with coefficients learned without the day of its cut-off.

Sources: Chen et al., Energy-aware server provisioning, NSDI 2008 (sparse periodic auto-regression);
Breiman, Stacked regressions, Machine Learning 24 (1996); Hoerl & Kennard, Ridge regression,
Technometrics 12 (1970).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from presage.core.forecast import select
from presage.core.forecast.arrays import mean_of
from presage.core.forecast.backtest import Backtest, spread_steps, truths
from presage.core.forecast.block import Block
from presage.core.forecast.geometry import Geometry
from presage.core.forecast.pool import Model, predict_all
from presage.core.forecast.profile import typical
from presage.core.forecast.select import Choice
from presage.core.forecast.types import BoolArray, FloatArray, IntArray

NAME = "regression"
TRAIN_DAYS = 21  # newest "days" that are learned from
TRAIN_CUTS = 288
MIN_DAYS = 3.5  # below, days are too few to learn without one of them
STEPS_PER_KNOT = 4
RIDGE = 0.005  # share of the mean of the diagonal by which it is raised
SMALL_ERROR = 0.3  # share of the mean error below which errors count alike
HALF_LIFE = 10.0  # days after which a training cut-off counts half
MIN_EXAMPLES = 60
TOO_SMALL = 1e-6  # share of the errors' size below which a feature is not scaled up
RECENT = (0.0, 1 / 48, 1 / 8)  # lengths of the recent deviations, in days; the first is one slot
SLOPE = 1 / 96  # the deviation now minus the one so many days ago
RECENT_FEATURES = len(RECENT) + 1


@dataclass(frozen=True, slots=True)
class Learned:
    """What was learned from a block.

    Attributes:
        coefficients: (rows, knots, models + RECENT_FEATURES); NaN = not learned.
        points: (c, p, rows) forecasts of the backtest; NaN = none.
    """

    coefficients: FloatArray
    points: FloatArray


def knots_of(geometry: Geometry) -> tuple[int, ...]:
    """Last step of each run of steps that share coefficients; the last one is open."""
    knots = [1, 2, 3]
    for part in (24, 8, 3, 1):
        knots.append(max(knots[-1], round(geometry.day / part)))
    return tuple(knots)


def knot_of(geometry: Geometry, ahead: IntArray) -> IntArray:
    """(p,) run of each step ahead; of runs that end together the first."""
    knots = knots_of(geometry)
    return np.minimum(np.searchsorted(np.asarray(knots), ahead), len(knots) - 1).astype(np.int64)


def shape_of(geometry: Geometry, models: int) -> tuple[int, int]:
    """(knots, features) of the coefficients with so many models."""
    return len(knots_of(geometry)), models + RECENT_FEATURES


def recent(block: Block, cuts: IntArray) -> FloatArray:
    """(RECENT_FEATURES, c, rows) deviations from the day's profile before each cut-off; 0 where unknown."""
    season = block.geometry.day_season
    out = np.zeros((RECENT_FEATURES, len(cuts), block.rows))
    if season is None:
        return out
    deviation = block.filled[block.lo :] - typical(season, block)[: block.width - block.lo]
    at = cuts - 1 - block.lo
    for feature, share in zip(out, RECENT, strict=False):
        feature[:] = _mean_before(deviation, at, min(block.geometry.slots(share), len(deviation)))
    earlier = np.maximum(at - block.geometry.slots(SLOPE), 0)
    out[-1] = deviation[np.maximum(at, 0)] - deviation[earlier]
    return np.nan_to_num(out, copy=False)


def _mean_before(values: FloatArray, at: IntArray, length: int) -> FloatArray:
    """(c, rows) mean of the known values of the `length` slots up to each slot; NaN where there is none."""
    slots = at[:, None] - np.arange(length)
    chosen = values[np.maximum(slots, 0)]
    chosen[slots < 0] = np.nan
    return mean_of(chosen, axis=1)


def predict(
    coefficients: FloatArray, points: FloatArray, base: FloatArray, deviations: FloatArray, knot: IntArray
) -> FloatArray:
    """Forecast with learned coefficients.

    Args:
        coefficients: (models + RECENT_FEATURES, knots, rows).
        points: (models, c, p, rows) forecasts of the pool; NaN = `base` stands in.
        base: (c, p, rows) mix of the pool.
        deviations: (RECENT_FEATURES, c, rows), from `recent`.
        knot: (p,) run of each step.

    Returns:
        (c, p, rows); NaN where nothing was learned.
    """
    models = len(points)
    out = np.zeros(points.shape[1:], dtype=points.dtype)
    for share, values in zip(coefficients[:models], points, strict=True):
        missing = np.isnan(values)
        out += share[knot] * (np.where(missing, base, values) if missing.any() else values)
    for share, offset in zip(coefficients[models:], deviations, strict=True):
        out += share[knot] * offset[:, None]
    return out


def learn(
    block: Block, models: Sequence[Model], wanted: BoolArray, test: Backtest, choice: Choice, cuts: IntArray
) -> Learned:
    """Learn each row's coefficients, and forecast the backtest without what its day taught.

    Args:
        block: Histories that reach `TRAIN_DAYS` before the newest slot, where there are so many.
        models: The pool.
        wanted: (models, rows) models that a row may use.
        test: The pool's backtest.
        choice: The pool's weights by it.
        cuts: (c,) cut-offs of the backtest.
    """
    geometry = block.geometry
    learned = Learned(
        np.full((block.rows, *shape_of(geometry, len(models))), np.nan), np.full(test.truth.shape, np.nan)
    )
    mixed = select.mix(test.points, choice.weights, choice.median, test.bucket)
    deviations = recent(block, cuts)
    steps = spread_steps(knots_of(geometry), int(test.ahead.max()), STEPS_PER_KNOT)
    knot, test_knot = knot_of(geometry, steps), knot_of(geometry, test.ahead)
    day = np.floor((block.width - cuts) / geometry.day)
    for row in range(block.rows):
        examples = _examples(block, models, wanted, choice, steps, row)
        if examples is None:
            continue
        tested = _features(test.points[..., row], mixed[..., row], deviations[..., row])
        for number in np.unique(knot):
            solved = _solve(examples.of(knot == number))
            if solved is None:
                continue
            here = np.flatnonzero(test_knot == number)
            for gone, slope in solved.without(np.unique(day)):
                some = np.flatnonzero(day == gone)[:, None]
                learned.points[some, here, row] = mixed[some, here, row] + tested[some, here] @ slope
            share = choice.weights[:, geometry.bucket_of(steps[knot == number][:1])[0], row]
            learned.coefficients[row, number] = _on_models(solved.slope, share)
    return learned


def _examples(
    block: Block, models: Sequence[Model], wanted: BoolArray, choice: Choice, steps: IntArray, row: int
) -> _Examples | None:
    """What one row can learn from; None with too short a history."""
    training = _training_cuts(block, row)
    if not len(training):
        return None
    only = np.array([row])
    part = block.subset(only)
    points = predict_all(models, part, training, steps, wanted[:, only])
    weights, median = choice.weights[:, :, only], choice.median[:, only]
    base = select.mix(points, weights, median, block.geometry.bucket_of(steps))
    return _Examples(
        _features(points[..., 0], base[..., 0], recent(part, training)[..., 0]),
        (truths(part, training, steps) - base)[..., 0],
        (block.width - training) / block.geometry.day,
    )


def _training_cuts(block: Block, row: int) -> IntArray:
    """Cut-offs to learn from, oldest first: days enough before the oldest, so that profiles stand; else none."""
    known = np.flatnonzero(np.isfinite(block.observed[:, row]))
    day = block.geometry.day
    first = int(known[0]) if len(known) else block.width
    days = (block.width - first) / day
    if days < MIN_DAYS:
        return np.empty(0, dtype=np.int64)
    usable = int(np.argmax(np.isfinite(block.filled[:, row])))
    spared = 8 if (block.width - usable) / day >= 12 else 2 if (block.width - usable) / day >= 5 else 1
    oldest = max(first, usable + spared * day, block.width - TRAIN_DAYS * day)
    newest = block.width - 2
    count = min(TRAIN_CUTS, newest - oldest)
    if count < 2:
        return np.empty(0, dtype=np.int64)
    return np.unique(np.linspace(oldest, newest, count).astype(np.int64))


def _features(points: FloatArray, base: FloatArray, deviations: FloatArray) -> FloatArray:
    """(c, p, features) of (models, c, p) forecasts, their (c, p) mix and (RECENT_FEATURES, c) deviations."""
    beside = np.nan_to_num(points - base)
    spread = np.broadcast_to(deviations[:, :, None], (len(deviations), *base.shape))
    return np.concatenate([beside, spread]).transpose(1, 2, 0)


def _on_models(slope: FloatArray, share: FloatArray) -> FloatArray:
    """Coefficients on models themselves, from those on their distance to the mix of which they have a share."""
    models = len(share)
    beside = slope[:models]
    return np.concatenate([share * (1 - beside.sum()) + beside, slope[models:]])


@dataclass(frozen=True, slots=True)
class _Examples:
    """Features (c, p, f), errors of the mix (c, p), NaN = unknown, and age of each cut-off in days (c,)."""

    features: FloatArray
    errors: FloatArray
    age: FloatArray

    def of(self, steps: BoolArray) -> _Examples:
        """Those of some steps, flat and known: (n, f), (n,), (n,)."""
        errors = self.errors[:, steps]
        known = np.isfinite(errors)
        age = np.broadcast_to(self.age[:, None], errors.shape)
        return _Examples(self.features[:, steps][known], errors[known], age[known])


@dataclass(frozen=True, slots=True)
class _Solved:
    """A solved regression that can do without the examples of one day."""

    slope: FloatArray
    scale: FloatArray
    gram: FloatArray
    moment: FloatArray
    raised: float
    day: IntArray
    weighted: FloatArray
    scaled: FloatArray
    errors: FloatArray

    def without(self, days: FloatArray) -> Iterator[tuple[float, FloatArray]]:
        """Each day counted back from the newest slot, with the slope learned from all other days."""
        for day in days.tolist():
            gone = np.flatnonzero(self.day == day)
            part = self.weighted[gone]
            gram = self.gram - part.T @ self.scaled[gone]
            moment = self.moment - part.T @ self.errors[gone]
            yield day, _ridge(gram, moment, self.raised) / self.scale


def _solve(examples: _Examples) -> _Solved | None:
    if len(examples.errors) < MIN_EXAMPLES:
        return None
    recency = 0.5 ** (examples.age / HALF_LIFE)
    scale = np.sqrt(recency @ examples.features**2 / recency.sum())
    errors = examples.errors
    least = TOO_SMALL * np.sqrt(recency @ errors**2 / recency.sum())  # what is so small explains nothing
    scale = np.maximum(scale, least if least > 0 else 1.0)
    scaled = examples.features / scale
    left, slope = errors, np.zeros(len(scale))
    for _ in range(2):
        typical_error = recency @ np.abs(left) / recency.sum()
        if typical_error == 0:
            break
        weight = recency / np.maximum(np.abs(left) / typical_error, SMALL_ERROR)
        weighted = scaled * weight[:, None]
        gram, moment = weighted.T @ scaled, weighted.T @ errors
        raised = RIDGE * max(float(np.trace(gram)) / len(gram), np.finfo(np.float64).tiny)
        slope = _ridge(gram, moment, raised)
        left = errors - scaled @ slope
    else:
        day = np.floor(examples.age).astype(np.int64)
        return _Solved(slope / scale, scale, gram, moment, raised, day, weighted, scaled, errors)
    return None  # the mix never misses


def _ridge(gram: FloatArray, moment: FloatArray, raised: float) -> FloatArray:
    """Solve with the diagonal raised: features are scaled, so it shrinks them alike."""
    return np.asarray(np.linalg.solve(gram + raised * np.eye(len(gram)), moment))
