"""PromQL from parsed parts: what comes out, and that nothing can be pasted in."""

from __future__ import annotations

import pytest

from presage.core.query import (
    CounterLoad,
    GaugeLoad,
    InstanceCount,
    InstanceValues,
    Load,
    Matcher,
    Selection,
    build_history_query,
    build_selector,
    build_tick_query,
    build_values_query,
    quote,
)

ORDERS = CounterLoad("http_requests_total", (Matcher("route", "=", "/order"),), 60)


@pytest.mark.parametrize(
    ("load", "tenant", "step", "want"),
    [
        pytest.param(ORDERS, None, 300, 'sum(rate(http_requests_total{route="/order"}[300000ms]))', id="slot"),
        pytest.param(ORDERS, None, 15, 'sum(rate(http_requests_total{route="/order"}[60000ms]))', id="short slot"),
        pytest.param(
            ORDERS,
            Matcher("ns", "=", "a"),
            300,
            'sum(rate(http_requests_total{route="/order",ns="a"}[300000ms]))',
            id="tenant",
        ),
        pytest.param(GaugeLoad("jobs", ()), None, 60, "sum(avg_over_time(jobs{}[60000ms]))", id="gauge"),
        pytest.param(
            InstanceCount("jobs", (Matcher("a", "=", "b"),)),
            Matcher("ns", "=", "a"),
            60,
            'count(group by (instance, pod) (jobs{a="b",ns="a"}))',
            id="instances",
        ),
    ],
)
def test_history_query(load: Load, tenant: Matcher | None, step: float, want: str) -> None:
    assert build_history_query(Selection(load, tenant), step) == want


def test_instances_are_counted_for_each_of_those_that_share_a_query() -> None:
    asked = Selection(InstanceCount("jobs", (Matcher("app", "=~", "a|b"),)))
    want = 'count by (app) (group by (app, instance, pod) (jobs{app=~"a|b"}))'
    assert build_history_query(asked, 60, "app") == want
    assert want in build_tick_query(asked, 60, "app")


def test_values_are_told_for_each_fresh_instance() -> None:
    asked = Selection(InstanceValues("jobs", (Matcher("app", "=~", "a|b"),)))
    selector = 'jobs{app=~"a|b"}'
    query = build_tick_query(asked, 60, "app")
    assert f"min by (app, instance, pod) ({selector} and (timestamp({selector}) > time() - 60))" in query
    assert f"count by (app) (group by (app, instance, pod) ({selector}))" in query


def test_the_values_of_a_label_are_asked_for_with_the_tenant_forced() -> None:
    tenant = Matcher("ns", "=", "a")
    assert build_values_query(Selection(ORDERS, tenant), "route", 9) == (
        'topk(9, sum by (route) (rate(http_requests_total{route="/order",route!="",ns="a"}[60000ms])))'
    )
    jobs = Selection(GaugeLoad("jobs", (Matcher("ns", "=", "b"),)), tenant)
    want = 'topk(2, sum by (queue) (jobs{ns="b",queue!="",ns="a"}))'
    assert build_values_query(jobs, "queue", 2) == want, "a matcher of the user's own widens nothing"
    with pytest.raises(ValueError, match="no Prometheus label name"):
        build_values_query(jobs, 'queue) or vector(1) or sum by (a"', 2)


def test_tick_query_asks_load_age_and_targets_at_once() -> None:
    query = build_tick_query(Selection(ORDERS), 60)
    assert query.count(" or ") == 2
    for part in ('"presage","load"', '"presage","newest"', '"presage","target"'):
        assert part in query


@pytest.mark.parametrize(
    ("value", "want"),
    [
        pytest.param('a"} or vector(1) #', '"a\\"} or vector(1) #"', id="quote"),
        pytest.param("a\\", '"a\\\\"', id="backslash at the end"),
        pytest.param("a\nb", '"a\\nb"', id="line break"),
        pytest.param("\x00\x1f", '"\\x00\\x1f"', id="control characters"),
        pytest.param("größe", '"größe"', id="other scripts stay"),
    ],
)
def test_values_are_quoted(value: str, want: str) -> None:
    assert quote(value) == want


@pytest.mark.parametrize(
    "load",
    [
        pytest.param(CounterLoad("up} or vector(1)", (), 60), id="metric"),
        pytest.param(CounterLoad("", (), 60), id="empty metric"),
        pytest.param(CounterLoad("up", (Matcher("a=b", "=", ""),), 60), id="label"),
        pytest.param(CounterLoad("up", (Matcher("a", "=~x", ""),), 60), id="operator"),
    ],
)
def test_names_outside_the_grammar_are_refused(load: Load) -> None:
    with pytest.raises(ValueError, match="is n"):
        build_selector(Selection(load))
