"""When the forecast is moved on and when it is fitted anew; the tiers are real, when a full fit is done is played."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from presage.core.faults import SourceFault
from presage.core.forecast.api import forecast_one
from presage.core.scaling.foresight import LONGEST_WITHOUT_FIT, ForecastMemory, is_due
from presage.reconcile.metricprofile.inputs import ProfileMemory
from tests.unit.reconcile.fakes import NOW, DirectForecaster, World, make_world
from tests.unit.reconcile.looking import conditions, daily, look

STEP = 300
PERIOD = 12  # slots between two fits: an hour


class Player:
    """Plays decisions, one slot after the other."""

    def __init__(self) -> None:
        self.world: World = make_world()
        self.world.loads.values = daily(500)
        self.memory: ProfileMemory | None = None

    @property
    def forecaster(self) -> DirectForecaster:
        return self.world.forecaster

    async def decide(self, *, slots: int = 0, seconds: float = 0.0) -> ForecastMemory:
        """Decide, so many slots after the last time; return the forecast in force."""
        self.world.clock.time += slots * STEP + seconds
        self.world.loads.values = np.roll(self.world.loads.values, -slots)
        self.world.loads.sample = replace(self.world.loads.sample, newest_at=self.world.clock.time)
        decision = await look(self.world, self.memory)
        assert conditions(decision)["ForecastTrusted"].reason == "BacktestPassed"
        self.memory = decision.memory
        forecast = self.memory.measures["load"].forecast
        assert forecast is not None
        assert forecast.outlook.start <= self.world.clock.time + STEP
        return forecast

    def remember(self, forecast: ForecastMemory) -> None:
        """Put another forecast in force."""
        assert self.memory is not None
        load = replace(self.memory.measures["load"], forecast=forecast)
        self.memory = replace(self.memory, measures={"load": load})

    def next_load_times(self, factor: float) -> None:
        """Let the load of the slot that comes next be so many times what was expected."""
        self.world.loads.values[0] *= factor

    async def decide_until_asked(self, most: int = PERIOD) -> int:
        """Decide slot by slot until another full fit is asked for; return the slots it took."""
        before = len(self.forecaster.fits)
        for slot in range(1, most + 1):
            await self.decide(slots=1)
            if len(self.forecaster.fits) > before:
                return slot
        raise AssertionError(f"no fit was asked for in {most} slots")

    async def with_a_full_fit(self) -> ForecastMemory:
        await self.decide()
        self.forecaster.fits[-1].succeed()
        return await self.decide()


async def test_the_batch_tier_answers_first_and_the_full_tier_is_taken_over_once_it_is_done() -> None:
    player = Player()
    first = await player.decide()
    assert (first.tier, player.forecaster.forecasts, len(player.forecaster.fits)) == ("batch", 1, 1)
    assert (await player.decide(seconds=15)).forecast is first.forecast, "it is not done yet"
    full = player.forecaster.fits[0].succeed()
    taken = await player.decide(seconds=15)
    assert (taken.tier, taken.forecast) == ("full", full)
    np.testing.assert_array_equal(taken.outlook.median, full.point)
    assert (await player.decide(seconds=15)).forecast is full, "it is taken over once"
    assert len(player.forecaster.fits) == 1


async def test_a_full_fit_that_comes_late_is_moved_on_to_now() -> None:
    player = Player()
    await player.decide()
    await player.decide(slots=1)
    fit = player.forecaster.fits[0]
    fit.succeed()
    taken = await player.decide(slots=1)
    assert (taken.tier, taken.last_slot - taken.fitted_slot) == ("full", 2)
    assert taken.outlook.start == NOW // STEP * STEP + 2 * STEP
    anew = forecast_one(replace(fit.series, values=player.world.loads.values, start=fit.series.start + 2 * STEP), 12)
    assert taken.forecast.point == pytest.approx(anew.point, rel=0.05)


async def test_a_full_fit_that_failed_leaves_the_batch_tier_in_force() -> None:
    player = Player()
    first = await player.decide()
    player.forecaster.fits[0].fail()
    after = await player.decide(seconds=15)
    assert (after.tier, after.forecast) == ("batch", first.forecast)
    assert len(player.forecaster.fits) == 1, "the next one is asked for in its own time"
    await player.decide_until_asked()
    assert player.forecaster.forecasts == 2, "the batch tier is fitted anew meanwhile"
    player.forecaster.fits[1].succeed()
    assert (await player.decide(seconds=15)).tier == "full"


async def test_a_fit_that_never_ends_keeps_nobody_from_forecasts() -> None:
    player = Player()
    await player.decide()
    for _ in range(3 * PERIOD):
        memory = await player.decide(slots=1)
    assert memory.tier == "batch"
    assert len(player.forecaster.fits) == 1, "one fit of an object at a time"
    assert player.forecaster.forecasts == 1 + 3, "hourly, as without a full tier"


async def test_a_full_fit_moves_on_until_the_next_one_is_done() -> None:
    player = Player()
    fitted = (await player.with_a_full_fit()).fitted_slot
    await player.decide_until_asked()
    await player.decide(slots=PERIOD)
    assert len(player.forecaster.fits) == 2, "one fit at a time"
    player.forecaster.fits[1].fail()
    assert await player.decide_until_asked() == 1, "it is overdue"
    memory = await player.decide(slots=1)
    assert (memory.tier, memory.fitted_slot) == ("full", fitted)
    assert player.forecaster.forecasts == 1, "moved on, not fitted by the batch tier"
    player.forecaster.fits[2].succeed()
    memory = await player.decide(slots=1)
    assert (memory.tier, memory.fitted_slot > fitted) == ("full", True)


async def test_the_batch_tier_takes_over_where_full_fits_keep_failing() -> None:
    player = Player()
    await player.with_a_full_fit()
    tiers = []
    for _ in range((LONGEST_WITHOUT_FIT + 1) * PERIOD):
        tiers.append((await player.decide(slots=1)).tier)
        player.forecaster.fits[-1].fail()
    assert tiers[: LONGEST_WITHOUT_FIT * PERIOD - 1] == ["full"] * (LONGEST_WITHOUT_FIT * PERIOD - 1)
    assert tiers[-1] == "batch"


@pytest.mark.parametrize("factor", [pytest.param(3.0, id="upwards"), pytest.param(0.2, id="downwards")])
async def test_a_level_shift_is_fitted_at_once_and_an_older_fit_is_no_longer_waited_for(factor: float) -> None:
    player = Player()
    await player.with_a_full_fit()
    await player.decide_until_asked()
    old = player.forecaster.fits[-1]
    player.forecaster.shift_at = NOW
    assert (await player.decide(slots=1)).tier == "full", "the load is as expected: nobody looks for a shift"
    player.next_load_times(factor)
    shifted = await player.decide(slots=1)
    assert (shifted.tier, shifted.forecast.shift_at, len(player.forecaster.fits)) == ("batch", NOW, 3)
    old.succeed()
    assert (await player.decide(seconds=15)).tier == "batch", "the old one knows nothing of the new level"
    player.forecaster.fits[-1].succeed()
    assert (await player.decide(seconds=15)).tier == "full"


async def test_a_load_that_strays_without_a_shift_is_no_alarm() -> None:
    player = Player()
    await player.with_a_full_fit()
    player.next_load_times(3.0)
    memory = await player.decide(slots=1)
    assert (memory.tier, player.forecaster.forecasts) == ("full", 2), "it was looked for, and none was found"


@pytest.mark.parametrize(("later", "tier"), [(0, "full"), (PERIOD * STEP, "full"), (PERIOD * STEP + 1, "batch")])
async def test_a_shift_that_is_known_and_dated_anew_is_no_alarm(later: int, tier: str) -> None:
    player = Player()
    known = await player.with_a_full_fit()
    assert player.memory is not None
    player.remember(replace(known, forecast=replace(known.forecast, shift_at=NOW)))
    player.forecaster.shift_at = NOW + later
    player.next_load_times(3.0)
    assert (await player.decide(slots=1)).tier == tier


async def test_a_shift_that_is_taken_back_is_an_alarm() -> None:
    player = Player()
    known = await player.with_a_full_fit()
    player.remember(replace(known, forecast=replace(known.forecast, shift_at=NOW)))
    player.next_load_times(0.2)
    memory = await player.decide(slots=1)
    assert (memory.tier, memory.forecast.shift_at) == ("batch", None), "the level of the burst is not followed on"


async def test_after_a_restart_everything_is_made_anew() -> None:
    player = Player()
    await player.with_a_full_fit()
    player.memory = None
    assert (await player.decide(seconds=15)).tier == "batch"
    assert [fit.state for fit in player.forecaster.fits] == [None, None]


async def test_a_source_that_fails_when_a_fit_is_done_costs_neither_forecast_nor_fit() -> None:
    player = Player()
    await player.decide()
    await player.decide(slots=1)
    player.forecaster.fits[0].succeed()
    player.world.loads.history_fault = SourceFault("QueryFailed", "MetricSource main: it answers HTTP 500.")
    decision = await look(player.world, player.memory)
    kept = decision.memory.measures["load"].forecast
    assert kept is not None
    assert kept.tier == "batch"
    player.world.loads.history_fault = None
    player.memory = decision.memory
    taken = await player.decide(seconds=15)
    assert (taken.tier, taken.last_slot - taken.fitted_slot) == ("full", 1)
    assert len(player.forecaster.fits) == 1


def test_each_object_is_due_once_a_period_and_not_all_at_one_time() -> None:
    slots = range(10_000, 10_000 + 24 * PERIOD)
    due = {uid: [s for s in slots if is_due(s, s - 1, PERIOD, uid)] for uid in map(str, range(1000))}
    assert all(len(times) == 24 for times in due.values())
    assert all(b - a == PERIOD for times in due.values() for a, b in pairwise(times))
    at_once = np.bincount([times[0] - 10_000 for times in due.values()], minlength=PERIOD)
    assert at_once.min() > 1000 / PERIOD * 0.6
    assert at_once.max() < 1000 / PERIOD * 1.4


def test_a_slot_that_was_missed_makes_up_for_it() -> None:
    due = next(s for s in range(100, 200) if is_due(s, s - 1, PERIOD, "a"))
    assert is_due(due + 3, due - 1, PERIOD, "a")
    assert not is_due(due + 3, due, PERIOD, "a")
