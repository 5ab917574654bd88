from __future__ import annotations

import numpy as np
import pytest

from presage.core.forecast.accuracy import coverage, mase, pinball_loss, weighted_quantile_loss

NAN = float("nan")


@pytest.mark.parametrize(
    ("truth", "point", "history", "want"),
    [
        pytest.param([2.0, 4.0], [1.0, 5.0], [0.0, 0.0, 2.0, 2.0], 0.5, id="error 1 over season step 2"),
        pytest.param([NAN, 4.0], [1.0, 6.0], [0.0, 0.0, 2.0, 2.0], 1.0, id="missing truth skipped"),
        pytest.param([4.0], [4.0], [0.0, NAN, 2.0, 2.0], 0.0, id="missing history skipped"),
        pytest.param([NAN], [4.0], [0.0, 0.0, 2.0, 2.0], NAN, id="no truth"),
        pytest.param([1.0], [2.0], [5.0, 5.0, 5.0, 5.0], 200.0, id="history repeats exactly: the floor"),
        pytest.param([1.0], [2.0], [5.0], 200.0, id="history shorter than the season: the floor"),
        pytest.param([1.0], [2.0], [NAN], NAN, id="no history"),
    ],
)
def test_mase(truth: list[float], point: list[float], history: list[float], want: float) -> None:
    got = mase(np.array(truth), np.array(point), np.array(history), season=2)
    np.testing.assert_allclose(got, want)


def test_mase_of_many_rows_is_that_of_each() -> None:
    rng = np.random.default_rng(0)
    truth, point, history = rng.normal(size=(3, 4)), rng.normal(size=(3, 4)), rng.normal(size=(3, 20))
    each = [mase(truth[i], point[i], history[i], 5) for i in range(3)]
    np.testing.assert_allclose(mase(truth, point, history, 5), each)


@pytest.mark.parametrize(
    ("level", "truth", "want"),
    [
        pytest.param(0.9, 12.0, 1.8, id="above the 0.9-quantile costs 0.9 per unit"),
        pytest.param(0.9, 8.0, 0.2, id="below it costs 0.1"),
        pytest.param(0.5, 8.0, 1.0, id="half the absolute error at the median"),
        pytest.param(0.9, NAN, NAN, id="missing"),
    ],
)
def test_pinball_loss(level: float, truth: float, want: float) -> None:
    np.testing.assert_allclose(pinball_loss(np.array([truth]), np.array([10.0]), level), [want])


def test_weighted_quantile_loss() -> None:
    truth = np.array([10.0, 20.0, NAN])
    got = weighted_quantile_loss(truth, {0.5: np.array([8.0, 22.0, 5.0]), 0.9: np.array([10.0, 20.0, 5.0])})
    np.testing.assert_allclose(got, 2 * (1.0 + 1.0) / 2 / 30)
    assert np.isnan(weighted_quantile_loss(np.zeros(3), {0.5: np.ones(3)}))


def test_coverage() -> None:
    got = coverage(np.array([[1.0, 2.0, NAN, 4.0], [NAN] * 4]), np.full((2, 4), 2.0))
    np.testing.assert_allclose(got, [2 / 3, NAN])


def test_wrong_arguments_are_refused() -> None:
    one = np.ones(3)
    with pytest.raises(ValueError, match="season"):
        mase(one, one, one, 0)
    with pytest.raises(ValueError, match="level"):
        pinball_loss(one, one, 1.0)
    with pytest.raises(ValueError, match="quantile"):
        weighted_quantile_loss(one, {})
