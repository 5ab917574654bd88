"""What would have been forecast in the past: the same as was, forecast by forecast."""

from __future__ import annotations

import numpy as np
import pytest

from presage.core.forecast.api import Series, advance, forecast_one
from presage.core.forecast.hindsight import look_back

DAY, LEVELS, HORIZON = 96, (0.5, 0.9, 0.99), 12
ORIGINS = [300, 301, 305, 310, 330, 331, 340]


def wave() -> Series:
    at = np.arange(4 * DAY)
    values = 100 + 60 * np.sin(2 * np.pi * at / DAY) + np.random.default_rng(4).normal(0, 5, len(at))
    values[310:313] = np.nan
    return Series(values, 480.0, 5.0, (480,))


@pytest.mark.parametrize("fits", [1, 3, 100])
@pytest.mark.parametrize("window", [200, 10_000])
def test_as_a_running_operator_would_have_forecast(fits: int, window: int) -> None:
    series = wave()
    got = look_back(series, ORIGINS, HORIZON, LEVELS, fits, window)
    assert got.shape == (len(ORIGINS), len(LEVELS), HORIZON)
    for number, origin in enumerate(ORIGINS):
        fitted_at = ORIGINS[number // fits * fits]
        first = max(0, fitted_at - window)
        known = Series(series.values[first:fitted_at], series.start + first * 5.0, 5.0, (480,))
        fitted = forecast_one(known, HORIZON, LEVELS, effort="batch")
        (want,) = advance([fitted.state], [np.asarray(series.values[fitted_at:origin])], HORIZON, LEVELS)
        for column, level in enumerate(LEVELS):
            np.testing.assert_allclose(got[number, column], want.quantiles[level], rtol=1e-9)


def test_the_future_is_not_known() -> None:
    series = wave()
    values = np.array(series.values)
    values[320:] = 1e6
    one = look_back(series, ORIGINS, HORIZON, LEVELS, 2, 10_000)
    other = look_back(Series(values, series.start, 5.0, (480,)), ORIGINS, HORIZON, LEVELS, 2, 10_000)
    np.testing.assert_allclose(one[:4], other[:4], rtol=1e-9)
    assert abs(one[4:] - other[4:]).max() > 1000


def test_no_origin() -> None:
    assert look_back(wave(), [], HORIZON, LEVELS, 6, 200).shape == (0, len(LEVELS), HORIZON)
