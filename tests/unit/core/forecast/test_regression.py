from __future__ import annotations

import numpy as np
import pytest

from presage.core.forecast import regression
from presage.core.forecast.api import Effort, Forecast, Series, forecast_one
from presage.core.forecast.geometry import geometry_of
from presage.core.forecast.types import FloatArray
from tests.unit.core.forecast.histories import DAY, STEP, daily

GEOMETRY = geometry_of(STEP, None)
RNG = np.random.default_rng(5)


@pytest.mark.parametrize(
    ("step", "ahead", "want"),
    [
        pytest.param(300, [1, 2, 3, 4, 12, 13, 36, 37, 288, 999], [0, 1, 2, 3, 3, 4, 4, 5, 6, 6], id="5 min"),
        pytest.param(3600, [1, 2, 3, 4, 8, 9, 24], [0, 1, 2, 5, 5, 6, 6], id="an hour: short runs fall together"),
    ],
)
def test_steps_share_coefficients(step: int, ahead: list[int], want: list[int]) -> None:
    assert regression.knot_of(geometry_of(step, None), np.array(ahead)).tolist() == want


def wandering(days: int, memory: float) -> FloatArray:
    """A daily wave off which the load wanders, and to which it returns."""
    off = np.zeros(days * DAY)
    for i in range(1, len(off)):
        off[i] = memory * off[i - 1] + RNG.normal(0, 3)
    return daily(days) + 100 + off


def error(effort: Effort, load: FloatArray, horizon: int) -> float:
    starts = range(12 * DAY, len(load) - horizon, DAY // 2 + 5)
    said = [forecast_one(Series(load[:n], 0, STEP), horizon, effort=effort).point for n in starts]
    return float(np.mean([np.abs(p - load[n : n + horizon]).mean() for p, n in zip(said, starts, strict=True)]))


def test_it_learns_how_fast_a_load_returns_to_its_usual_course() -> None:
    load = wandering(18, 0.9)
    assert error("full", load, 12) < 0.95 * error("batch", load, 12)


def full(load: FloatArray) -> Forecast:
    return forecast_one(Series(load, 0, STEP), 12)


def test_it_reports_loss_and_weight_like_any_other_model() -> None:
    got = full(wandering(14, 0.9))
    assert got.weights[regression.NAME] > 0.1
    assert np.isfinite(got.backtest[regression.NAME][0])
    batch = forecast_one(Series(wandering(14, 0.9), 0, STEP), 12, effort="batch")
    assert regression.NAME not in batch.weights
    assert np.isnan(batch.backtest[regression.NAME]).all()


@pytest.mark.parametrize("days", [0.5, 1, 3])
def test_it_waits_for_enough_days(days: float) -> None:
    assert regression.NAME not in full(daily(days, noise=3)).weights


@pytest.mark.parametrize(
    "load",
    [
        pytest.param(np.full(9 * DAY, 5.0), id="constant"),
        pytest.param(np.zeros(9 * DAY), id="zero"),
        pytest.param(daily(9), id="repeats exactly"),
        pytest.param(np.where(np.arange(9 * DAY) % 3 == 0, 5.0, np.nan), id="two thirds missing"),
        pytest.param(np.where(np.arange(9 * DAY) == 8 * DAY, 1e12, 1.0), id="one spike"),
    ],
)
def test_what_is_hardly_a_load_gives_finite_forecasts(load: FloatArray) -> None:
    assert np.isfinite(full(load).point).all()


def test_coefficients_on_models_say_the_same_as_on_their_distance_to_the_mix() -> None:
    points, share = RNG.normal(10, 2, 4), np.array([0.4, 0.3, 0.2, 0.1])
    slope, deviations = RNG.normal(0, 1, 4 + regression.RECENT_FEATURES), RNG.normal(0, 1, regression.RECENT_FEATURES)
    mix = share @ points
    want = mix + slope[:4] @ (points - mix) + slope[4:] @ deviations
    got = regression.predict(
        regression._on_models(slope, share)[:, None, None],
        points[:, None, None, None],
        np.full((1, 1, 1), mix),
        deviations[:, None, None],
        np.array([0]),
    )
    assert got.item() == pytest.approx(want)


def test_without_a_day_is_as_if_the_day_had_not_been() -> None:
    features, age = RNG.normal(0, 1, (400, 3)), np.linspace(0, 7.99, 400)
    errors = features @ np.array([1.0, -2.0, 0.0]) + RNG.normal(0, 0.1, 400)
    errors[age < 1] += 50
    solved = regression._solve(regression._Examples(features, errors, age))
    assert solved is not None
    slopes = dict(solved.without(np.array([0.0, 3.0])))
    np.testing.assert_allclose(slopes[0.0], [1, -2, 0], atol=0.05)
    assert np.abs(slopes[3.0] - [1, -2, 0]).max() > 0.05
