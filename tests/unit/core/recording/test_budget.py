"""The budget guard: what it raises, how far, and what it says when that is not enough."""

from __future__ import annotations

from dataclasses import replace

import pytest

from presage.core.recording.budget import (
    INTERVAL,
    MAX_EVERY_EVENTS,
    MAX_INTERVAL_S,
    Guarded,
    Means,
    Planned,
    Raise,
    guard,
    measure_bytes,
    measure_cores,
)
from presage.core.recording.catalogue import BUILT_IN
from presage.core.recording.costs import COSTS
from presage.core.recording.spec import Budget
from presage.core.recording.types import MetricSettings, RecordingProfile

CORES = Means(cores=10.0, attribute_sets=200)  # 1 % of them is a tenth of a core


def profile(interval_s: int = 10, **every: int) -> RecordingProfile:
    return RecordingProfile("Own", {name: MetricSettings(n, ("a", "b")) for name, n in every.items()}, interval_s)


def plan(rate: float, event: str = "order", instances: float = 5.0, **every: int) -> Planned:
    return Planned(event, profile(**every), rate, instances)


def raised(guarded: Guarded) -> list[tuple[str, str, int, int]]:
    return [(each.event_type, each.metric, each.asked, each.given) for each in guarded.raises]


@pytest.mark.parametrize(
    ("plans", "want"),
    [
        pytest.param([plan(6_600, latency=1)], [], id="6,600 × (15 + 0.12) us is 99.8 ms a second"),
        pytest.param([plan(6_700, latency=1)], [("order", "latency", 1, 2)], id="and this is 101.3 ms"),
        pytest.param([plan(10_000, latency=3)], [], id="thinned by the user already"),
        pytest.param([plan(100_000, latency=3)], [("order", "latency", 3, 20)], id="in steps that people read"),
        pytest.param(
            [plan(10_000, requests=1, latency=1)],
            [("order", "requests", 1, 5), ("order", "latency", 1, 5)],
            id="the first of equals first, and in turn",
        ),
        pytest.param(
            [plan(10_000, latency=1), plan(10, "pay", latency=1)], [("order", "latency", 1, 2)], id="the dearest alone"
        ),
        pytest.param(
            [plan(5_000, dependency_latency=1, latency=1)],
            [("order", "dependency_latency", 1, 5), ("order", "latency", 1, 2)],
            id="what is recorded three times an event is dearer",
        ),
    ],
)
def test_cpu(plans: list[Planned], want: list[tuple[str, str, int, int]]) -> None:
    got = guard(plans, Budget(), CORES, {})
    assert raised(got) == want
    assert not got.missed
    assert got.cpu_share is not None
    assert got.cpu_share <= 0.01


def test_cpu_that_the_gates_alone_take_cannot_be_saved_and_is_said() -> None:
    got = guard([plan(10_000_000, latency=1)], Budget(), CORES, {})
    assert raised(got) == [("order", "latency", 1, MAX_EVERY_EVENTS)]
    assert got.missed == ("cpu",)
    assert got.cpu_share == pytest.approx(0.12, rel=1e-3)


def test_errors_are_never_thinned() -> None:
    got = guard([plan(1_000_000, errors=1)], Budget(), CORES, {})
    assert not got.raises
    assert got.missed == ("cpu",)


def test_without_known_cores_cpu_is_not_guarded_and_bytes_are() -> None:
    got = guard([plan(1e6, latency=1)], Budget(bytes_per_second=100), Means(None, 200), {})
    assert [each.metric for each in got.raises] == [INTERVAL]
    assert got.cpu_share is None


def test_no_cores_at_all_is_a_budget_of_nothing() -> None:
    got = guard([plan(1.0, latency=1)], Budget(), Means(0.0, 200), {})
    assert got.missed == ("cpu",)
    assert got.cpu_share is None


def test_a_quiet_function_costs_its_budget_nothing() -> None:
    got = guard([Planned("order", BUILT_IN["Debug"], 0.0, 5.0)], Budget(), CORES, {})
    assert (got.raises, got.cpu_share, got.missed) == ((), 0.0, ())


def test_series_in_bytes() -> None:
    both = profile(10, requests=1, latency=1)
    # 4 attribute sets of 2 attributes, 5 instances, every 10 s: (154 + 444) × 4 × 5 / 10
    assert measure_bytes([Planned("order", both, 1e9, 5.0)], 200) == pytest.approx(1196.0)
    assert measure_bytes([Planned("order", both, 1e9, 5.0)], 2) == pytest.approx(598.0), "the cap on attribute sets"
    shown = replace(both, exemplars=True)
    assert measure_bytes([Planned("order", shown, 1e9, 5.0)], 200) == pytest.approx(1196.0 + 960.0)


@pytest.mark.parametrize(
    ("budget", "data", "interval", "missed"),
    [
        pytest.param(Budget(bytes_per_second=1200), None, 10, (), id="within"),
        pytest.param(Budget(bytes_per_second=1000), None, 15, (), id="a step longer"),
        pytest.param(Budget(bytes_per_second=100), None, 120, (), id="many steps longer"),
        pytest.param(Budget(bytes_per_second=1), None, MAX_INTERVAL_S, ("bytes",), id="as long as it may be"),
        pytest.param(Budget(bytes_share=0.01), 50_000.0, 30, (), id="a share of the data volume"),
        pytest.param(Budget(bytes_share=0.01), None, 10, (), id="a share of an unknown volume is no limit"),
        pytest.param(Budget(bytes_per_second=1000, bytes_share=0.01), 1e9, 15, (), id="the smaller of both"),
    ],
)
def test_bytes(budget: Budget, data: float | None, interval: int, missed: tuple[str, ...]) -> None:
    planned = [Planned("order", profile(10, requests=1, latency=1), 1.0, 5.0)]
    got = guard(planned, budget, Means(10.0, 200, data), {})
    assert got.profiles[0].export_interval_s == interval
    assert got.missed == missed
    assert got.bytes_per_second == pytest.approx(11_960 / interval)


def test_the_dearest_profile_is_slowed_first() -> None:
    few, many = Planned("a", profile(10, requests=1), 1.0, 5.0), Planned("b", profile(10, latency=1), 1.0, 5.0)
    got = guard([few, many], Budget(bytes_per_second=890), CORES, {})
    assert got.raises == (Raise("b", "Own", INTERVAL, 10, 20),)


def test_an_interval_of_the_user_beyond_the_cap_stays() -> None:
    planned = [Planned("order", profile(900, latency=1), 1.0, 5.0)]
    got = guard(planned, Budget(bytes_per_second=0.1), CORES, {})
    assert (got.raises, got.missed) == ((), ("bytes",))


@pytest.mark.parametrize(
    ("rate", "before", "want"),
    [
        pytest.param(6_500, None, 1, id="enough at first"),
        pytest.param(6_500, 2, 2, id="kept: a quarter more load would need it"),
        pytest.param(5_200, 2, 1, id="lowered where that is not so"),
        pytest.param(6_700, 1, 2, id="raised at once"),
        pytest.param(6_700, 1_000, 2, id="far too high is lowered to what spares a quarter"),
    ],
)
def test_what_was_raised_is_lowered_with_some_to_spare(rate: float, before: int | None, want: int) -> None:
    raised_before = {} if before is None else {("order", "Own", "latency"): before}
    got = guard([plan(rate, latency=1)], Budget(), CORES, raised_before)
    assert got.profiles[0].metrics["latency"].every_events == want


def test_load_that_wavers_at_the_limit_changes_nothing() -> None:
    before: dict[tuple[str, str, str], int] = {}
    seen = set()
    for tick in range(50):
        got = guard([plan(6_500 if tick % 2 else 6_700, latency=1)], Budget(), CORES, before)
        before = {each.key: each.given for each in got.raises}
        seen.add(got.profiles[0].metrics["latency"].every_events)
    assert seen == {2}


def test_the_built_in_profiles_at_the_load_they_are_for() -> None:
    """Ten instances of a core: Debug at 500 events a second is within a hundredth, at 5,000 it is thinned."""
    few = guard([Planned("order", BUILT_IN["Debug"], 500.0, 10.0)], Budget(), CORES, {})
    many = guard([Planned("order", BUILT_IN["Debug"], 5_000.0, 10.0)], Budget(), CORES, {})
    assert not few.raises
    assert {each.metric for each in many.raises} >= {"dependency_latency", "latency"}
    assert measure_cores([Planned("order", many.profiles[0], 5_000.0, 10.0)]) <= 0.1
    assert COSTS.gate_ns < COSTS.record_ns / 50, "what a profile leaves out costs next to nothing"
