"""The width of a slot at which a load is modelled, when nobody says it."""

from __future__ import annotations

import numpy as np

from presage.core.forecast.geometry import DAY_SECONDS, HOUR_SECONDS
from presage.core.forecast.types import FloatArray

MODEL_STEP_SECONDS = 300
FINE_STEP_SECONDS = 60  # for a horizon of less than half an hour
FINE_HORIZON_SECONDS = 1_800
_LADDER_SECONDS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1_200, 1_800, HOUR_SECONDS)
_SEASON_SLOTS = 96  # of the shortest season, where no season given is as long as a day
_FILLED = 0.75  # share of slots that must hold a sample, holes aside
_HOLE_SLOTS = 24  # a run of empty slots counts as so many at most: no step mends a hole of days


def finest_step(horizon_s: float, seasons: tuple[int, ...] = ()) -> int:
    """Step in seconds at which presage models a load that it can read at any step.

    Args:
        horizon_s: How far ahead will be forecast.
        seasons: Seasons given by the user, seconds; short ones ask for a short step.
    """
    step: float = FINE_STEP_SECONDS if horizon_s < FINE_HORIZON_SECONDS else MODEL_STEP_SECONDS
    if seasons and max(seasons) < DAY_SECONDS:
        step = min(step, min(seasons) / _SEASON_SLOTS)
    return next(each for each in _LADDER_SECONDS if each >= step)


def choose_step(times: FloatArray, finest: int) -> int:
    """Step in seconds for samples at given times: the finest wanted, or the next larger one that they fill.

    Args:
        times: (n,) epoch seconds, in any order.
        finest: Least step in seconds, such as `finest_step` gives.

    Raises:
        ValueError: If the samples lie too far apart for any step.
    """
    known = np.unique(times)
    for step in _LADDER_SECONDS:
        if step >= finest and _share_filled(known, step) >= _FILLED:
            return step
    apart = float(np.median(np.diff(known)))
    raise ValueError(f"the samples lie {apart:g} s apart, too far for a daily rhythm: give --step to use them anyway")


def _share_filled(times: FloatArray, step: int) -> float:
    empty = np.diff(np.unique(times // step)) - 1
    slots = len(empty) + 1
    return slots / (slots + float(np.minimum(empty, _HOLE_SLOTS).sum()))
