"""Seasons other than the day and the week: the hour of cron jobs, and whatever length a user gives."""

from __future__ import annotations

import numpy as np
import pytest

from presage.core.forecast.api import Effort, Forecast, Series, forecast_many, forecast_one
from presage.core.forecast.types import FloatArray

BOTH = pytest.mark.parametrize("effort", ["batch", "full"])


def cron(step: int, days: float, noise: float = 1.0) -> FloatArray:
    """A load of 10 that stands at 100 from minute 5 to minute 10 of each hour."""
    second = step * np.arange(round(days * 86_400 / step)) % 3600
    load = np.where((second >= 300) & (second < 600), 100.0, 10.0)
    return load + np.random.default_rng(0).normal(0, noise, len(load))


@BOTH
@pytest.mark.parametrize("days", [1.2, 4, 9])
@pytest.mark.parametrize("step", [60, 300])
@pytest.mark.parametrize("minutes_before", [5, 30])
def test_an_hourly_spike_is_forecast_at_its_minute(effort: Effort, days: float, step: int, minutes_before: int) -> None:
    load = cron(step, days + 1)
    end = (round(days * 86_400) // 3600 * 3600 + 300 - 60 * minutes_before) // step
    horizon = 3600 // step
    got = forecast_one(Series(load[:end], 0, step), horizon, effort=effort)
    second = step * np.arange(end, end + horizon) % 3600
    spike = (second >= 300) & (second < 600)
    assert spike.sum() == 300 // step
    assert (got.point[spike] > 80).all()
    assert (got.point[~spike] < 25).all()
    assert 3600 in got.seasons or got.seasons == (86_400,), "an hour that repeats, repeats daily too"


def wave(season: float, step: float, slots: int, share: float = 0.5) -> FloatArray:
    """A load of 100 with a wave of so many seconds, of `share` of it, and some noise."""
    at = step * np.arange(slots)
    return 100 * (1 + share * np.sin(2 * np.pi * at / season)) + np.random.default_rng(1).normal(0, 2, slots)


def error(got: Forecast, truth: FloatArray) -> float:
    return float(np.abs(got.point - truth).mean())


@BOTH
@pytest.mark.parametrize(
    ("season", "step"),
    [
        pytest.param(5_400, 60, id="90 min at 1 min"),
        pytest.param(2_220, 60, id="37 min at 1 min"),
        pytest.param(2_220, 15, id="37 min at 15 s"),
        pytest.param(5_400, 300, id="90 min at 5 min: fewer slots than a day needs"),
        pytest.param(360, 1, id="a compressed day of 360 s at 1 s"),
        pytest.param(360, 2, id="a compressed day at 2 s"),
        pytest.param(361, 2, id="no multiple of the step"),
        pytest.param(1_000, 7.3, id="nor of a broken step"),
        pytest.param(30_000, 300, id="longer than shifts, shorter than days"),
        pytest.param(10 * 86_400, 3600, id="ten days at 1 h"),
    ],
)
def test_a_given_season_of_any_length_is_foreseen(effort: Effort, season: int, step: float) -> None:
    slots = round(6.3 * season / step)
    horizon = max(2, round(season / step))
    load = wave(season, step, slots + horizon)
    got = forecast_one(Series(load[:slots], 0, step, (season,)), horizon, effort=effort)
    assert error(got, load[slots:]) < 6, "the wave is of 50, the noise of 2"
    assert got.seasons == (season,)
    assert not got.warnings


@BOTH
@pytest.mark.parametrize(
    ("seasons", "step"),
    [
        pytest.param((360, 2520), 2, id="a compressed day and its week"),
        pytest.param((5_400, 86_400), 300, id="90 minutes and a day"),
        pytest.param((28_800, 86_400), 300, id="shifts and a day"),
    ],
)
def test_several_given_seasons_are_foreseen_together(effort: Effort, seasons: tuple[int, int], step: float) -> None:
    short, long = seasons
    slots, horizon = round(9.4 * long / step), round(short / step)
    load = wave(short, step, slots + horizon, 0.3) + wave(long, step, slots + horizon, 0.3)
    got = forecast_one(Series(load[:slots], 0, step, seasons), horizon, effort=effort)
    assert error(got, load[slots:]) < 10, "the waves are of 30 each, the noise of 3"
    assert got.seasons == seasons
    reverse = forecast_one(Series(load[:slots], 0, step, seasons[::-1]), horizon, effort=effort)
    np.testing.assert_array_equal(got.point, reverse.point)


@BOTH
def test_two_given_seasons_that_have_nothing_in_common_beat_each_naive_forecast(effort: Effort) -> None:
    short, long = 37, 90
    load = wave(short, 1, 14 * long, 0.3) + wave(long, 1, 14 * long, 0.3)
    origins = range(10 * long, 13 * long, 17)
    many = [Series(load[:o], 0, 60, (60 * short, 60 * long)) for o in origins]
    got = forecast_many(many, short, effort=effort)
    ours = np.mean([error(f, load[o : o + short]) for f, o in zip(got, origins, strict=True)])
    for back in (short, long):
        naive = np.mean([np.abs(load[o - back : o - back + short] - load[o : o + short]).mean() for o in origins])
        assert ours < naive
    assert ours < np.mean([np.abs(load[o - 1] - load[o : o + short]).mean() for o in origins])


@BOTH
def test_a_season_given_twice_counts_once(effort: Effort) -> None:
    load = wave(360, 2, 1500)
    once, twice = (forecast_one(Series(load, 0, 2, s), 20, effort=effort) for s in ((360,), (360, 360)))
    np.testing.assert_array_equal(once.point, twice.point)


def test_a_season_within_a_slot_is_named_and_the_others_count() -> None:
    load = wave(86_400, 3600, 24 * 9)
    got = forecast_one(Series(load[:-24], 0, 3600, (1800, 86_400)), 24)
    assert "1800" in got.warnings[0]
    assert got.seasons == (86_400,)
    assert error(got, load[-24:]) < 6
