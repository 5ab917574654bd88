from __future__ import annotations

import numpy as np
import pytest

from presage.core.forecast.backtest import Backtest, plan_cuts, plan_steps
from presage.core.forecast.geometry import geometry_of
from presage.core.forecast.select import choose, mix, shares

NAN = float("nan")
GEOMETRY = geometry_of(300, None)


def backtest(errors: list[list[float]]) -> Backtest:
    """Models with one error per cut-off, one row, one step ahead; truths are 0."""
    points = np.array(errors)[:, :, None, None]
    cuts = points.shape[1]
    ahead, bucket = np.ones(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
    return Backtest(ahead, bucket, points, np.zeros((cuts, 1, 1)), np.ones(cuts))


@pytest.mark.parametrize(
    ("errors", "keep", "want"),
    [
        pytest.param([[1.0] * 6, [1.0] * 6], [False, False], [0.5, 0.5], id="equal errors, equal shares"),
        pytest.param(
            [[1.0] * 6, [1.25] * 6], [False, False], [1 / (1 + 0.8**8), 0.8**8 / (1 + 0.8**8)], id="eighth power"
        ),
        pytest.param([[1.0] * 6, [1.6] * 6], [False, False], [1, 0], id="dropped above 1.5 times the best"),
        pytest.param([[1.0] * 6, [2.0] * 6], [False, True], [256 / 257, 1 / 257], id="the seasonal naive is kept"),
        pytest.param([[0.0] * 6, [1.0] * 6], [False, False], [1, 0], id="a perfect model takes all"),
        pytest.param([[0.0] * 6, [0.0] * 6], [False, False], [0.5, 0.5], id="two perfect models share"),
        pytest.param([[1.0] * 6, [NAN] * 5 + [0.1]], [False, False], [1, 0], id="tried too rarely"),
        pytest.param(
            [[1, 1, 1, 1, 1, 1, 3, 3, 3, 3, 3, 3], [1] * 6 + [NAN] * 6],
            [False, False],
            [0.5, 0.5],
            id="compared on the cut-offs that both could be tried on",
        ),
    ],
)
def test_weights(errors: list[list[float]], keep: list[bool], want: list[float]) -> None:
    choice = choose(backtest(errors), np.array(keep))
    np.testing.assert_allclose(choice.weights[:, 0, 0], want)
    assert not choice.median[0, 0]


def test_too_few_cuts_choose_nothing() -> None:
    choice = choose(backtest([[1.0] * 5, [9.0] * 5]), np.zeros(2, dtype=bool))
    assert choice.median.all()
    points = np.array([1.0, 2.0, 30.0])[:, None, None, None]
    got = mix(points, np.full((3, 5, 1), 1 / 3), np.ones((5, 1), dtype=bool), np.array([0]))
    assert got.item() == 2.0


def test_the_share_of_a_silent_model_goes_to_the_others() -> None:
    points = np.array([[10.0, 10.0], [20.0, NAN]])[:, None, :, None]
    weights = np.full((2, 5, 1), 0.5)
    bucket = np.array([0, 0])
    got = mix(points, weights, np.zeros((5, 1), dtype=bool), bucket)
    assert got[0, :, 0].tolist() == [15.0, 10.0]
    np.testing.assert_allclose(shares(points[:, 0], weights, bucket), [[0.75], [0.25]])


def test_models_that_a_row_may_not_use_stay_out_of_the_median() -> None:
    points = np.array([1.0, 2.0, 30.0, 40.0])[:, None, None, None]
    weights = np.array([0.25, 0.25, 0.25, 0.0])[:, None, None] * np.ones((1, 5, 1))
    assert mix(points, weights, np.ones((5, 1), dtype=bool), np.array([0])).item() == 2.0


def test_cuts_over_a_week_meet_all_hours_of_the_day() -> None:
    cuts = plan_cuts(20 * 288, 20 * 288, GEOMETRY, 24)
    assert len({(c % 288) // 12 for c in cuts.tolist()}) == 24
    assert cuts.max() < 20 * 288
    assert cuts.min() >= 13 * 288 - 1


def test_cuts_leave_a_day_before_the_oldest() -> None:
    assert plan_cuts(3 * 288, 3 * 288, GEOMETRY, 24).min() >= 288 - 1


@pytest.mark.parametrize("horizon", [1, 2, 12, 13, 288, 600])
def test_scored_steps_are_within_the_horizon_and_reach_both_ends(horizon: int) -> None:
    steps = plan_steps(GEOMETRY, horizon)
    assert steps[0] == 1
    assert steps[-1] == horizon
    assert (np.diff(steps) > 0).all()
