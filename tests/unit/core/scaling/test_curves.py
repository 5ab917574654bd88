"""What earlier days showed at a time of day."""

from __future__ import annotations

import math

import numpy as np
import pytest

from presage.core.scaling.curves import PAST, Curve, FloatArray, draw_past


def look_back(curve: Curve, values: FloatArray, origin: int, ahead: int, day: int) -> float:
    """Return the highest known load of past days about one time of day, slot by slot."""
    around = round(curve.around * day)
    slots = [origin + ahead - back * day + s for back in range(1, curve.days + 1) for s in range(-around, around + 1)]
    known = [float(values[slot]) for slot in slots if 0 <= slot < origin and not math.isnan(values[slot])]
    return max(known, default=math.nan)


@pytest.mark.parametrize("curve", PAST, ids=str)
@pytest.mark.parametrize(("day", "horizon"), [(288, 14), (24, 60), (96, 1)])
def test_the_highest_load_of_past_days(curve: Curve, day: int, horizon: int) -> None:
    draw = np.random.default_rng(day)
    values = draw.normal(100, 30, 8 * day)
    values[draw.random(len(values)) < 0.3] = math.nan
    origins = [0, 1, day // 2, 3 * day + 1, 8 * day]
    want = [[look_back(curve, values, origin, ahead, day) for ahead in range(horizon)] for origin in origins]
    assert np.array_equal(draw_past(curve, values, origins, horizon, day), want, equal_nan=True)
