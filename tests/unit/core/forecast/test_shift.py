from __future__ import annotations

import numpy as np
import pytest

from presage.core.forecast.api import Series, advance, forecast_many, forecast_one
from presage.core.forecast.shift import find_shift, level_out
from presage.core.forecast.types import FloatArray
from tests.unit.core.forecast.histories import DAY, STEP, daily, office

RNG = np.random.default_rng(3)


def stepped(days: float, at: float, height: float, *, noise: float = 2.0) -> FloatArray:
    """A daily load that moves by `height` after `at` days."""
    values = daily(days, noise=noise)
    values[round(at * DAY) :] += height
    return values


def idle_then_on(on_days: float) -> FloatArray:
    """Five idle days, then a load about 40."""
    return np.concatenate([np.full(5 * DAY, 0.5), 40 + RNG.normal(0, 1, round(on_days * DAY))])


@pytest.mark.parametrize(
    ("values", "day"),
    [
        pytest.param(stepped(10, 7, 200), 7, id="up"),
        pytest.param(stepped(10, 7, -80) + 200, 7, id="down"),
        pytest.param(stepped(10, 9.7, 200), 9.7, id="seven hours ago"),
        pytest.param(stepped(10, 8.39, 100), 8.39, id="in the middle of an hour"),
        pytest.param(idle_then_on(0.5), 5, id="switched on"),
        pytest.param(idle_then_on(4), 5, id="switched on days ago"),
        pytest.param(np.where(np.arange(10 * DAY) % 11 == 0, np.nan, stepped(10, 7, 200)), 7, id="with holes"),
    ],
)
def test_found(values: FloatArray, day: float) -> None:
    found = find_shift(values, DAY)
    assert found is not None
    assert abs(found.slot / DAY - day) <= 1 / 96
    assert find_shift(values * 1000, DAY).slot == found.slot  # type: ignore[union-attr]


def burst() -> FloatArray:
    values = daily(10, noise=2)
    values[8 * DAY : 8 * DAY + DAY // 6] += 400
    return values


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(daily(10, noise=5), id="daily wave"),
        pytest.param(office(13, noise=3), id="a weekend just past"),
        pytest.param(office(6, noise=3), id="the first weekend"),
        pytest.param(burst(), id="four hours of burst"),
        pytest.param(daily(10, noise=2) + np.linspace(0, 200, 10 * DAY), id="steady growth"),
        pytest.param(RNG.normal(100, 20, 10 * DAY), id="noise"),
        pytest.param(stepped(10, 7, 10), id="small step"),
        pytest.param(stepped(10, 9.9, 200), id="two hours ago: may be a burst"),
        pytest.param(stepped(2, 1, 200), id="two days only"),
        pytest.param(np.full(10 * DAY, 7.0), id="constant"),
        pytest.param(np.full(10 * DAY, np.nan), id="nothing known"),
    ],
)
def test_not_taken_for_a_shift(values: FloatArray) -> None:
    assert find_shift(values, DAY) is None


def test_history_is_moved_to_the_new_level() -> None:
    values = stepped(10, 7, 200, noise=0)
    found = find_shift(values, DAY)
    assert found is not None
    np.testing.assert_allclose(level_out(values, found, signed=False), daily(10) + 200, atol=10)
    down = stepped(10, 7, -80, noise=0) + 60
    assert level_out(down, find_shift(down, DAY), signed=False).min() >= 0  # type: ignore[arg-type]


def test_the_day_after_a_shift_is_foreseen_on_the_new_level_with_the_old_shape() -> None:
    truth = stepped(11, 9.5, 200)
    got = forecast_one(Series(truth[: 10 * DAY], 0, STEP), DAY, effort="batch")
    assert got.shift_at == pytest.approx(9.5 * 86_400, abs=900)
    assert np.abs(got.point - truth[10 * DAY :]).mean() < 10
    assert np.mean(truth[10 * DAY :] <= got.quantiles[0.95]) > 0.9


def test_errors_across_a_shift_do_not_widen_the_quantiles() -> None:
    before = forecast_one(Series(daily(10, noise=2), 0, STEP), DAY)
    after = forecast_one(Series(stepped(10, 7, 400), 0, STEP), DAY)
    width = [np.mean(f.quantiles[0.95] - f.point) for f in (before, after)]
    assert width[1] < 3 * width[0]


def test_no_shift_is_none_and_neighbours_in_a_batch_do_not_matter() -> None:
    plain, shifted = Series(daily(10, noise=2), 0, STEP), Series(stepped(10, 7, 200), 0, STEP)
    first, second = forecast_many([plain, shifted], 12)
    assert first.shift_at is None
    np.testing.assert_array_equal(second.point, forecast_many([shifted], 12)[0].point)


def test_moving_on_keeps_the_shift() -> None:
    got = forecast_one(Series(stepped(10, 7, 200), 0, STEP), 12)
    assert advance([got.state], [[300.0]], 12)[0].shift_at == got.shift_at
