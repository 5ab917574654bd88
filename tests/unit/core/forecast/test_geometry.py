from __future__ import annotations

import numpy as np
import pytest

from presage.core.forecast.geometry import geometry_of


@pytest.mark.parametrize(
    ("step", "seasons", "day", "names", "edges"),
    [
        pytest.param(300, None, 288, ["hour", "day", "week"], (3, 12, 36, 96, 288), id="5 min, to be tested"),
        pytest.param(300, (), 288, ["hour", "day", "week"], (3, 12, 36, 96, 288), id="empty is the same"),
        pytest.param(3600, None, 24, ["day", "week"], (3, 3, 3, 8, 24), id="hourly: short buckets are empty"),
        pytest.param(2, (360,), 180, ["day"], (3, 8, 22, 60, 180), id="compressed day"),
        pytest.param(2, (2520, 360), 180, ["day", "week"], (3, 8, 22, 60, 180), id="compressed week"),
        pytest.param(
            300, (3600, 86400), 288, ["hour", "day"], (3, 12, 36, 96, 288), id="an hour is too short for a day"
        ),
        pytest.param(300, (3600,), 12, ["day"], (3, 3, 3, 4, 12), id="but it is the longest"),
        pytest.param(300, (28800, 86400), 96, ["day", "86400s"], (3, 4, 12, 32, 96), id="shifts of 8 h are the day"),
        pytest.param(600, (300,), 1, [], (3, 3, 3, 3, 3), id="season within a slot is not used"),
    ],
)
def test_geometry(
    step: float, seasons: tuple[int, ...] | None, day: int, names: list[str], edges: tuple[int, ...]
) -> None:
    got = geometry_of(step, seasons)
    assert got.day == day
    assert [s.name for s in got.seasons] == names
    assert got.edges == edges


def test_every_step_has_one_bucket_and_the_last_is_open() -> None:
    geometry = geometry_of(300, None)
    assert geometry.bucket_of(np.array([1, 3, 4, 12, 13, 288, 289, 9999])).tolist() == [0, 0, 1, 1, 2, 4, 4, 4]


@pytest.mark.parametrize(
    ("days", "want"), [(0.5, "Hours"), (1, "Day"), (2.9, "Day"), (3, "Days"), (7.9, "Days"), (8, "Full")]
)
def test_rungs_scale_with_the_day(days: float, want: str) -> None:
    for geometry in (geometry_of(300, None), geometry_of(2, (360,))):
        assert geometry.rung_of(round(days * geometry.day)) == want
