"""The scaling bench's figures: what the scorer's rows come to."""

from __future__ import annotations

import math

import pytest

from e2e.bench import scaling_scores as scores
from e2e.bench.scaling_scores import OURS, Outcome, Replay, Standing


def outcome(unmet: float, hours: float) -> Outcome:
    return Outcome(unmet, 0.0, hours, 0)


def replay(trace: str, ours: Outcome, *, startup_s: int = 60, bound: float | None = 100, **rules: Outcome) -> Replay:
    return Replay(trace, "level", startup_s, rules, {0.01: bound}, {0.01: ours})


def test_the_scorers_json_becomes_replays() -> None:
    rules, bound, ours = {"hpa 70 %": [0.02, 0.1, 50, 7]}, {"0.001": None, "0.01": 40}, {"0.01": [0.1, 0.2, 60, 9]}
    (found,) = scores.read_replays([["a", 60, rules, bound, ours]], {"a": "bursty"})
    assert (found.trace, found.group, found.startup_s) == ("a", "bursty", 60)
    assert found.rules["hpa 70 %"] == Outcome(0.02, 0.1, 50, 7)
    assert found.bound == {0.001: None, 0.01: 40}
    assert found.cost(found.outcome(OURS, 0.01), 0.01) == 1.5
    assert math.isnan(found.cost(found.ours[0.01], 0.001))


@pytest.mark.parametrize(("unmet", "holds"), [(0.015, True), (0.0151, False), (0.0, True)])
def test_an_objective_holds_within_its_slack(unmet: float, holds: bool) -> None:
    assert outcome(unmet, 1).holds(0.01) is holds


def test_a_standing_counts_all_and_takes_the_geometric_mean_of_costs() -> None:
    replays = [replay("a", outcome(0, 200)), replay("b", outcome(1, 50)), replay("c", outcome(0, 7), bound=None)]
    assert scores.stand(replays, OURS, 0.01) == Standing(2, 3, pytest.approx(1.0))
    assert math.isnan(scores.stand(replays[2:], OURS, 0.01).cost)
    assert str(Standing(12, 13, 1.254)) == "12/13, 1.25"


def test_hindsight_takes_the_cheapest_that_holds_and_counts_no_cost_where_none_does() -> None:
    easy = replay("a", outcome(0, 1), dear=outcome(0, 300), cheap=outcome(0.01, 110), failing=outcome(0.1, 50))
    hard = replay("b", outcome(0, 1), dear=outcome(0.2, 900), cheap=outcome(0.3, 10), failing=outcome(0.1, 50))
    assert (scores.cheapest(easy, 0.01), scores.cheapest(hard, 0.01)) == ("cheap", None)
    assert scores.stand_in_hindsight([easy, hard], 0.01) == Standing(1, 2, pytest.approx(1.1))


@pytest.mark.parametrize(
    ("unmet", "hours"),
    [
        pytest.param(0.04, 100, id="the cheapest"),
        pytest.param(0.02, 150, id="between"),
        pytest.param(0.01, 200, id="the dearest"),
        pytest.param(0.9, 100, id="never cheaper than the highest target"),
        pytest.param(0.009, None, id="none reaches it"),
    ],
)
def test_the_hpas_hours_at_an_unmet_share_lie_on_its_curve(unmet: float, hours: float | None) -> None:
    rules = {"hpa 50 %": outcome(0.01, 200), "hpa 70 %": outcome(0.03, 100), "profile q0.9": outcome(0, 1)}
    assert scores.curve_hours(Replay("a", "level", 60, rules, {}, {}), unmet) == (
        None if hours is None else pytest.approx(hours)
    )


def test_replays_are_told_apart_by_start_up_time() -> None:
    replays = [replay("a", outcome(0, 1), startup_s=60), replay("a", outcome(0, 1), startup_s=180)]
    assert scores.at(replays, 180) == replays[1:]
