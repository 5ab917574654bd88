from __future__ import annotations

import numpy as np
import pytest

from presage.core.forecast.step import choose_step, finest_step

DAY = 86_400


def every(seconds: float, days: float = 4) -> np.ndarray:
    return 1.7e9 + np.arange(0, days * DAY, seconds)


@pytest.mark.parametrize(
    ("times", "horizon_s", "seasons", "want"),
    [
        pytest.param(every(15), DAY, (), 300, id="scrapes: the modelling step"),
        pytest.param(every(300), DAY, (), 300, id="five minutes"),
        pytest.param(every(60), 600, (), 60, id="a short horizon: a minute"),
        pytest.param(every(300), 600, (), 300, id="a short horizon, but coarse samples"),
        pytest.param(every(1800), DAY, (), 1800, id="half an hour"),
        pytest.param(every(420), DAY, (), 600, id="seven minutes: the next larger one"),
        pytest.param(every(3600), DAY, (), 3600, id="an hour"),
        pytest.param(every(300)[::-1], DAY, (), 300, id="backwards"),
        pytest.param(every(300)[~((np.arange(1152) > 300) & (np.arange(1152) < 700))], DAY, (), 300, id="a hole"),
        pytest.param(every(1, 0.02), DAY, (480,), 5, id="a day of eight minutes"),
        pytest.param(every(60), DAY, (3600, DAY), 300, id="seasons of an hour and a day"),
        pytest.param(np.array([1.7e9]), DAY, (), 300, id="one sample"),
    ],
)
def test_step(times: np.ndarray, horizon_s: float, seasons: tuple[int, ...], want: int) -> None:
    assert choose_step(times, finest_step(horizon_s, seasons)) == want


def test_no_step_is_too_fine() -> None:
    assert finest_step(DAY, (24,)) == 1


def test_samples_of_a_day_each_are_refused() -> None:
    with pytest.raises(ValueError, match="the samples lie 86400 s apart, too far for a daily rhythm: give --step"):
        choose_step(every(DAY, 60), finest_step(DAY))
