from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presage.dataplane.demo.schedule import RateSchedule, parse_schedule, render_schedule

RATES = st.lists(st.floats(0, 500), min_size=1, max_size=40)


def test_requests_are_evenly_spaced_at_a_steady_rate() -> None:
    offsets = list(RateSchedule(0.0, 1.0, (10.0, 10.0)).due_offsets())
    assert offsets == pytest.approx([0.05 + i * 0.1 for i in range(20)])


def test_a_quiet_slot_sends_nothing() -> None:
    offsets = list(RateSchedule(0.0, 1.0, (2.0, 0.0, 2.0)).due_offsets())
    assert offsets == pytest.approx([0.25, 0.75, 2.25, 2.75])


@given(RATES, st.floats(0.1, 5))
def test_each_stretch_sends_its_share(rates: list[float], step: float) -> None:
    schedule = RateSchedule(100.0, step, tuple(rates))
    offsets = list(schedule.due_offsets())
    assert offsets == sorted(offsets)
    assert all(0 <= offset <= schedule.duration_seconds + 1e-6 for offset in offsets)
    for slot in range(1, len(rates) + 1):
        due = sum(offset < slot * step - 1e-9 for offset in offsets)
        assert abs(due - sum(rates[:slot]) * step) <= 1.01


def test_what_is_written_is_read_back() -> None:
    schedule = RateSchedule(1_700_000_000.0, 0.25, (1.5, 400.0))
    assert parse_schedule(render_schedule(schedule)) == schedule


BAD = {
    "not JSON": "rates",
    "no rates": json.dumps({"startEpoch": 1, "stepSeconds": 1, "rates": []}),
    "negative rate": json.dumps({"startEpoch": 1, "stepSeconds": 1, "rates": [1, -1]}),
    "infinite rate": '{"startEpoch": 1, "stepSeconds": 1, "rates": [Infinity]}',
    "no step": json.dumps({"startEpoch": 1, "stepSeconds": 0, "rates": [1]}),
    "missing field": json.dumps({"stepSeconds": 1, "rates": [1]}),
    "not an object": "[1, 2]",
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_what_cannot_be_replayed_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_schedule(text)
