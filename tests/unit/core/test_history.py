"""Slots: which to ask for, how to split, how answers become a grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from presage.core.history import SlotRange, plan_missing, split_range, to_grid


@pytest.mark.parametrize(
    ("known", "now", "want"),
    [
        pytest.param(None, 1000.0, SlotRange(90, 99, 10), id="nothing held: all of history"),
        pytest.param(97, 1000.0, SlotRange(98, 99, 10), id="only what is new"),
        pytest.param(99, 1009.9, SlotRange(100, 99, 10), id="the running slot is not complete"),
        pytest.param(5, 1000.0, SlotRange(90, 99, 10), id="what is too old is not asked for"),
        pytest.param(None, 35.0, SlotRange(0, 2, 10), id="not before the epoch"),
    ],
)
def test_plan_missing(known: int | None, now: float, want: SlotRange) -> None:
    assert plan_missing(known, now, 10, 100) == want


@given(st.integers(0, 10**6), st.integers(-5, 40_000), st.integers(1, 12_000))
def test_parts_cover_once(first: int, count: int, most: int) -> None:
    wanted = SlotRange(first, first + count - 1, 15)
    parts = list(split_range(wanted, most))
    assert all(0 < len(part) <= most for part in parts)
    assert [i for part in parts for i in (part.first, part.last)] == sorted(
        i for part in parts for i in (part.first, part.last)
    )
    assert sum(len(part) for part in parts) == len(wanted)


@pytest.mark.parametrize(
    ("samples", "want"),
    [
        pytest.param([(110, 1.0), (120, 2.0)], [1, 2, np.nan], id="value at the slot's end"),
        pytest.param([(120, 2.0), (110, 1.0)], [1, 2, np.nan], id="order does not matter"),
        pytest.param([(110, 1.0), (110, 5.0)], [5, np.nan, np.nan], id="of duplicates the later counts"),
        pytest.param([(115, 1.0)], [np.nan] * 3, id="between slots"),
        pytest.param([(90, 1.0), (500, 1.0)], [np.nan] * 3, id="outside"),
        pytest.param([(110, float("nan")), (120, float("inf")), (130, -1.0)], [np.nan] * 3, id="no loads"),
        pytest.param([(float("nan"), 1.0), (float("inf"), 1.0)], [np.nan] * 3, id="no times"),
    ],
)
def test_to_grid(samples: list[tuple[float, float]], want: list[float]) -> None:
    np.testing.assert_array_equal(to_grid(samples, SlotRange(10, 12, 10)), np.array(want, np.float32))
