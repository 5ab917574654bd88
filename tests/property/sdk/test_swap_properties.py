"""Whatever profiles come in whatever order: every event is counted, and memory stays within the caps."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from presage.core.recording.types import MetricSettings, RecordingProfile
from presage.sdk.plans import Builder, EventState
from presage.sdk.tables import Table

NAMES = ("route", "outcome", "region")
METRICS = st.dictionaries(
    st.sampled_from(["requests", "errors", "latency", "cpu", "payload", "queue_time"]),
    st.builds(
        MetricSettings,
        st.sampled_from([1, 2, 7, 100]),
        st.lists(st.sampled_from(NAMES), unique=True).map(tuple),
        st.sampled_from(["2h", "15d"]),
    ),
)
STEPS = st.lists(st.tuples(METRICS, st.integers(0, 30)), min_size=1, max_size=8)


def test_a_table_has_one_use() -> None:
    """What `requests` has counted is not where `events` begins, though both have the same attributes."""
    one, two = MetricSettings(1, ("route",)), MetricSettings(1, ())
    builder = Builder("order", "presage.order.", 1, 8, lambda *_: lambda *_: None, lambda: 0)
    first = builder.build(EventState(), RecordingProfile("A", {"requests": two, "errors": one}), {})
    first.plan.finish({"route": "/"}, 0.1, False, None)
    second = builder.build(first, RecordingProfile("B", {"requests": two}), {})
    (events,) = (series for series in second.series if series.name == "presage.order.events")
    assert [value for _, value in events.read()] == []


@settings(max_examples=60, deadline=None)
@given(steps=STEPS, routes=st.integers(1, 12))
def test_no_change_of_profiles_loses_an_event(
    steps: list[tuple[Mapping[str, MetricSettings], int]], routes: int
) -> None:
    kept: list[float] = []
    state, served, seen = EventState(), 0, {}
    builder = Builder("order", "presage.order.", 1, 8, lambda *_: lambda value, _: kept.append(value), lambda: served)
    for metrics, number in steps:
        state = builder.build(state, RecordingProfile("Any", metrics), {})
        for series in state.series:
            if series.name == "presage.order.events":
                seen[id(series.table)] = series.table
        for index in range(number):
            attributes: dict[str, object] = {"route": f"/{index % routes}", "outcome": "ok"}
            state.plan.finish(attributes, 0.1, index % 5 == 0, None)
        served += number
        assert all(len(table.all_cells()) <= 9 for table in state.tables.values())
        assert {live.made_for[0] for live in state.live.values()} <= set(metrics.values())
    assert sum(count(table) for table in seen.values()) == served


def count(table: Table) -> int:
    return sum(cell.count for cell in table.all_cells())
