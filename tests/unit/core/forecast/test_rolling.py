from __future__ import annotations

import math

import numpy as np
import pytest

from presage.core.forecast.api import Series
from presage.core.forecast.rolling import METHODS, Plan, TooShortError, plan_rolling, ratio, roll, summarise
from presage.core.forecast.types import FloatArray

NAN = float("nan")
DAY = 288
LEVELS = (0.5, 0.9, 0.95)


def wave(days: float, seed: int = 0, day: int = DAY) -> FloatArray:
    at = np.arange(round(days * day))
    noise = np.random.default_rng(seed).normal(0, 3, len(at))
    return np.maximum(100 + 60 * np.sin(2 * np.pi * at / day) + noise, 0.0)


def test_origins_lie_in_the_newest_part_and_leave_room_for_a_day() -> None:
    plan = plan_rolling(21 * DAY, 300, (), None, 8)
    assert (plan.origins[0], plan.origins[-1], len(plan.origins)) == (int(0.55 * 21 * DAY), 20 * DAY, 8)
    assert plan.spans == {"short": 12, "day": DAY}
    assert plan.window == 21 * DAY


@pytest.mark.parametrize(
    ("slots", "step", "seasons", "horizon", "want"),
    [
        pytest.param(20 * 24, 3600, (), None, ({"short": 6, "day": 24}, 56 * 24), id="wide slots: six of them"),
        pytest.param(20 * 96, 900, (), None, ({"short": 6, "day": 96}, 28 * 96), id="a quarter of an hour"),
        pytest.param(21 * DAY, 300, (), 12, ({"short": 12}, 21 * DAY), id="an hour ahead: no day"),
        pytest.param(21 * DAY, 300, (), 3, ({"short": 3}, 21 * DAY), id="a quarter of an hour ahead"),
        pytest.param(21 * 96, 5, (480,), None, ({"short": 6, "day": 96}, 21 * 96), id="a day of eight minutes"),
    ],
)
def test_spans_follow_step_horizon_and_season(
    slots: int, step: int, seasons: tuple[int, ...], horizon: int | None, want: tuple[dict[str, int], int]
) -> None:
    plan = plan_rolling(slots, step, seasons, horizon, 8)
    assert (plan.spans, plan.window) == want


def test_a_short_history_has_fewer_origins_and_too_short_a_one_none() -> None:
    assert plan_rolling(2 * DAY, 300, (), None, 8).origins == (DAY,)
    assert len(plan_rolling(2 * DAY + 3, 300, (), None, 8).origins) <= 4
    with pytest.raises(TooShortError, match="575 slots of 300 s, and 576 are needed: a day of history and the horizon"):
        plan_rolling(2 * DAY - 1, 300, (), None, 8)
    with pytest.raises(ValueError, match="must lie between one slot and one day of 288 slots"):
        plan_rolling(21 * DAY, 300, (), 289, 8)


def test_a_long_archive_is_tested_on_its_newest_part() -> None:
    plan = plan_rolling(400 * DAY, 300, (), None, 8)
    assert plan.origins[0] == (400 - 6 * 21) * DAY
    assert plan.origins[-1] == 399 * DAY


def rederived(values: FloatArray, plan: Plan) -> dict[str, dict[str, list[float]]]:
    """Scores by the published formulas, one slot at a time, from the forecasts alone."""
    found: dict[str, dict[str, list[float]]] = {}
    origins = list(roll(Series(values, 0.0, 300.0), plan))
    for span, slots in plan.spans.items():
        for method in METHODS:
            errors, loss, size, below, count = [], dict.fromkeys(LEVELS, 0.0), 0.0, dict.fromkeys(LEVELS, 0), 0
            for origin in origins:
                past = values[max(0, origin.slot - plan.window) : origin.slot]
                steps = [abs(past[i] - past[i - plan.day]) for i in range(plan.day, len(past))]
                steps = [step for step in steps if not math.isnan(step)]
                scale = max(sum(steps) / len(steps), 1e-3 * float(np.nanmean(np.abs(past))))
                curves, misses = origin.curves[method], []
                for i in range(slots):
                    truth = float(values[origin.slot + i])
                    if math.isnan(truth):
                        continue
                    misses.append(abs(truth - curves.point[i]))
                    size, count = size + abs(truth), count + 1
                    for level in LEVELS:
                        over = truth - curves.quantiles[level][i]
                        loss[level] += level * over if over > 0 else (level - 1) * over
                        below[level] += over <= 1e-9
                errors.append(sum(misses) / len(misses) / scale)
            wql = sum(2 * loss[level] / size for level in LEVELS) / len(LEVELS)
            covered = [below[level] / count for level in LEVELS]
            found.setdefault(span, {})[method] = [sum(errors) / len(errors), wql, *covered, count]
    return found


def test_scores_are_those_of_the_formulas() -> None:
    values = wave(12)
    values[9 * DAY + 40 : 9 * DAY + 90] = NAN
    values[11 * DAY + 3] = NAN
    plan = plan_rolling(len(values), 300, (), None, 4)
    summary = summarise(list(roll(Series(values, 0.0, 300.0), plan)), plan)
    for span, methods in rederived(values, plan).items():
        for method, want in methods.items():
            score = summary[span][method]  # type: ignore[index]
            got = [score.mase, score.wql, *(score.covered[level] for level in LEVELS), score.slots]
            np.testing.assert_allclose(got, want, rtol=1e-12, err_msg=f"{span} {method}")


def test_presage_beats_the_naive_forecasts_of_a_noisy_wave() -> None:
    plan = plan_rolling(14 * DAY, 300, (), None, 4)
    summary = summarise(list(roll(Series(wave(14), 0.0, 300.0), plan)), plan)
    best = min(score.mase for name, score in summary["day"].items() if name != "presage")
    assert summary["day"]["presage"].mase < best


def test_full_forecasts_each_origin_with_the_full_tier(monkeypatch: pytest.MonkeyPatch) -> None:
    from presage.core.forecast import rolling

    efforts = []
    one = rolling.forecast_one

    def forecast(*arguments: object, effort: str) -> object:
        efforts.append(effort)
        return one(*arguments, effort="batch")  # type: ignore[arg-type]

    monkeypatch.setattr(rolling, "forecast_one", forecast)
    plan = plan_rolling(6 * DAY, 300, (), 12, 3)
    assert len(list(roll(Series(wave(6), 0.0, 300.0), plan, effort="full"))) == 3
    assert efforts == ["full"] * 3


def test_a_hole_is_not_scored_and_an_origin_without_history_is_left_out() -> None:
    values = wave(6)
    plan = plan_rolling(len(values), 300, (), 12, 3)
    hole = values.copy()
    hole[plan.origins[1] : plan.origins[1] + 12] = NAN
    origins = list(roll(Series(hole, 0.0, 300.0), plan))
    assert [bool(origin.scores) for origin in origins] == [True, False, True]
    assert summarise(origins, plan)["short"]["presage"].slots == 24
    nothing = np.full(len(values), NAN)
    assert list(roll(Series(nothing, 0.0, 300.0), plan)) == []
    assert summarise([], plan) == {}


def test_more_quantiles_are_forecast_and_covered_but_the_loss_stays_the_same() -> None:
    plan = plan_rolling(10 * DAY, 300, (), None, 2)
    series = Series(wave(10), 0.0, 300.0)
    plain, more = (summarise(list(roll(series, plan, levels)), plan)["day"] for levels in ((), (0.1, 0.99)))
    for method in METHODS:
        assert more[method].wql == plain[method].wql
        assert sorted(more[method].covered) == [0.1, 0.5, 0.9, 0.95, 0.99]
        assert more[method].covered[0.1] <= more[method].covered[0.5] <= more[method].covered[0.99]


@pytest.mark.parametrize(
    ("value", "base", "want"),
    [
        pytest.param(1.0, 2.0, 0.5, id="better"),
        pytest.param(0.0, 0.0, 1.0, id="both exact"),
        pytest.param(3e-14, 2e-15, 1.0, id="both exact, but for rounding"),
        pytest.param(1.0, 0.0, math.inf, id="worse than exact"),
        pytest.param(NAN, 1.0, NAN, id="unknown"),
        pytest.param(NAN, 0.0, NAN, id="unknown over exact"),
    ],
)
def test_ratio(value: float, base: float, want: float) -> None:
    np.testing.assert_equal(ratio(value, base), want)
