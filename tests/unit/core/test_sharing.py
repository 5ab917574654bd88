"""Which askers form one query, and how its answer is shared out."""

from __future__ import annotations

import pytest

from presage.core.query import CounterLoad, GaugeLoad, Matcher, Selection, build_history_query, build_tick_query
from presage.core.sharing import MAX_SAMPLES, ask_alone, limit_points, plan_queries


def orders(route: str, *, tenant: Matcher | None = None, window_s: float = 60, op: str = "=") -> Selection:
    return Selection(CounterLoad("orders_total", (Matcher("route", op, route),), window_s), tenant)


def test_askers_that_differ_in_one_value_share_one_query() -> None:
    (query,) = plan_queries([orders("/b"), orders("/a.b")])
    assert query.label == "route"
    assert query.asked.load.matchers == (Matcher("route", "=~", r"/a\.b|/b"),)
    assert build_history_query(query.asked, 300, query.label) == (
        r'sum by (route) (rate(orders_total{route=~"/a\\.b|/b"}[300000ms]))'
    )
    assert query.share_out({"/b": 5}, 0) == {orders("/b"): 5, orders("/a.b"): 0}


def test_a_tick_query_names_the_label_in_every_part_once() -> None:
    askers = [Selection(GaugeLoad("jobs", (Matcher("pod", "=", name),))) for name in "ab"]
    (query,) = plan_queries(askers)
    text = build_tick_query(query.asked, 60, query.label)
    assert text.count("by (pod) ") == 2
    assert "group by (pod, instance) " in text


A, B = Matcher("team", "=", "a"), Matcher("team", "=", "b")


@pytest.mark.parametrize(
    "askers",
    [
        pytest.param([orders("/a", tenant=A), orders("/b", tenant=B)], id="two tenants"),
        pytest.param([orders("/a", tenant=A), orders("/a", tenant=B)], id="tenants alone differ"),
        pytest.param([orders("/a"), orders("/b", tenant=B)], id="one without tenant"),
        pytest.param([orders("/a"), orders("/b", window_s=120)], id="other window"),
        pytest.param([orders("/a", op="=~"), orders("/b", op="=~")], id="expressions"),
        pytest.param([Selection(GaugeLoad(name, ())) for name in "ab"], id="other metrics"),
        pytest.param([Selection(GaugeLoad("g", (Matcher("__name__", "=", n),))) for n in "ab"], id="the metric's name"),
        pytest.param([Selection(GaugeLoad("g", (Matcher("presage", "=", n),))) for n in "ab"], id="our own label"),
        pytest.param(
            [Selection(GaugeLoad("g", (Matcher("x", "=", n), Matcher("y", "=", n)))) for n in "ab"],
            id="two values differ",
        ),
    ],
)
def test_these_never_share(askers: list[Selection]) -> None:
    assert plan_queries(askers) == [ask_alone(asker) for asker in askers]


def test_equal_askers_are_one() -> None:
    assert plan_queries([orders("/a"), orders("/a")]) == [ask_alone(orders("/a"))]


def test_matchers_in_another_order_are_the_same_family() -> None:
    one, two = Matcher("job", "=", "x"), Matcher("route", "=", "/a")
    askers = [Selection(GaugeLoad("g", (one, two))), Selection(GaugeLoad("g", (Matcher("route", "=", "/b"), one)))]
    (query,) = plan_queries(askers)
    assert query.label == "route"
    assert list(query.values.values()) == ["/a", "/b"]


def test_no_query_is_for_more_than_the_limit() -> None:
    askers = [orders(f"/{i}") for i in range(1001)]
    assert [len(query.values) for query in plan_queries(askers)] == [500, 500, 1]
    assert plan_queries(askers, most=1) == [ask_alone(asker) for asker in askers]


def test_halves_ask_for_half_each() -> None:
    askers = [orders(f"/{i}") for i in range(3)]
    first, second = plan_queries(askers)[0].halve()
    assert first == ask_alone(askers[0])
    assert list(second.values) == askers[1:]
    assert second.asked.load.matchers[-1].value == "/1|/2"


@pytest.mark.parametrize("series", [1, 2, 3, 250, 500])
def test_series_times_points_is_bounded(series: int) -> None:
    assert limit_points(series) <= 11_000
    assert series * limit_points(series) <= MAX_SAMPLES
    assert limit_points(series) == 11_000 or series * (limit_points(series) + 1) > MAX_SAMPLES
