from __future__ import annotations

import numpy as np
import pytest

from presage.core.forecast.block import Block
from presage.core.forecast.engine import back_slots
from presage.core.forecast.gaps import fill_gaps
from presage.core.forecast.geometry import Season, geometry_of
from presage.core.forecast.pool import pool_of, predict_all

NAN = float("nan")
GEOMETRY = geometry_of(3600, (8 * 3600,))  # a "day" of 8 slots


@pytest.mark.parametrize(
    ("values", "want"),
    [
        pytest.param([1, NAN, 3], [1, 2, 3], id="short gap: a line"),
        pytest.param([1, NAN, NAN, NAN, NAN, 6], [1, 2, 3, 4, 5, 6], id="four slots are short"),
        pytest.param([NAN, NAN, 3], [NAN, NAN, 3], id="before the start stays open"),
        pytest.param([1, 2, NAN], [1, 2, 2], id="open end holds the last value"),
        pytest.param(
            [1, 2, 3, 4, 5, 6, 7, 8, *[NAN] * 5, 0], [1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 0], id="day back"
        ),
        pytest.param([1, 2, 3, 4, 5, 6, 7, 8, *[NAN] * 10], [1, 2, 3, 4, 5, 6, 7, 8] * 2 + [1, 2], id="days on end"),
        pytest.param([5, *[NAN] * 5, 9], [5, 5, 5, 5, 5, 5, 9], id="no day back: hold"),
    ],
)
def test_fill_gaps(values: list[float], want: list[float]) -> None:
    got = fill_gaps(np.array([values], dtype=float), GEOMETRY)
    np.testing.assert_array_equal(got, [want])


def test_filling_leaves_its_input_alone() -> None:
    values = np.array([[1.0, NAN, 3.0]])
    fill_gaps(values, GEOMETRY)
    assert np.isnan(values[0, 1])


def test_lags_reach_back_whole_seasons_and_repeat_beyond_one() -> None:
    block = Block([np.arange(24.0)], GEOMETRY, back=24, ahead=20)
    season = GEOMETRY.seasons[0]
    got = block.at_targets("lag", block.lag(season, 1), season, np.array([24]), np.arange(1, 21))
    assert got[0, :, 0].tolist() == [16 + i % 8 for i in range(20)]


def test_a_season_of_a_fraction_of_a_slot_never_looks_at_the_future() -> None:
    season = Season("odd", 0, 7.6)
    block = Block([np.arange(60.0)], GEOMETRY, back=60, ahead=40)
    for cut in (30, 60):
        got = block.at_targets("lag", block.lag(season, 1), season, np.array([cut]), np.arange(1, 41))[0, :, 0]
        assert got.max() < cut
        assert got.min() >= cut - 10


@pytest.mark.parametrize("holes", [False, True])
def test_a_block_for_one_cut_off_holds_what_the_models_look_up(holes: bool) -> None:
    geometry = geometry_of(3600.0, None)
    rows = [np.random.default_rng(n).normal(10, 1, 40 * 24) for n in range(3)]
    if holes:
        rows[1][100:109] = rows[1][-30:-20] = np.nan
    back = back_slots(geometry)
    whole, sparse = (Block(rows, geometry, back=back, ahead=24, sparse=s) for s in (False, True))
    cuts, steps = np.array([whole.width]), np.arange(1, 25)
    wanted = np.ones((len(pool_of(geometry)), 3), dtype=bool)
    said = [predict_all(pool_of(geometry), block, cuts, steps, wanted) for block in (whole, sparse)]
    np.testing.assert_array_equal(said[1], said[0])
