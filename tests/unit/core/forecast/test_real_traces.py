"""What must come out for four loads that are hard in different ways, each a real trace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from presage.core.forecast.api import Effort, Forecast, Series, forecast_many
from presage.core.forecast.types import FloatArray
from presage.core.samples import Grid, mean_per_slot, rate_per_slot
from tests.unit.core.forecast.traces import read_trace

BOTH = pytest.mark.parametrize("effort", ["batch", "full"])
DAY_SECONDS = 86_400


@dataclass(frozen=True)
class Played:
    """Forecasts from several origins, the last slots known, and what came."""

    got: list[Forecast]
    truth: FloatArray  # (origins, h), NaN = unknown

    def error(self, said: FloatArray | None = None) -> FloatArray:
        """Absolute error of each slot, (origins, h); of the point unless something else is given."""
        return np.abs(np.stack([f.point for f in self.got]) - self.truth if said is None else said - self.truth)

    def coverage(self, level: float) -> float:
        """Share of known truths at or below a quantile."""
        known = np.isfinite(self.truth)
        return float((self.truth <= self.curve(level))[known].mean())

    def curve(self, level: float) -> FloatArray:
        return np.stack([f.quantiles[level] for f in self.got])

    def pinball(self, level: float, said: FloatArray) -> float:
        over = self.truth - said
        return float(np.nanmean(np.maximum(level * over, (level - 1) * over)))


def play(grid: Grid, origins: Sequence[int], horizon: int, effort: Effort, keep: int = 21) -> Played:
    """Forecast from each origin with the `keep` days before it; nothing after it is in the array."""
    kept = round(keep * DAY_SECONDS / grid.step)
    series = []
    for origin in origins:
        first = max(0, origin - kept)
        series.append(Series(grid.values[first:origin].copy(), grid.start + first * grid.step, grid.step))
    truth = np.stack([grid.values[o : o + horizon] for o in origins])
    return Played(forecast_many(series, horizon, effort=effort), truth)


def before(grid: Grid, origins: Sequence[int], horizon: int, slots: int) -> FloatArray:
    """(origins, horizon) values so many slots before each truth."""
    return np.stack([grid.values[o - slots : o - slots + horizon] for o in origins])


def spaced(first: int, last: int, effort: Effort, many: int = 40, few: int = 6) -> list[int]:
    """Origins from `first` to `last`; fewer of them where each is dear."""
    return [round(x) for x in np.linspace(first, last, many if effort == "batch" else few)]


def assert_bands_are_sound(played: Played) -> None:
    for f in played.got:
        low, middle, high = (f.quantiles[level] for level in (0.5, 0.9, 0.95))
        assert np.isfinite(high).all()
        assert (low >= 0).all()
        assert (low <= middle).all()
        assert (middle <= high).all()


def test_prom_counter_raw_resets_and_jitter_leave_no_trace() -> None:
    times, counter = read_trace("prom_counter_raw")
    plain = rate_per_slot(times, counter, 300)
    assert np.isfinite(plain.values).all()
    assert plain.values.min() > 0
    rng = np.random.default_rng(1)
    one_scrape = np.diff(counter).max() / 300

    restarted = counter.copy()
    for i in np.sort(rng.choice(np.arange(1, len(counter)), 12, replace=False)):
        restarted[i:] -= restarted[i]  # back to zero; what was gained since the scrape before is lost
    assert (np.diff(restarted) < 0).sum() == 12
    got = rate_per_slot(times, restarted, 300)
    assert (got.values <= plain.values + 1e-9).all(), "a reset is no spike"
    assert (got.values >= plain.values - 2.01 * one_scrape).all(), "nor a rate of nothing or less"

    shaken = times + rng.uniform(-25, 25, len(times))
    shaken[[0, -1]] = times[[0, -1]]
    order = rng.permutation(len(times))
    got = rate_per_slot(shaken[order], np.interp(shaken, times, counter)[order], 300)
    np.testing.assert_allclose(got.values, plain.values, atol=0.02 * one_scrape * 5)
    assert got.unsorted > 1000


@BOTH
def test_prom_counter_raw_is_forecast_at_its_rate(effort: Effort) -> None:
    times, counter = read_trace("prom_counter_raw")
    grid = rate_per_slot(times, counter, 300)
    played = play(grid, [len(grid.values) - 12], 12, effort)
    assert_bands_are_sound(played)
    np.testing.assert_allclose(played.got[0].point, np.median(grid.values), rtol=0.02)
    assert (played.got[0].quantiles[0.95] <= 1.2 * np.median(grid.values)).all()


ROAD_DAY = 96  # slots of 15 minutes


def road() -> tuple[Grid, int, int]:
    """A grid with a third of the slots unknown; the first and last one of a hole of three and a half days."""
    grid = mean_per_slot(*read_trace("road_occupancy"), 900)
    known = np.flatnonzero(np.isfinite(grid.values))
    longest = int(np.diff(known).argmax())
    return grid, int(known[longest]) + 1, int(known[longest + 1]) - 1


def test_road_occupancy_has_a_hole_not_zeros() -> None:
    grid, first, last = road()
    assert 3 * ROAD_DAY <= last - first + 1 <= 4 * ROAD_DAY
    assert np.isnan(grid.values[first : last + 1]).all()


@BOTH
@pytest.mark.parametrize("horizon", [4, ROAD_DAY], ids=["hour", "day"])
def test_road_occupancy_after_the_hole_beats_yesterday(effort: Effort, horizon: int) -> None:
    grid, _, last = road()
    origins = spaced(last + 4, len(grid.values) - horizon, effort, 60, 30)
    played = play(grid, origins, horizon, effort)
    assert_bands_are_sound(played)
    yesterday = before(grid, origins, horizon, ROAD_DAY)
    both = np.isfinite(played.truth) & np.isfinite(yesterday)
    assert both.sum() > 100 if horizon > 4 or effort == "batch" else both.sum() > 15
    assert played.error()[both].mean() <= played.error(yesterday)[both].mean()
    assert 0.85 <= played.coverage(0.9) <= 0.97


@BOTH
def test_road_occupancy_on_the_first_day_after_the_hole(effort: Effort) -> None:
    """Yesterday is unknown then; the forecast is level with the same slot of the last day that is known, or better."""
    grid, first, last = road()
    origins = spaced(last + 2, last + ROAD_DAY // 2, effort, 24, 6)
    played = play(grid, origins, 12, effort)
    days = -(-(last + ROAD_DAY - first) // ROAD_DAY) * ROAD_DAY
    old = before(grid, origins, 12, days)
    both = np.isfinite(played.truth) & np.isfinite(old)
    assert both.sum() > 20
    assert played.error()[both].mean() <= played.error(old)[both].mean()
    assert played.coverage(0.9) >= 0.8


@BOTH
def test_masked_slots_enter_no_loss(effort: Effort) -> None:
    """Yesterday's value of a load of plain noise is off by 2/sqrt(pi) of its spread, hole or no hole.

    A hole filled from the day before would look foretold without error, one filled with a line or zeros otherwise.
    """
    values = 100 + 10 * np.random.default_rng(3).normal(size=(12, 14 * ROAD_DAY))
    values[:, 9 * ROAD_DAY : 13 * ROAD_DAY - 20] = np.nan
    got = forecast_many([Series(v, 0, 900) for v in values], ROAD_DAY, effort=effort)
    known = np.mean([f.naive["day"] for f in got], axis=0)
    np.testing.assert_allclose(known[np.isfinite(known)][-2:], 10 * 2 / np.sqrt(np.pi), rtol=0.15)


def sparse() -> Grid:
    """Mentions in 5 minutes; three slots of four are zero."""
    return mean_per_slot(*read_trace("tweets_cvs"), 300)


@BOTH
@pytest.mark.parametrize("horizon", [12, 288], ids=["hour", "day"])
def test_tweets_cvs_beats_yesterday_and_is_covered(effort: Effort, horizon: int) -> None:
    grid = sparse()
    origins = spaced(22 * 288, len(grid.values) - horizon, effort, 40, 20)
    played = play(grid, origins, horizon, effort)
    assert_bands_are_sound(played)
    assert played.error().mean() < 0.9 * played.error(before(grid, origins, horizon, 288)).mean()
    assert (played.curve(0.9) > 0).mean() >= 0.75
    assert 0.86 <= played.coverage(0.9) <= 0.97
    assert 0.91 <= played.coverage(0.95) <= 0.99


def cold_start() -> tuple[Grid, int]:
    """A service that idles for five days and has spikes from then on; the slot in which it was switched on."""
    grid = mean_per_slot(*read_trace("svc_cold_start"), 300)
    return grid, int(np.flatnonzero(grid.values > 0.1 * np.nanmax(grid.values))[0])


@BOTH
def test_svc_cold_start_idle_is_forecast_as_idle(effort: Effort) -> None:
    grid, on = cold_start()
    played = play(grid, spaced(on - 288, on - 12, effort, 12, 3), 12, effort)
    idle, running = np.median(grid.values[:on]), np.median(grid.values[on:])
    assert idle < running / 50
    for f in played.got:
        assert idle / 2 < np.median(f.point) < 2 * idle
    assert all(f.shift_at is None for f in played.got)


@BOTH
@pytest.mark.parametrize("slots_after", [72, 144])
def test_svc_cold_start_the_point_follows_the_new_level(effort: Effort, slots_after: int) -> None:
    """From six hours after the switch on, when a shift is told from a burst, for the whole day ahead."""
    grid, on = cold_start()
    point = play(grid, [on + slots_after], 288, effort).got[0].point
    level = np.median(grid.values[on : on + 288])
    assert np.median(point[:12]) == pytest.approx(level, rel=0.25)
    assert np.median(point) == pytest.approx(level, rel=0.25)
    assert point.min() > 0.5 * level, "no hour ahead is forecast as idle, as yesterday was"


@BOTH
def test_svc_cold_start_the_switch_is_found_and_dated(effort: Effort) -> None:
    grid, on = cold_start()
    switched = grid.start + on * grid.step
    played = play(grid, [on + 84, on + 144, on + 288], 12, effort)
    for f in played.got:
        assert f.shift_at is not None
        assert abs(f.shift_at - switched) <= 1800


@BOTH
def test_svc_cold_start_the_third_day_on_and_some_later_ones(effort: Effort) -> None:
    grid, on = cold_start()
    origins = spaced(on + 3 * 288, len(grid.values) - 288, effort, 8, 8)
    played = play(grid, origins, 288, effort)
    yesterday = before(grid, origins, 288, 288)
    assert played.error().mean() <= played.error(yesterday).mean()
    assert 0.85 <= played.coverage(0.9) <= 0.97


@BOTH
def test_svc_cold_start_later_days_beat_yesterday(effort: Effort) -> None:
    grid, on = cold_start()
    origins = spaced(on + 3 * 288, len(grid.values) - 288, effort, 30, 30)
    played = play(grid, origins, 288, effort)
    assert_bands_are_sound(played)
    assert played.error().mean() <= played.error(before(grid, origins, 288, 288)).mean()
    assert 0.85 <= played.coverage(0.9) <= 0.97
