"""What is recorded: never flaps, follows the load, keeps its budget or says that it does not."""

from __future__ import annotations

import itertools
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from presage.core.recording.budget import MAX_EVERY_EVENTS, NEVER_THINNED, Means, Planned, guard
from presage.core.recording.catalogue import BUILT_IN, merge_catalogues
from presage.core.recording.choice import LEAVE_SHARE, ChoiceMemory, ProfileChoice, choose
from presage.core.recording.escalation import EscalationMemory, Signs, escalate
from presage.core.recording.spec import Budget, EscalationPolicy, Level, RecordedEvent
from presage.core.recording.types import MetricSettings, RecordingProfile

DWELL = 600.0
NAMES = ("P0", "P1", "P2", "P3")
KNOWN = frozenset({*NAMES, *BUILT_IN})

thresholds = st.lists(st.floats(0.1, 1000.0), min_size=1, max_size=3, unique=True).map(sorted)
loads = st.floats(0.0, 2000.0)
rates = st.just(0.0) | st.floats(1e-3, 1e7)


def event(above: list[float]) -> RecordedEvent:
    return RecordedEvent("order", tuple(Level(n, a) for n, a in zip(NAMES, [0.0, *above], strict=False)))


def play(asked: RecordedEvent, course: list[tuple[int, float | None]]) -> list[tuple[float, ProfileChoice]]:
    now, memory, played = 0.0, None, []
    for step, load in course:
        now += step
        got = choose(asked, KNOWN, load, memory, now, DWELL)
        memory = got.memory
        played.append((now, got))
    return played


def level_of(choice: ProfileChoice) -> int:
    return NAMES.index(choice.profile)


@given(above=thresholds, course=st.lists(st.tuples(st.integers(1, 400), loads), min_size=2, max_size=60))
def test_no_fall_comes_within_a_dwell_after_any_change(
    above: list[float], course: list[tuple[int, float | None]]
) -> None:
    played = play(event(above), course)
    changed_at = played[0][0]
    for (_, before), (now, after) in itertools.pairwise(played):
        if level_of(after) < level_of(before):
            assert now - changed_at >= DWELL
        if after.profile != before.profile:
            changed_at = now
            assert after.memory.since == now


@given(above=thresholds, course=st.lists(st.tuples(st.integers(1, 400), st.none() | loads), min_size=2, max_size=60))
def test_a_load_that_is_predicted_is_never_waited_for(
    above: list[float], course: list[tuple[int, float | None]]
) -> None:
    for (_, got), (_, load) in zip(play(event(above), course), course, strict=True):
        if load is not None:
            assert got.profile not in NAMES or all(load <= a for a in above[level_of(got) :])


@given(
    above=thresholds, course=st.lists(st.tuples(st.integers(1, 900), st.floats(0.0, 1.0)), min_size=2), data=st.data()
)
def test_load_between_leaving_and_entering_a_level_changes_nothing(
    above: list[float], course: list[tuple[int, float]], data: st.DataObject
) -> None:
    top = data.draw(st.sampled_from(above))
    lowest = max((a for a in (0.0, *above) if a < top), default=0.0)
    low = max(LEAVE_SHARE * top, lowest * (1 + 1e-9))
    inside = [(step, min(top, low + share * (top - low))) for step, share in course]
    for entered in (lowest + (low - lowest) / 2 or top / 2, top * 1.01):
        played = play(event(above), [(1, entered), *inside])
        if entered > lowest:
            assert len({got.profile for _, got in played}) == 1


@given(
    above=thresholds,
    first=loads,
    second=loads,
    held=st.sampled_from(NAMES),
    age=st.floats(0.0, 2000.0),
)
def test_more_load_never_means_a_lower_level(
    above: list[float], first: float, second: float, held: str, age: float
) -> None:
    asked, memory = event(above), ChoiceMemory(held, -age)
    less, more = (choose(asked, KNOWN, load, memory, 0.0, DWELL) for load in sorted((first, second)))
    assert level_of(less) <= level_of(more)


profiles = st.builds(
    RecordingProfile,
    name=st.sampled_from(NAMES),
    metrics=st.dictionaries(
        st.sampled_from(("requests", "errors", "latency", "dependency_latency", "own")),
        st.builds(
            MetricSettings,
            every_events=st.integers(1, 2 * MAX_EVERY_EVENTS),
            attributes=st.integers(0, 6).map(lambda n: tuple("abcdef"[:n])),
        ),
        min_size=1,
    ),
    export_interval_s=st.integers(1, 3600),
    exemplars=st.booleans(),
)
plans = st.lists(
    st.builds(Planned, st.sampled_from("abc"), profiles, rates, st.floats(0.1, 100.0)),
    max_size=5,
    unique_by=lambda plan: (plan.event_type, plan.profile.name),
)
budgets = st.builds(Budget, st.floats(0.001, 1.0), st.none() | st.floats(1.0, 1e6))
before = st.dictionaries(
    st.tuples(st.sampled_from("abc"), st.sampled_from(NAMES), st.sampled_from(("latency", "requests", ""))),
    st.integers(1, 10**6),
)


@given(planned=plans, budget=budgets, cores=st.floats(0.01, 1000.0), before=before)
def test_the_budget_is_kept_or_all_is_at_its_cap(
    planned: list[Planned], budget: Budget, cores: float, before: dict[tuple[str, str, str], int]
) -> None:
    got = guard(planned, budget, Means(cores, 200), before)
    assert got.cpu_share is not None
    if "cpu" in got.missed:
        capped = [
            settings.every_events >= MAX_EVERY_EVENTS or name in NEVER_THINNED or plan.events_per_second == 0
            for plan, profile in zip(planned, got.profiles, strict=True)
            for name, settings in profile.metrics.items()
        ]
        assert all(capped)
    else:
        assert got.cpu_share <= budget.cpu_share * (1 + 1e-6)
    if "bytes" in got.missed:
        assert all(each.export_interval_s >= 300 for each in got.profiles)
    elif budget.bytes_per_second is not None:
        assert got.bytes_per_second <= budget.bytes_per_second * (1 + 1e-6)


@given(planned=plans, budget=budgets, cores=st.floats(0.01, 1000.0), before=before)
def test_the_guard_only_takes_away_and_says_all_that_it_took(
    planned: list[Planned], budget: Budget, cores: float, before: dict[tuple[str, str, str], int]
) -> None:
    got = guard(planned, budget, Means(cores, 200), before)
    undone = []
    for plan, profile in zip(planned, got.profiles, strict=True):
        own = {r.metric: r for r in got.raises if (r.event_type, r.profile) == (plan.event_type, profile.name)}
        assert all(each.given > each.asked for each in own.values())
        metrics = {
            name: replace(each, every_events=own[name].asked if name in own else each.every_events)
            for name, each in profile.metrics.items()
        }
        interval = own[""].asked if "" in own else profile.export_interval_s
        undone.append(replace(profile, metrics=metrics, export_interval_s=interval))
    assert undone == [plan.profile for plan in planned]


@given(planned=plans, budget=budgets, cores=st.floats(0.01, 1000.0), before=before)
def test_the_guard_is_at_rest_at_once(
    planned: list[Planned], budget: Budget, cores: float, before: dict[tuple[str, str, str], int]
) -> None:
    first = guard(planned, budget, Means(cores, 200), before)
    assert guard(planned, budget, Means(cores, 200), {r.key: r.given for r in first.raises}) == first


@given(signs=st.lists(st.tuples(st.integers(1, 2000), st.booleans(), st.booleans()), max_size=60))
def test_escalations_are_bounded_and_pause(signs: list[tuple[int, bool, bool]]) -> None:
    policy, now, memory = EscalationPolicy(lasts_s=600.0, pause_s=3600.0), 0.0, None
    begun: list[float] = []
    for step, surprise, burning in signs:
        now += step
        after: EscalationMemory | None = escalate(policy, Signs(surprise, burning), memory, now)
        if after is not None and after != memory:
            assert after.until == now + policy.lasts_s
            begun.append(now)
        memory = after
    assert all(later - earlier >= 4200.0 for earlier, later in itertools.pairwise(begun))


@given(first=st.lists(profiles, max_size=3), second=st.lists(profiles, max_size=3))
def test_the_nearest_catalogue_wins_and_none_takes_a_built_in_away(
    first: list[RecordingProfile], second: list[RecordingProfile]
) -> None:
    merged = merge_catalogues(first, second)
    assert merged.keys() >= BUILT_IN.keys()
    assert all(merged[name].name == name for name in merged)
    assert all(merged[each.name] in second for each in second)
