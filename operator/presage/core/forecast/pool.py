"""Which models are tried for a geometry; the one list to extend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import pairwise

import numpy as np

from presage.core.forecast.block import Block
from presage.core.forecast.deviation import profile_scaled, profile_with_deviation
from presage.core.forecast.geometry import Geometry
from presage.core.forecast.level import flat_median, level
from presage.core.forecast.naive import last_value, seasonal, seasonal_sum
from presage.core.forecast.profile import profile
from presage.core.forecast.types import BoolArray, FloatArray, IntArray

# (block, cuts (c,), ahead (p,)) -> (c, p, rows), from slots before each cut-off only; NaN = too little history
Predict = Callable[[Block, IntArray, IntArray], FloatArray]

LEVEL_MEMORY = 1 / 96  # half-life of the level, in days
FAST = (1 / 96, 1 / 8)  # memory and fade of the fast deviation, in days
SLOW = (1 / 12, 1.0)  # memory and fade of the slow deviation, in days
FEW = 0.25  # a model that this share of the rows wants, or less, is computed for them alone


@dataclass(frozen=True, slots=True)
class Model:
    """One forecaster of the pool.

    Attributes:
        name: Its name in results.
        predict: Its prediction function.
        season: Seconds of the season it stands on; None = none.
    """

    name: str
    predict: Predict
    season: int | None = None


@lru_cache(maxsize=256)
def pool_of(geometry: Geometry) -> tuple[Model, ...]:
    """Models for a geometry, in one order: last value, level, median, five per season, sums of given seasons."""
    day = geometry.day
    models = [
        Model("last", last_value),
        Model("level", partial(level, LEVEL_MEMORY * day)),
        Model("median", flat_median),
    ]
    for season in geometry.seasons:
        name, seconds = season.name, season.seconds
        fast = partial(profile_with_deviation, season, FAST[0] * day, FAST[1] * day)
        slow = partial(profile_with_deviation, season, SLOW[0] * day, SLOW[1] * day)
        scaled = partial(profile_scaled, season, SLOW[0] * day, SLOW[1] * day)
        models += [
            Model(name, partial(seasonal, season), seconds),
            Model(f"{name}_median", partial(profile, season), seconds),
            Model(f"{name}_median_fast", fast, seconds),
            Model(f"{name}_median_slow", slow, seconds),
            Model(f"{name}_median_scaled", scaled, seconds),
        ]
    if geometry.given:
        for one, other in pairwise(geometry.seasons):
            models.append(Model(f"{one.name}+{other.name}", partial(seasonal_sum, one, other), other.seconds))
    return tuple(models)


def predict_all(
    models: Sequence[Model],
    block: Block,
    cuts: IntArray,
    ahead: IntArray,
    wanted: BoolArray,
    *,
    unwanted: float = np.nan,
    out: FloatArray | None = None,
) -> FloatArray:
    """Forecasts of several models.

    Args:
        models: Models to ask.
        block: Histories.
        cuts: (c,) first unknown column of each cut-off.
        ahead: (p,) steps ahead.
        wanted: (models, rows) which rows a model is asked for.
        unwanted: Stands for forecasts that are not wanted.
        out: (models, c, p, rows) to write to; None = a new array.

    Returns:
        (models, c, p, rows); NaN where a model cannot tell.
    """
    if out is None:
        out = np.empty((len(models), len(cuts), len(ahead), block.rows))
    for model, points, rows in zip(models, out, wanted, strict=True):
        chosen = np.flatnonzero(rows)
        if len(chosen) > FEW * len(rows):
            points[:] = model.predict(block, cuts, ahead)
            points[:, :, ~rows] = unwanted
            continue
        points[:] = unwanted
        if len(chosen):
            points[:, :, chosen] = model.predict(block.subset(chosen), cuts, ahead)
    return out
