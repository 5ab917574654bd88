"""Shared answers equal lone answers, whatever the series, the askers and the values."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from presage.core.query import GaugeLoad, Matcher, Selection
from presage.core.sharing import SharedQuery, ask_alone, plan_queries

LABELS = ("route", "team")
values = st.sampled_from(["", "a", "b", "a|b", ".*", "[a]", "\\", "^a$", "a+", "(a)", "a{1}", "a?", "\n"]) | st.text(
    max_size=2
)
matchers = st.builds(Matcher, st.sampled_from(LABELS), st.sampled_from(["=", "=", "=", "!="]), values)
tenants = st.none() | st.builds(Matcher, st.sampled_from(LABELS), st.just("="), st.sampled_from(["a", "b"]))
selections = st.builds(
    Selection,
    st.builds(GaugeLoad, st.sampled_from(["m", "m", "m", "n"]), st.lists(matchers, max_size=2).map(tuple)),
    tenants,
)
series = st.lists(
    st.tuples(st.dictionaries(st.sampled_from(LABELS), values), st.integers(0, 100)), min_size=4, max_size=20
)
World = list[tuple[dict[str, str], int]]


def matches(labels: Mapping[str, str], matcher: Matcher) -> bool:
    """Judge as Prometheus does: expressions are anchored, and a label that is not there is empty."""
    value = labels.get(matcher.label, "")
    match matcher.op:
        case "=":
            return value == matcher.value
        case "!=":
            return value != matcher.value
        case _:
            return re.fullmatch(matcher.value, value, re.DOTALL) is not None


def ask(world: World, query: SharedQuery) -> dict[Selection, int | None]:
    """Sum by the query's label over what it selects, and share out."""
    wanted = [*query.asked.load.matchers, *([query.asked.tenant] if query.asked.tenant else [])]
    sums: dict[str, int] = {}
    for labels, value in world:
        if query.asked.load.metric == "m" and all(matches(labels, matcher) for matcher in wanted):
            group = labels.get(query.label, "") if query.label else ""
            sums[group] = sums.get(group, 0) + value
    answers: dict[str, int | None] = {**sums}
    return query.share_out(answers, None)


@settings(max_examples=400)
@given(series, st.lists(selections, min_size=4, max_size=20), st.integers(1, 6))
def test_shared_answers_equal_lone_answers(world: World, askers: list[Selection], most: int) -> None:
    queries = plan_queries(askers, most)
    shared = [(asker, answer) for query in queries for asker, answer in ask(world, query).items()]
    alone = {asker: ask(world, ask_alone(asker))[asker] for asker in askers}
    assert len(shared) == len(alone), "each asker once"
    assert dict(shared) == alone
    assert all(len(query.values) <= most for query in queries)
    assert all({asker.tenant for asker in query.values} == {query.asked.tenant} for query in queries)


@given(series, st.lists(selections, min_size=2, max_size=12))
def test_halves_answer_as_the_whole(world: World, askers: list[Selection]) -> None:
    for query in plan_queries(askers):
        if len(query.values) > 1:
            first, second = query.halve()
            assert {**ask(world, first), **ask(world, second)} == ask(world, query)
