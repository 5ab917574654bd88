"""The forecast bench's statistics: what the scorer's rows come to, and what may be claimed."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest

from e2e.bench import forecast_scores as scores
from e2e.bench.forecast_scores import LeftOut, Row


def row(method: str, series: str, mase: float, *, origin: int = 0, **over: float) -> Row:
    """Return a row whose error, loss and counts are in proportion to its MASE, but for what is given."""
    sums = {"n": 12, "ae": mase, "mase": mase, "sumy": 10.0, "cv0.9": 0.9, "cv0.95": 0.95}
    sums |= {f"pb{q}": mase for q in scores.QUANTILES} | over
    return Row(method, series, series[0], 300, origin, 10 * mase, "", {"short": sums, "day": sums})


def test_the_scorers_json_becomes_rows() -> None:
    each = {
        "method": "plugin",
        "series": "a",
        "group": "g",
        "step": 300,
        "origin": 1,
        "cpu_ms": 2.0,
        "err": "",
        "score": {},
    }
    rows = scores.read_rows({"rows": [each, each | {"method": "spar", "err": "ValueError"}]}, "full")
    assert scores.methods(rows) == ["full", "spar"]
    assert scores.fallbacks(rows) == {"spar: ValueError": 1}
    assert scores.groups(rows) == {"a": "g"}


def test_a_ratio_takes_the_means_over_origins_that_both_have() -> None:
    rows = [row("x", "a", 1, origin=0), row("x", "a", 3, origin=1), row("x", "a", 99, origin=2)]
    rows += [row("y", "a", 2, origin=0), row("y", "a", 6, origin=1), row("y", "b", 6)]
    assert scores.ratios(rows, "x", "y", "short", "MASE") == {"a": pytest.approx(0.5)}
    assert scores.ratios(rows, "y", "x", "day", "MASE") == {"a": pytest.approx(2)}


def test_the_quantile_loss_is_pooled_over_origins() -> None:
    rows = [row("x", "a", 1, origin=0, sumy=1), row("x", "a", 3, origin=1, sumy=9)]  # 2 × 4 / 10
    rows += [row("y", "a", 1, origin=0, sumy=1), row("y", "a", 1, origin=1, sumy=9)]  # 2 × 2 / 10
    assert scores.ratios(rows, "x", "y", "day", "WQL") == {"a": pytest.approx(2)}


def test_coverage_counts_values_not_origins() -> None:
    rows = [row("x", "a", 1, origin=0, **{"n": 10, "cv0.9": 1}), row("x", "a", 1, origin=1, **{"n": 30, "cv0.9": 0.6})]
    assert scores.coverage(rows, "x", "day", "0.9") == {"a": pytest.approx(0.7)}


def test_cpu_time_is_the_median_of_each_series() -> None:
    rows = [row("x", "a", mase, origin=n) for n, mase in enumerate((1, 2, 9))] + [row("x", "b", 5)]
    assert scores.cpu_ms(rows, "x") == [20, 50]
    assert scores.cpu_ms(rows, "x", 60) == []


def test_the_column_is_the_geometric_mean_over_yesterdays_value() -> None:
    rows = [row("x", "a", 1), row("x", "b", 8), row(scores.BASE, "a", 2), row(scores.BASE, "b", 4)]
    assert scores.column(rows, "x", "day", "MASE") == pytest.approx(1)
    assert math.isnan(scores.geometric_mean([]))


@pytest.mark.parametrize(
    ("ratios", "says"),
    [
        pytest.param(dict.fromkeys("abcdef", 0.9), "better", id="on every series"),
        pytest.param({s: 0.9 + n / 100 for n, s in enumerate("abcdef")}, "better", id="on every series, not alike"),
        pytest.param(dict(zip("abcdef", (0.1, 1.1, 1.2, 1.1, 1.1, 1.2), strict=True)), "level", id="on one"),
        pytest.param(dict.fromkeys("abcdef", 1.0), "level", id="equal"),
        pytest.param(dict.fromkeys("abcdef", 1.1), "worse", id="on none"),
    ],
)
def test_better_is_said_only_of_a_whole_interval(ratios: Mapping[str, float], says: str) -> None:
    found = scores.compare(ratios)
    assert found.says == says
    assert found.low <= found.ratio <= found.high


def test_the_interval_is_that_of_the_mean_of_logs_and_always_the_same() -> None:
    logs = np.random.default_rng(7).normal(-0.1, 0.3, 400)
    ratios = {str(n): math.exp(value) for n, value in enumerate(logs)}
    found = scores.compare(ratios)
    half = 1.645 * logs.std() / math.sqrt(len(logs))  # the normal interval, close for so many
    assert math.log(found.low) == pytest.approx(logs.mean() - half, abs=0.002)
    assert math.log(found.high) == pytest.approx(logs.mean() + half, abs=0.002)
    assert scores.compare(ratios) == found


def test_leaving_one_out() -> None:
    ratios = {"a1": 1.0, "a2": 4.0, "b1": 16.0}
    assert scores.leave_one_series_out(ratios) == [
        LeftOut("b1", pytest.approx(2)), LeftOut("a2", pytest.approx(4)), LeftOut("a1", pytest.approx(8)),
    ]  # fmt: skip
    groups = {"a1": "a", "a2": "a", "b1": "b"}
    assert scores.leave_one_group_out(ratios, groups) == [
        LeftOut("b", pytest.approx(2)), LeftOut("a", pytest.approx(16)),
    ]  # fmt: skip


def test_peers_of_an_earlier_run_join_but_not_twice_and_not_of_other_data() -> None:
    fresh = [row(scores.BASE, "a", 1), row("full", "a", 2)]
    earlier = [row(scores.BASE, "a", 1), row("hgb", "a", 3)]
    assert scores.methods(scores.join_peers(fresh, earlier)) == [scores.BASE, "full", "hgb"]
    assert len(scores.join_peers(fresh, earlier)) == 3
    with pytest.raises(ValueError, match="other series, origins or traces"):
        scores.join_peers(fresh, [row(scores.BASE, "a", 1.1), row("hgb", "a", 3)])


def test_the_largest_difference_is_a_share() -> None:
    rows = [row("x", "a", 2), row("y", "a", 2), row("x", "b", 3), row("y", "b", 4)]
    assert scores.largest_difference(rows, "x", "y") == pytest.approx(0.25)
    assert scores.largest_difference(rows, "x", "x") == 0
