from __future__ import annotations

import numpy as np
import pytest

from presage.core.forecast.rivals import fill_gaps, naive_forecasts

NAN = float("nan")


def test_each_repeats_what_its_name_says() -> None:
    history = np.arange(32.0)  # eight days of four slots
    found = naive_forecasts(history, 4, 4, (0.5, 0.9))
    assert found["lastValue"].point.tolist() == [31.0] * 4
    assert found["yesterday"].point.tolist() == [28.0, 29.0, 30.0, 31.0]
    assert found["lastWeek"].point.tolist() == [4.0, 5.0, 6.0, 7.0]
    assert found["yesterday"].quantiles[0.9].tolist() == [32.0, 33.0, 34.0, 35.0], "each day was higher by four"


def test_without_eight_days_last_week_is_yesterday() -> None:
    found = naive_forecasts(np.arange(31.0), 4, 4, (0.5,))
    assert found["lastWeek"].point.tolist() == found["yesterday"].point.tolist()


def test_quantiles_are_ordered_and_none_of_a_load_is_negative() -> None:
    history = np.random.default_rng(1).exponential(1, 200)
    for curves in naive_forecasts(history, 24, 24, (0.05, 0.3, 0.5, 0.9, 0.95)).values():
        stacked = np.stack([curves.quantiles[level] for level in (0.05, 0.3, 0.5, 0.9, 0.95)])
        assert (np.diff(stacked, axis=0) >= 0).all()
        assert stacked.min() >= 0
    signed = naive_forecasts(history - 5, 24, 24, (0.05,))
    assert signed["lastValue"].quantiles[0.05].min() < 0


@pytest.mark.parametrize(
    ("history", "want"),
    [
        pytest.param([1, 2, 3, 4, NAN, 6, 7, 8], [1, 2, 3, 4, 5, 6, 7, 8], id="a short gap: a line"),
        pytest.param(
            [1, 2, 3, 4, 5, 6, 7, 8, NAN, NAN, NAN, NAN, 9], [1, 2, 3, 4, 5, 6, 7, 8, 5, 6, 7, 8, 9], id="long"
        ),
        pytest.param([NAN, NAN, 3, NAN], [3, 3, 3, 3], id="ends: the nearest value"),
        pytest.param([NAN], [NAN], id="nothing known"),
    ],
)
def test_gaps(history: list[float], want: list[float]) -> None:
    np.testing.assert_equal(fill_gaps(np.array(history, dtype=float), 4), np.array(want, dtype=float))


@pytest.mark.parametrize("history", [[5.0], [NAN, 5.0], [5.0, 5.0]])
def test_one_known_value_is_enough(history: list[float]) -> None:
    for curves in naive_forecasts(np.array(history), 4, 9, (0.5, 0.95)).values():
        assert curves.point.tolist() == curves.quantiles[0.95].tolist() == [5.0] * 9
