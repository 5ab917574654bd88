from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presage.dataplane.demo.work_queue import WorkQueue

GAPS = st.lists(st.floats(0, 0.2), max_size=200)


def test_an_idle_server_takes_one_service_time() -> None:
    assert WorkQueue(40, 1.0).admit(10.0) == pytest.approx(10.025)


def test_a_burst_is_served_one_after_the_other_up_to_the_bound() -> None:
    queue = WorkQueue(10, 0.5)
    finishes = [queue.admit(0.0) for _ in range(8)]
    assert finishes[:5] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])
    assert finishes[5:] == [None, None, None]


def test_a_refused_request_costs_nothing() -> None:
    queue = WorkQueue(10, 0.1)
    assert queue.admit(0.0) == pytest.approx(0.1)
    assert queue.admit(0.05) is None
    assert queue.admit(0.1) == pytest.approx(0.2)


@given(GAPS, st.floats(5, 100), st.floats(0.2, 2))
def test_never_faster_than_capacity_and_never_later_than_the_bound(
    gaps: list[float], capacity: float, bound: float
) -> None:
    queue, now, last = WorkQueue(capacity, bound), 0.0, float("-inf")
    for gap in gaps:
        now += gap
        finish = queue.admit(now)
        if finish is not None:
            assert finish - now <= bound + 1e-6
            assert finish - last >= 1 / capacity - 1e-9
            last = finish


@pytest.mark.parametrize(("capacity", "bound"), [(0.0, 1.0), (-1.0, 1.0), (float("nan"), 1.0), (2.0, 0.4)])
def test_a_queue_that_cannot_serve_is_refused(capacity: float, bound: float) -> None:
    with pytest.raises(ValueError, match=r"."):
        WorkQueue(capacity, bound)
