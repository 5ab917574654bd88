from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from presage.core.forecast.arrays import NETWORKS, box_mean, sort_aligned, zero_missing

NAN = float("nan")


@pytest.mark.parametrize("count", NETWORKS)
def test_networks_sort_every_pattern_of_zeros_and_ones(count: int) -> None:
    """By the zero-one principle they then sort everything."""
    patterns = np.array(list(product([0.0, 1.0], repeat=count))).T
    np.testing.assert_array_equal(np.stack(sort_aligned(list(patterns))), np.sort(patterns, axis=0))


@pytest.mark.parametrize("count", NETWORKS)
def test_a_missing_entry_shows_in_the_middle(count: int) -> None:
    for place in range(count):
        parts = [np.array([float(i), NAN if i == place else 1.0]) for i in range(count)]
        middle = sort_aligned(parts)[count // 2]
        assert np.isnan(middle).tolist() == [False, True]


@pytest.mark.parametrize("half", [1, 2, 3, 6, 7])
def test_box_mean_is_the_mean_of_what_is_known_nearby(half: int) -> None:
    values = np.random.default_rng(half).random((40, 2))
    values[5:25, 1] = NAN
    want = np.full_like(values, NAN)
    for i, j in np.ndindex(*values.shape):
        near = values[max(0, i - half) : i + half + 1, j]
        if np.isfinite(near).any():
            want[i, j] = np.nanmean(near)
    np.testing.assert_allclose(box_mean(values, half), want)
    np.testing.assert_allclose(box_mean(values[:, :1], half), want[:, :1])


def test_zero_missing_says_where_values_are_known() -> None:
    values, known = zero_missing(np.array([1.0, NAN]))
    assert values.tolist() == [1.0, 0.0]
    assert known is not None
    assert known.tolist() == [True, False]
    assert zero_missing(np.ones(2))[1] is None
