from __future__ import annotations

import numpy as np
import pytest

from presage.core.forecast.conformal import (
    LEVELS,
    adapt,
    adapted,
    at_level,
    complete,
    count_below,
    error_grid,
    pool_errors,
    share_covered,
)

BUCKET = np.array([0, 0])


def test_grid_holds_finite_sample_quantiles() -> None:
    errors = np.arange(-49.0, 50.0).reshape(99, 1, 1)
    grid = error_grid(pool_errors(errors, np.array([0])))[0, 0]
    np.testing.assert_allclose(grid, 100 * LEVELS - 50, atol=1e-9)


def test_offsets_do_not_cross_the_median() -> None:
    errors = np.linspace(5, 9, 60).reshape(30, 2, 1)
    grid = error_grid(pool_errors(errors, BUCKET))[0, 0]
    assert (grid[LEVELS <= 0.5] == 0).all()
    assert (np.diff(grid) >= 0).all()
    assert grid[-1] == pytest.approx(9)


def test_missing_errors_do_not_count() -> None:
    errors = np.full((40, 2, 1), np.nan)
    errors[:20, 0, 0] = np.linspace(-1, 1, 20)
    full = error_grid(pool_errors(errors[:20, :1], np.array([0])))
    np.testing.assert_allclose(error_grid(pool_errors(errors, BUCKET))[0, 0], full[0, 0])


def test_too_few_errors_tell_nothing_and_neighbours_stand_in() -> None:
    errors = np.full((12, 3, 1), np.nan)
    errors[:, 1, 0] = np.linspace(-1, 1, 12)
    errors[:5, 2, 0] = 7.0
    grid = error_grid(pool_errors(errors, np.array([0, 1, 2])))
    assert np.isnan(grid[0, [0, 2, 3, 4]]).all()
    filled = complete(grid)
    for bucket in (0, 2, 3, 4):
        np.testing.assert_array_equal(filled[0, bucket], grid[0, 1])


@pytest.mark.parametrize(("level", "want"), [(0.5, 7.0), (0.9, 11.0), (0.85, 10.5), (0.001, 0.0), (0.999, 14.0)])
def test_any_level_can_be_asked(level: float, want: float) -> None:
    assert at_level(np.arange(15.0), level) == pytest.approx(want)


def test_coverage_counts_truths_at_or_below() -> None:
    grid = np.zeros((1, 5, len(LEVELS)))
    grid[0, 0] = np.arange(15.0)
    errors = np.array([[3.0, np.nan], [20.0, 0.0]])[:, :, None]
    below, seen = count_below(pool_errors(errors, BUCKET), grid)
    assert seen.tolist() == [3]
    assert below[0, 0] == 1
    assert below[0, 3] == 2
    assert below[0, 14] == 2


def test_coverage_is_measured_on_cut_offs_that_did_not_calibrate() -> None:
    errors = np.random.default_rng(0).normal(size=(400, 2, 1))
    below, seen = share_covered(errors, BUCKET, np.full(5, 400.0))
    assert seen[0] == 800
    np.testing.assert_allclose(below[0] / seen[0], LEVELS, atol=0.04)


@pytest.mark.parametrize(("covered", "want"), [(0.0, 1.8), (0.8, np.exp(0.5)), (0.9, 1.0), (1.0, 0.65)])
def test_quantiles_follow_realised_coverage(covered: float, want: float) -> None:
    got = adapt(np.ones(1), np.full((1, len(LEVELS)), 100 * covered), np.array([100.0]))
    np.testing.assert_allclose(got, want)


def test_an_adapted_grid_is_wider_or_narrower_in_order_with_the_same_median() -> None:
    grid = np.sort(np.random.default_rng(1).normal(size=(3, 5, len(LEVELS))), axis=2)
    grid -= grid[..., [7]]
    wide, narrow = adapted(grid, np.full(3, 3.0)), adapted(grid, np.full(3, 0.8))
    assert (np.diff(wide, axis=2) >= 0).all()
    assert (wide[..., 8:] >= grid[..., 8:]).all()
    assert (wide[..., :7] <= grid[..., :7]).all()
    assert wide.max() > grid.max(), "beyond what the backtest has seen"
    assert (narrow[..., 8:] <= grid[..., 8:]).all()
    np.testing.assert_allclose(wide[..., 7], 0, atol=1e-12)
    np.testing.assert_array_equal(adapted(grid, np.ones(3)), grid)


def test_a_stretch_fades() -> None:
    promised = np.full((1, len(LEVELS)), 90.0)
    got = adapt(np.array([1.8]), promised, np.array([100.0]))
    assert 1 < got[0] < 1.3
