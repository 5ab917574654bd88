"""The choice among rules by what they gave and cost."""

from __future__ import annotations

import numpy as np
import pytest

from presage.core.scaling.curves import OBSERVED, PAST, quantile_curve
from presage.core.scaling.objective import AIM, KEPT_DAYS, ReplayedDay, choose, price
from presage.core.scaling.rule import Rule, default_rule, list_rules

RULES = (Rule(quantile_curve(0.5), 0.0), Rule(quantile_curve(0.95), 0.0), Rule(OBSERVED, 0.1), Rule(OBSERVED, 0.5))
ASKED = 0.01


def day(unmet: list[float], hours: list[float], load: float = 1000.0, start: float = 0.0) -> ReplayedDay:
    return ReplayedDay(start, 24.0, load, np.array(unmet), np.array(hours))


@pytest.mark.parametrize(
    ("unmet", "hours", "want", "reached"),
    [
        pytest.param([5, 5, 5, 5], [40, 30, 50, 60], 1, True, id="within the objective: the cheapest"),
        pytest.param([9, 0, 0, 0], [100, 100.5, 120, 130], 1, True, id="nearly as cheap and far within: the safer one"),
        pytest.param([9, 0, 0, 0], [100, 106, 120, 130], 0, True, id="at the edge of it, where safer costs more"),
        pytest.param([20, 5, 5, 5], [100, 170, 200, 200], 1, True, id="twice the objective is within reach"),
        pytest.param([20, 5, 20, 20], [100, 230, 240, 240], 0, False, id="and not any price"),
        pytest.param([40, 5, 20, 20], [10, 900, 240, 250], 2, False, id="but never worse than a usual autoscaler"),
        pytest.param([640, 320, 160, 80], [10, 10, 10, 10], 3, False, id="none keeps it: what is worth it"),
    ],
)
def test_choice(unmet: list[float], hours: list[float], want: int, reached: bool) -> None:
    found = choose(RULES, [day(unmet, hours)], ASKED)
    assert found is not None
    assert (found.rule, found.reached, found.days) == (RULES[want], reached, 1)
    assert found.record.unmet_share == pytest.approx(unmet[want] / 1000)
    assert (found.record.replica_hours, found.record.hours) == (hours[want], 24)


@pytest.mark.parametrize(
    ("hours", "want"),
    [
        pytest.param([100.5, 150, 100, 150], 0, id="as good: the forecast"),
        pytest.param([102, 150, 100, 150], 2, id="dearer: not the forecast"),
    ],
)
def test_of_equal_rules_the_forecast_is_taken(hours: list[float], want: int) -> None:
    found = choose(RULES, [day([0, 0, 0, 0], hours)], ASKED)
    assert found is not None
    assert found.rule == RULES[want]


def test_price_of_unmet_load() -> None:
    """Little within the objective, in step with it up to twice that, and ever less for each doubling from there."""
    aim = AIM * ASKED
    within, near, far, farther = (
        price(np.array([more]), np.array([100.0]), ASKED)[0] / price(np.array([less]), np.array([100.0]), ASKED)[0]
        for less, more in ((0.0, aim), (aim, 2 * aim), (2 * aim, 4 * aim), (4 * aim, 8 * aim))
    )
    assert 1 < within < 1.15
    assert 1.7 < near <= 2
    assert 1.1 < far < 1.35
    assert farther == pytest.approx(far)


def test_price_is_in_proportion_to_hours() -> None:
    shares = np.array([0.0, 0.005, 0.02, 0.5])
    one, two = (price(shares, np.full(4, hours), ASKED) for hours in (100.0, 200.0))
    assert two == pytest.approx(2 * one)
    assert one[0] == 100


def test_the_best_rule_without_foresight_is_told_beside_it() -> None:
    found = choose(RULES, [day([5, 5, 20, 5], [40, 30, 50, 60])], ASKED)
    assert found is not None
    assert (found.reactive_rule, found.reactive.replica_hours) == (RULES[3], 60)


def test_a_stricter_objective_never_leaves_more_unmet() -> None:
    days = [day([40, 20, 10, 1], [10, 12, 14, 20])]
    chosen = [choose(RULES, days, asked) for asked in (0.5, 0.05, 0.02, 0.01, 0.005, 0.001)]
    shares = [found.record.unmet_share for found in chosen if found]
    assert len(shares) == 6
    assert shares == sorted(shares, reverse=True)
    assert len(set(shares)) > 2


@pytest.mark.parametrize("days", [[], [day([0, 0, 0, 0], [1, 2, 3, 4], load=0.0)]], ids=["no day", "no load"])
def test_without_load_there_is_no_choice(days: list[ReplayedDay]) -> None:
    assert choose(RULES, days, ASKED) is None


def test_the_order_of_rules_makes_no_difference() -> None:
    random = np.random.default_rng(1)
    for _ in range(50):
        unmet, hours, order = random.uniform(0, 40, 4), random.uniform(10, 100, 4), random.permutation(4)
        one = choose(RULES, [day(list(unmet), list(hours))], ASKED)
        other = choose([RULES[i] for i in order], [day(list(unmet[order]), list(hours[order]))], ASKED)
        assert one == other


def test_days_add_up_and_the_newest_count() -> None:
    old = day([900, 0, 0, 0], [1, 100, 100, 100])
    new = [day([5, 5, 5, 5], [10, 20, 30, 40], start=float(i)) for i in range(KEPT_DAYS)]
    found = choose(RULES, [old, *new], ASKED)
    assert found is not None
    assert (found.rule, found.days, found.record.replica_hours) == (RULES[0], KEPT_DAYS, 70)
    assert found.record.unmet_share == pytest.approx(0.005)


def test_rules_to_choose_from() -> None:
    everything = list_rules(None, None)
    assert len(set(everything)) == len(everything)
    assert {rule.curve.source for rule in everything} == {"Forecast", "Past", "Observed"}
    fixed = list_rules(0.97, 0.2)
    assert fixed == tuple(Rule(curve, 0.2) for curve in (quantile_curve(0.97), *PAST, OBSERVED))
    assert {rule.curve.level for rule in list_rules(0.97, None) if rule.curve.source == "Forecast"} == {0.97}


@pytest.mark.parametrize(
    ("level", "headroom", "foresees", "want"),
    [
        pytest.param(None, None, True, "p95, observed + 25 %", id="the forecast"),
        pytest.param(None, None, False, "observed + 25 %", id="no forecast"),
        pytest.param(0.8, 0.0, True, "p80, observed + 0 %", id="as the user says"),
        pytest.param(0.8, 0.1, False, "observed + 10 %", id="as far as it goes"),
    ],
)
def test_rule_before_any_replay(level: float | None, headroom: float | None, foresees: bool, want: str) -> None:
    assert str(default_rule(level, headroom, foresees=foresees)) == want
