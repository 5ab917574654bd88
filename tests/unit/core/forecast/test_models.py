"""Each model of the pool on a history whose right answer is plain."""

from __future__ import annotations

import numpy as np
import pytest

from presage.core.forecast.block import Block
from presage.core.forecast.geometry import geometry_of
from presage.core.forecast.pool import pool_of
from presage.core.forecast.types import FloatArray

DAY = 96
GEOMETRY = geometry_of(3.75, (360,))
MODELS = {m.name: m for m in pool_of(GEOMETRY)}
SHAPE = 100 + 50 * np.sin(2 * np.pi * np.arange(DAY) / DAY)
NAN = float("nan")


def predict(name: str, values: FloatArray, horizon: int) -> FloatArray:
    block = Block([np.asarray(values, dtype=float)], GEOMETRY, back=len(values), ahead=horizon)
    return MODELS[name].predict(block, np.array([len(values)]), np.arange(1, horizon + 1))[0, :, 0]


def days(*heights: float) -> FloatArray:
    return np.concatenate([h * SHAPE for h in heights])


def test_the_pool_has_one_order() -> None:
    assert list(MODELS) == [
        "last", "level", "median", "day", "day_median", "day_median_fast", "day_median_slow", "day_median_scaled",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "values", "want"),
    [
        pytest.param("last", [1.0, 2.0, 7.0], [7.0, 7.0], id="last"),
        pytest.param("last", [1.0, 2.0, NAN], [2.0, 2.0], id="last known"),
        pytest.param("level", [4.0] * 50, [4.0, 4.0], id="level of a constant"),
        pytest.param("level", [9.0] * 50 + [NAN] * 20, [9.0, 9.0], id="level after a hole"),
        pytest.param("day", days(1, 2), 2 * SHAPE[:2], id="yesterday"),
        pytest.param("day_median", days(1, 9, 2), 2 * SHAPE[:2], id="median of three days"),
        pytest.param("day_median", days(1, 3), 2 * SHAPE[:2], id="median of two days is their mean"),
        pytest.param("day_median", days(1), [NAN, NAN], id="one day is no median"),
        pytest.param("day_median_slow", days(1, 1, 1), SHAPE[:2], id="no deviation"),
        pytest.param("day_median_scaled", days(1, 1, 1), SHAPE[:2], id="ratio of one"),
        pytest.param("day", days(1)[:50], [NAN, NAN], id="no yesterday"),
    ],
)
def test_predictions(name: str, values: FloatArray, want: FloatArray) -> None:
    np.testing.assert_allclose(predict(name, values, 2), want, rtol=1e-9)


def test_level_leans_to_the_newest() -> None:
    assert 5 < predict("level", np.array([0.0] * 20 + [10.0]), 1)[0] < 10


def test_deviation_is_carried_and_fades() -> None:
    today = SHAPE[: DAY // 2] + 20
    values = np.concatenate([days(1, 1, 1, 1), today])
    off = predict("day_median_slow", values, DAY) - np.roll(SHAPE, -DAY // 2)
    assert off[0] == pytest.approx(20)
    assert (np.diff(off) < 0).all()
    fast = predict("day_median_fast", values, DAY) - np.roll(SHAPE, -DAY // 2)
    assert fast[0] == pytest.approx(20, abs=0.1)
    assert fast[-1] < off[-1]


def test_a_higher_day_is_scaled_up() -> None:
    values = np.concatenate([days(1, 1, 1, 1), 1.4 * SHAPE[: DAY // 2]])
    got = predict("day_median_scaled", values, 8)
    np.testing.assert_allclose(got, 1.4 * SHAPE[DAY // 2 : DAY // 2 + 8], rtol=0.06)


@pytest.mark.parametrize("height", [0.0, 0.001, 1000.0])
def test_the_ratio_is_bounded(height: float) -> None:
    got = predict("day_median_scaled", np.concatenate([days(1, 1, 1), height * SHAPE]), 4)
    assert (got <= 2.001 * SHAPE[:4]).all()
    assert (got >= 0.499 * SHAPE[:4]).all()
