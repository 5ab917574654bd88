"""What a caller may rely on, case by case."""

from __future__ import annotations

import dataclasses
import pickle
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from presage.core.forecast.api import Effort, Forecast, Series, advance, forecast_many, forecast_one
from presage.core.forecast.types import FloatArray
from tests.unit.core.forecast.histories import DAY, STEP, daily, office

NAN = float("nan")
LEVELS = (0.5, 0.9, 0.95)


def series(values: Any, **changes: Any) -> Series:
    return Series(**{"values": np.asarray(values, dtype=float), "start": 0.0, "step": STEP} | changes)


def assert_sound(got: Forecast, horizon: int, levels: tuple[float, ...] = LEVELS) -> None:
    assert got.point.shape == (horizon,)
    assert np.isfinite(got.point).all()
    assert tuple(got.quantiles) == levels
    curves = [got.quantiles[level] for level in sorted(levels)]
    assert all(c.shape == (horizon,) and np.isfinite(c).all() for c in curves)
    for low, high in pairwise(curves):
        assert (low <= high).all()
    if 0.5 in levels:
        np.testing.assert_array_equal(got.quantiles[0.5], got.point)
    assert sum(got.weights.values()) == pytest.approx(1)
    assert all(w > 0 for w in got.weights.values())
    assert set(got.naive) == {"last", "day", "week"}
    assert all(len(x) == 5 for x in (*got.backtest.values(), *got.naive.values()))
    assert set(got.coverage) == set(levels)
    assert all(0 <= share <= 1 and n >= 0 for share, n in got.coverage.values())


HARD = {
    "empty": [],
    "all missing": [NAN] * 50,
    "one point": [3.0],
    "two points": [1.0, 2.0],
    "one point after holes": [NAN] * 20 + [3.0] + [NAN] * 20,
    "constant": [5.0] * 900,
    "zeros": [0.0] * 900,
    "tiny": [1e-9, 2e-9] * 450,
    "huge": [1e12, 2e12] * 450,
    "beyond sane": [1e308, 1e307] * 450,
    "subnormal": [5e-324, 0.0] * 450,
    "infinite": [np.inf, 1.0, -np.inf] * 300,
    "every second missing": [1.0, NAN] * 600,
    "three day hole": [*daily(4), *[NAN] * (3 * DAY), *daily(1)],
    "newest day missing": [*daily(4), *[NAN] * DAY],
    "negative": [-5.0, 3.0] * 450,
    "mostly zeros": ([0.0] * 9 + [7.0]) * 300,
}


@pytest.mark.parametrize("horizon", [1, 12, 300])
@pytest.mark.parametrize("name", HARD)
def test_bad_data_never_raises_and_never_gives_nan(name: str, horizon: int) -> None:
    got = forecast_one(series(HARD[name]), horizon)
    assert_sound(got, horizon)
    if name != "negative":
        assert min(got.quantiles[q].min() for q in LEVELS) >= 0
    moved = advance([got.state], [np.array([4.0, NAN, np.inf])], horizon, (0.5, 0.1))[0]
    assert_sound(moved, horizon, (0.5, 0.1))


@pytest.mark.parametrize("name", ["empty", "all missing"])
def test_no_data_is_said_not_guessed(name: str) -> None:
    got = forecast_one(series(HARD[name]), 3)
    assert got.warnings[0].startswith("no data")
    assert got.history_rung == "Hours"
    assert got.weights == {"last": 1.0}
    assert got.coverage[0.9] == (0.0, 0)


@pytest.mark.parametrize("value", [0.0, 5.0, 1e-9, 1e12])
def test_a_constant_stays(value: float) -> None:
    got = forecast_one(series([value] * 900), 12)
    np.testing.assert_allclose(got.point, value, rtol=1e-12)
    np.testing.assert_allclose(got.quantiles[0.95], value, rtol=1e-12)


WRONG = {
    "horizon zero": ({"horizon": 0}, "horizon"),
    "horizon negative": ({"horizon": -1}, "horizon"),
    "horizon fraction": ({"horizon": 1.5}, "horizon"),
    "horizon true": ({"horizon": True}, "horizon"),
    "quantile 0": ({"quantiles": (0.0,)}, "quantiles"),
    "quantile 1": ({"quantiles": (1.0,)}, "quantiles"),
    "quantile NaN": ({"quantiles": (NAN,)}, "quantiles"),
    "effort": ({"effort": "some"}, "effort"),
    "step below a second": ({"step": 0.5}, "step"),
    "step NaN": ({"step": NAN}, "step"),
    "start NaN": ({"start": NAN}, "start"),
    "season zero": ({"seasons": (0,)}, "seasons"),
    "season negative": ({"seasons": (-5, 86_400)}, "seasons"),
    "step beyond counting": ({"step": 10**400}, "step"),
    "start infinite": ({"start": -np.inf}, "start"),
    "season beyond counting": ({"seasons": (86_400, 10**30)}, "seasons"),
    "season NaN": ({"seasons": (NAN,)}, "seasons"),
    "zone": ({"time_zone": "Mars/Olympus"}, "time zone"),
    "zone as a path": ({"time_zone": "../UTC"}, "time zone"),
    "two dimensions": ({"values": np.ones((2, 2))}, "one-dimensional"),
    "coarse step": ({"coarse": Series(np.ones(3), 0, 0)}, "step"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_are_refused(name: str) -> None:
    changes, match = WRONG[name]
    call = {"horizon": 3, **{k: v for k, v in changes.items() if k in ("horizon", "quantiles", "effort")}}
    data = {k: v for k, v in changes.items() if k not in call}
    with pytest.raises(ValueError, match=match):
        forecast_one(series(data.pop("values", [1.0, 2.0]), **data), **call)


def test_lists_must_match() -> None:
    one = series([1.0, 2.0])
    state = forecast_one(one, 3).state
    with pytest.raises(ValueError, match="do not match"):
        forecast_many([one], [3, 4])
    with pytest.raises(ValueError, match="do not match"):
        forecast_many([one], 3, states=[None, None])
    with pytest.raises(ValueError, match="do not match"):
        advance([state], [], 3)
    with pytest.raises(ValueError, match="one-dimensional"):
        advance([state], [np.ones((1, 1))], 3)
    assert forecast_many([], 3) == []
    assert advance([], [], 3) == []


def test_each_series_has_its_own_horizon() -> None:
    got = forecast_many([series(daily(3)), series(daily(9)), series(daily(3))], [5, 12, 300])
    assert [len(f.point) for f in got] == [5, 12, 300]


@pytest.mark.parametrize(("days", "want"), [(0.5, "Hours"), (1.5, "Day"), (4, "Days"), (9, "Full"), (60, "Full")])
def test_history_rungs(days: float, want: str) -> None:
    assert forecast_one(series(daily(days)), 3).history_rung == want
    compressed = series(daily(days, day=180), step=2, seasons=(360,))
    assert forecast_one(compressed, 3).history_rung == want


def test_under_a_day_the_upper_quantiles_keep_a_margin() -> None:
    got = forecast_one(series([100.0] * 200), 12)
    assert (got.quantiles[0.9] >= 110 - 1e-9).all()
    np.testing.assert_allclose(got.point, 100)


def test_a_daily_wave_is_foreseen() -> None:
    truth = daily(10, noise=2)
    got = forecast_one(series(truth[: 9 * DAY]), DAY)
    assert np.abs(got.point - truth[9 * DAY :]).mean() < 3
    assert max(got.naive["last"][3:]) > 5 * got.backtest["day_median"][3]


@pytest.mark.parametrize("effort", ["batch", "full"])
def test_a_weekend_is_foreseen_from_two_weeks_on(effort: Effort) -> None:
    truth = office(20, noise=1)
    got = forecast_one(series(truth[: 19 * DAY]), DAY, effort=effort)  # the day ahead is a Saturday
    assert np.abs(got.point - truth[19 * DAY :]).mean() < 12
    if effort == "batch":
        assert sum(share for name, share in got.weights.items() if name.startswith("week")) > 0.9


def test_the_recent_deviation_is_carried_on() -> None:
    past = daily(9)
    past[-24:] *= 1.3
    got = forecast_one(series(past), 3)
    usual = daily(9 + 3 / DAY)[-3:]
    assert (got.point > 1.1 * usual).all()


def test_buckets_beyond_the_horizon_are_nan() -> None:
    got = forecast_one(series(daily(9, noise=1)), 12)
    for losses in (got.backtest["day"], got.naive["day"], got.naive["last"]):
        assert np.isfinite(losses).tolist() == [True, True, False, False, False]


def test_coarse_history_stands_in_for_lags() -> None:
    long = office(21, noise=0.5)
    hourly = Series(long.reshape(-1, 12).mean(axis=1), 0.0, 3600)
    start = 19 * DAY
    truth = office(22)[21 * DAY :]
    short = series(long[start:], start=start * STEP)
    with_coarse = dataclasses.replace(short, coarse=hourly)
    plain, helped = forecast_one(short, DAY), forecast_one(with_coarse, DAY)
    assert (plain.history_rung, helped.history_rung) == ("Day", "Full")
    assert np.abs(helped.point - truth).mean() < np.abs(plain.point - truth).mean()
    assert_sound(helped, DAY)
    assert_sound(advance([helped.state], [[]], 12)[0], 12)


@pytest.mark.parametrize("start", [0.0, 1234.5, -1e6, 1.7e9])
def test_any_offset_of_the_grid_will_do(start: float) -> None:
    values = daily(4, noise=3)
    np.testing.assert_array_equal(
        forecast_one(series(values, start=start), 12).point, forecast_one(series(values), 12).point
    )


def test_a_fractional_step_and_season_work() -> None:
    values = daily(8, noise=3, day=123)
    assert_sound(forecast_one(series(values, step=7.3, seasons=(900, 6300)), 200), 200)


def test_inputs_are_left_alone() -> None:
    values = np.array([1.0, np.inf, NAN, 4.0] * 300)
    before = values.copy()
    got = forecast_one(series(values), 12)
    advance([got.state], [values], 12)
    np.testing.assert_array_equal(values, before)


# --- moving on


@pytest.mark.parametrize(
    ("step", "seasons", "day"),
    [(300, None, 288), (2, (360,), 180), (2, (360, 2520), 180), (60, None, 1440), (3600, None, 24)],
)
@pytest.mark.parametrize("days", [0.4, 2, 12])
def test_no_news_changes_nothing(step: float, seasons: tuple[int, ...] | None, day: int, days: float) -> None:
    given = series(daily(days, noise=4, day=day), step=step, seasons=seasons)
    fitted = forecast_one(given, 20)
    moved = advance([pickle.loads(pickle.dumps(fitted.state))], [[]], 20)[0]  # noqa: S301
    np.testing.assert_allclose(moved.point, fitted.point, rtol=2e-3 if step == 2 else 1e-5)
    np.testing.assert_allclose(moved.quantiles[0.9], fitted.quantiles[0.9], rtol=5e-3)
    assert moved.history_rung == fitted.history_rung
    assert moved.seasons == fitted.seasons


@pytest.mark.parametrize("new", [0, 1, 30])
def test_a_bursting_load_moves_on_as_it_was_fitted(new: int) -> None:
    load = np.random.default_rng(4).lognormal(0, 2, 15 * DAY)
    first = len(load) - new
    state = forecast_one(series(load[:first]), 12, effort="batch").state
    moved = advance([state], [load[first:]], 12)[0]
    assert moved.weights["median"] > 0.1
    if not new:
        np.testing.assert_allclose(moved.point, forecast_one(series(load), 12, effort="batch").point, rtol=1e-5)


def test_a_tick_is_judged_by_what_was_said_of_it() -> None:
    told = forecast_one(series(daily(10, noise=4)), 12)
    limit = told.quantiles[0.9][0]
    within, beyond, unknown = (
        advance([told.state], [[v]], 1)[0].coverage[0.9] for v in (limit - 0.1, limit + 0.1, NAN)
    )
    assert within[0] > unknown[0] > beyond[0]
    assert unknown[0] == pytest.approx(told.coverage[0.9][0], abs=1e-3)


def test_quantiles_widen_when_a_load_becomes_wilder_than_its_past() -> None:
    past, ahead = daily(10, noise=1), daily(13, noise=2, seed=1)[10 * DAY :]
    state, covered = forecast_one(series(past), 1).state, []
    for value in ahead:
        got = advance([state], [[]], 1, (0.9,))[0]
        covered.append(value <= got.quantiles[0.9][0])
        state = advance([state], [[value]], 1, (0.9,))[0].state
    assert np.mean(covered[DAY:]) == pytest.approx(0.9, abs=0.07)


def test_advance_tracks_a_refit() -> None:
    truth = daily(14, noise=3)
    first, last = 12 * DAY, 13 * DAY
    state = forecast_one(series(truth[:first]), 12).state
    late, stale = [], []
    for now in range(first, last, 6):
        got = advance([state], [truth[now : now + 6]], 12)[0]
        state = got.state
        refit = forecast_one(series(truth[: now + 6]), 12, effort="batch")
        late.append(np.abs(refit.point - truth[now + 6 : now + 18]).mean())
        stale.append(np.abs(got.point - truth[now + 6 : now + 18]).mean())
    assert np.mean(stale) < 1.1 * np.mean(late)


def test_slot_by_slot_or_all_at_once_is_the_same() -> None:
    truth = daily(5, noise=3)
    state = forecast_one(series(truth[: 4 * DAY]), 12).state
    new = truth[4 * DAY : 4 * DAY + 30].copy()
    new[[3, 4, 20]] = NAN
    at_once = advance([state], [new], 12)[0]
    for value in new:
        got = advance([state], [[value]], 12)[0]
        state = got.state
    np.testing.assert_allclose(got.point, at_once.point, rtol=1e-6)
    assert got.coverage[0.9][1] == at_once.coverage[0.9][1]


def test_advance_counts_how_its_quantiles_fared() -> None:
    history = daily(9, noise=3)
    fitted = forecast_one(series(history), 12)
    got = fitted
    for _ in range(200):  # load far above anything seen
        got = advance([got.state], [[1000.0]], 12)[0]
    assert got.coverage[0.9][0] < fitted.coverage[0.9][0]
    refit = forecast_one(series(history), 12, state=got.state)
    assert refit.coverage[0.9] == pytest.approx(got.coverage[0.9], abs=1e-6)


def test_a_state_of_another_kind_is_no_obstacle() -> None:
    other = forecast_one(series(daily(9), step=60), 12).state
    plain = forecast_one(series(daily(9)), 12)
    got = forecast_one(series(daily(9)), 12, state=other)
    np.testing.assert_array_equal(got.point, plain.point)
    assert got.coverage == plain.coverage


def test_advance_from_nothing_learns() -> None:
    got = forecast_one(series([]), 12)
    for value in daily(3):
        got = advance([got.state], [[value]], 12)[0]
    assert got.history_rung == "Days"
    assert np.abs(got.point - daily(3 + 12 / DAY)[-12:]).mean() < 15


def test_more_steps_may_be_asked_than_were_fitted() -> None:
    fitted = forecast_one(series(daily(9, noise=1)), 12)
    got = advance([fitted.state], [[]], DAY)[0]
    assert_sound(got, DAY)
    assert np.abs(got.point - daily(10)[9 * DAY :]).mean() < 5


def test_batch_of_mixed_states() -> None:
    many = [series(daily(9)), series(daily(2, day=180), step=2, seasons=(360,)), series([])]
    fitted = forecast_many(many, 20)
    news = [[1.0, 2.0], [], [3.0]]
    together = advance([f.state for f in fitted], news, 20)
    for f, new, got in zip(fitted, news, together, strict=True):
        np.testing.assert_allclose(advance([f.state], [new], 20)[0].point, got.point, rtol=1e-12)


@pytest.mark.parametrize(
    ("step", "seasons", "day", "horizon"),
    [
        (300, None, 288, 288),
        (300, (86_400, 2_592_000), 288, 12),
        (3600, None, 24, 24),
        (2, (360,), 180, 20),
        (3, (360,), 120, 10),
        (2, (360, 2520), 180, 20),
        (1, (60,), 60, 5),
        (60, None, 1440, 60),
        (15, None, 5760, 240),
        (2, (480, 3360), 240, 240),
    ],
)
def test_state_stays_small(step: float, seasons: tuple[int, ...] | None, day: int, horizon: int) -> None:
    got = forecast_one(series(daily(20, noise=5, day=day), step=step, seasons=seasons), horizon)
    for _ in range(3):
        longest = max([day, *(s / step for s in got.seasons)])
        limit = 65_536 if step >= 300 else 32 * (longest + horizon)
        assert len(pickle.dumps(got.state)) <= limit
        got = advance([got.state], [np.ones(50)], horizon)[0]


def values_of(got: Forecast) -> list[FloatArray]:
    return [got.point, *got.quantiles.values()]


def test_equal_input_gives_equal_output() -> None:
    given = series(daily(9, noise=3))
    a, b = forecast_one(given, 12), forecast_one(given, 12)
    for x, y in zip(values_of(a), values_of(b), strict=True):
        np.testing.assert_array_equal(x, y)
    assert pickle.dumps(a.state) == pickle.dumps(b.state)
    c, d = (advance([s], [[1.0]], 12)[0] for s in (a.state, b.state))
    for x, y in zip(values_of(c), values_of(d), strict=True):
        np.testing.assert_array_equal(x, y)
