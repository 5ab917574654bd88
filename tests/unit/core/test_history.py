"""Slots: which to ask for, how to split, how answers become a grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from presage.core.history import SlotRange, Slots, plan_missing, plan_span, split_range, to_grid

NAN = np.nan


def slots(first: int, *values: float) -> Slots:
    return Slots(first, np.array(values, np.float32))


@pytest.mark.parametrize(
    ("now", "want"),
    [
        pytest.param(1000.0, SlotRange(90, 99, 10), id="all of history"),
        pytest.param(1009.9, SlotRange(90, 99, 10), id="the running slot is not complete"),
        pytest.param(35.0, SlotRange(0, 2, 10), id="not before the epoch"),
    ],
)
def test_plan_span(now: float, want: SlotRange) -> None:
    assert plan_span(now, 10, 100) == want


@pytest.mark.parametrize(
    ("held", "want"),
    [
        pytest.param(slots(0), SlotRange(90, 99, 10), id="nothing held"),
        pytest.param(slots(88, *[1] * 10), SlotRange(95, 99, 10), id="what is new, and the newest three again"),
        pytest.param(slots(90, *[1] * 10), SlotRange(100, 99, 10), id="nothing new"),
        pytest.param(slots(2, *[1] * 4), SlotRange(90, 99, 10), id="all held is too old"),
        pytest.param(slots(90, 1), SlotRange(90, 99, 10), id="no further back than wanted"),
        pytest.param(slots(94, *[1] * 4), SlotRange(90, 99, 10), id="the front is missing"),
    ],
)
def test_plan_missing(held: Slots, want: SlotRange) -> None:
    assert plan_missing(held, SlotRange(90, 99, 10)) == want


@pytest.mark.parametrize(
    ("held", "fetched", "want"),
    [
        pytest.param(slots(0), slots(5, 1, 2), slots(5, 1, 2), id="nothing held"),
        pytest.param(slots(5, 1, 2), slots(7, 3), slots(5, 1, 2, 3), id="next to it"),
        pytest.param(slots(5, 1, NAN, 3), slots(6, 2, 4, 5), slots(5, 1, 2, 4, 5), id="late samples fill and mend"),
        pytest.param(slots(5, 1, 2), slots(6, NAN, 3), slots(5, 1, 2, 3), id="what was known is not lost"),
        pytest.param(slots(5, 1, 2), slots(8, 3), slots(8, 3), id="a gap"),
        pytest.param(slots(5, 1, 2), slots(3, 3), slots(3, 3), id="before it"),
    ],
)
def test_extend(held: Slots, fetched: Slots, want: Slots) -> None:
    before = fetched.values.copy()
    together = held.extend(fetched)
    assert together.first == want.first
    np.testing.assert_array_equal(together.values, want.values)
    np.testing.assert_array_equal(fetched.values, before)


@given(st.integers(0, 30), st.integers(0, 20), st.integers(-5, 60), st.integers(-5, 60))
def test_clip_keeps_what_lies_within(start: int, count: int, first: int, last: int) -> None:
    clipped = slots(start, *range(start, start + count)).clip(first, last)
    assert list(clipped.values) == [i for i in range(start, start + count) if first <= i <= last]
    assert not len(clipped.values) or clipped.first == clipped.values[0]


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
        pytest.param([(110, 1e300)], [np.nan] * 3, id="too large for a float32"),
        pytest.param([(float("nan"), 1.0), (float("inf"), 1.0)], [np.nan] * 3, id="no times"),
    ],
)
def test_to_grid(samples: list[tuple[float, float]], want: list[float]) -> None:
    np.testing.assert_array_equal(to_grid(samples, SlotRange(10, 12, 10)), np.array(want, np.float32))
