"""A calendar from spec to forecast, decision, status and events, with fake ports and the real forecaster."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from presage.core.faults import SourceFault
from presage.core.forecast.api import Forecast
from presage.core.scaling.foresight import ForecastMemory, adjust
from presage.core.source_reading import TickSample
from presage.reconcile.kind import Decision
from presage.reconcile.metricprofile.inputs import ProfileMemory, ProfilePlan
from presage.reconcile.ports import Json
from tests.unit.reconcile.fakes import NOW, PODS, World, make_world, rfc3339
from tests.unit.reconcile.looking import conditions, go_silent, look, stop

STEP = 300
DAY = 86_400
Found = Decision[ProfilePlan, ProfileMemory]


def window(start: float, end: float, effect: Json, **more: Any) -> Json:
    return {"name": "sale", "from": rfc3339(start), "to": rfc3339(end), "effect": effect, **more}


def minimum(start: float = 600, end: float = 1200, replicas: int = 9, **more: Any) -> Json:
    return window(NOW + start, NOW + end, {"minimum": replicas}, **more)


def set_calendar(world: World, *windows: Json, **more: Any) -> None:
    world.objects.bodies[("MetricProfile", "team", "shop")]["spec"]["calendar"] = {"windows": list(windows), **more}


def weekly(now: float, low_weekday: int | None = None) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return the last seven days at 300 s: a daily wave about 500, one day of the week a tenth of it."""
    at = (now // STEP - 2016 + np.arange(2016)) * STEP
    load = 500 * (1 + 0.5 * np.sin(2 * np.pi * at / DAY))
    weekday = (at // DAY + 3) % 7  # 1970 began on a Thursday
    return np.where(weekday == low_weekday, load / 10, load).astype(np.float32)


def base_of(found: Found) -> Forecast:
    memory = found.memory.measures["load"].forecast
    assert memory is not None
    return memory.forecast


def forecast_of(found: Found) -> ForecastMemory:
    """Return the forecast with the calendar in it, as decisions and status have it."""
    memory = found.memory.measures["load"].forecast
    assert memory is not None
    return adjust(memory)


def upper(memory: ForecastMemory) -> np.ndarray[Any, np.dtype[np.float64]]:
    return memory.forecast.quantiles[0.9]


def at_noon(day: str) -> float:
    return datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=UTC).timestamp()


def wave_world(now: float = NOW, low_weekday: int | None = None, **options: Any) -> World:
    world = make_world(**options)
    world.clock.time = now
    world.loads.values = weekly(now, low_weekday)
    world.loads.sample = TickSample(float(world.loads.values[-1]), now, PODS)
    return world


async def test_a_forecast_is_multiplied_in_the_window_and_shown_so() -> None:
    plain = forecast_of(await look(wave_world()))
    world = wave_world()
    set_calendar(world, window(NOW + 600, NOW + 1200, {"multiply": "3"}))
    found = await look(world)
    memory = forecast_of(found)
    factor = upper(memory) / upper(plain)
    assert factor.max() == pytest.approx(3.0)
    assert factor[0] == pytest.approx(1.0)
    assert factor[-1] == pytest.approx(1.0)
    for name, curve in memory.outlook.curves.items():
        np.testing.assert_allclose(curve / plain.outlook.curves[name], factor, err_msg=name)
    shown = found.status["forecast"]["next"]  # type: ignore[index]  # status is plain JSON
    assert max(point["p50"] for point in shown) == pytest.approx(memory.outlook.median.max(), rel=0.01)


async def test_replicas_for_a_multiplied_load_are_there_before_it() -> None:
    world = wave_world(scaling={"leadTimeSeconds": 300, "maxReplicas": 100}, replicas=12, pods=12)
    start = NOW // STEP * STEP + 600
    set_calendar(world, window(start, start + 900, {"multiply": "3"}))
    found = await look(world)
    assert found.plan is not None
    assert (found.plan.why, found.plan.replicas > 20) == ("Forecast", True), "three times 7 or 8"


async def test_what_was_multiplied_is_learned_without_its_factor() -> None:
    """The wave comes back tomorrow, the sale does not."""
    want = forecast_of(await look(wave_world()))
    world = wave_world()
    yesterday = slice(-288, -288 + 24)
    start = (NOW // STEP - 288) * STEP
    world.loads.values[yesterday] *= 4
    spoiled = forecast_of(await look(world))
    set_calendar(world, window(start, start + 24 * STEP, {"multiply": "4"}))
    got = forecast_of(await look(world))
    np.testing.assert_allclose(got.outlook.median, want.outlook.median, rtol=1e-3)
    assert np.abs(upper(spoiled) - upper(want)).max() > 3 * np.abs(upper(got) - upper(want)).max()


async def test_what_is_ignored_is_learned_by_no_tier() -> None:
    world = wave_world()
    start = (NOW // STEP - 100) * STEP
    world.loads.values[-100:-80] = 0
    set_calendar(world, window(start, start + 20 * STEP, {"ignore": True}))
    await look(world)
    asked = world.forecaster.fits[-1].series.values
    assert list(np.flatnonzero(np.isnan(asked))) == list(range(2016 - 100, 2016 - 80))


async def test_in_a_time_to_ignore_replicas_follow_the_load_and_are_there_for_its_end() -> None:
    """Maintenance takes the load away. The forecast asks for nothing in it, but for what comes after it."""
    world = wave_world(scaling={"leadTimeSeconds": 300, "stabilizationWindowSeconds": 0}, replicas=12, pods=12)
    slot = NOW // STEP * STEP
    world.loads.sample = TickSample(20.0, NOW, PODS)
    set_calendar(world, window(slot - 600, slot + 1800, {"ignore": True}))
    found = await look(world)
    assert found.plan is not None
    assert found.plan.replicas < 12, "no forecast keeps them"
    assert {point["p50"] > 0 for point in found.status["forecast"]["next"]} == {True}  # type: ignore[index]
    world.clock.time = slot + 1500
    world.loads.sample = TickSample(20.0, world.clock.time, PODS)
    world.loads.values = np.roll(world.loads.values, -5)
    world.watched.objects["deployments"][0]["replicas"] = 2
    found = await look(world, found.memory)
    assert found.plan is not None
    assert (found.plan.why, found.plan.replicas > 6) == ("Forecast", True), "they are there when it ends"


async def test_a_newest_slot_to_ignore_is_no_reason_for_a_fit() -> None:
    world = wave_world()
    set_calendar(world, window(NOW, NOW + 3600, {"ignore": True}))
    memory = (await look(world)).memory
    world.clock.time += 2 * STEP
    world.loads.values = np.roll(world.loads.values, -2)
    world.loads.values[-2:] = 0
    world.loads.sample = TickSample(0.0, world.clock.time, PODS)
    await look(world, memory)
    assert world.forecaster.forecasts == 1


async def test_a_holiday_is_like_a_sunday() -> None:
    """Christmas 2023 was a Monday; the Sunday before it had a tenth of the load of other days."""
    now = at_noon("2023-12-25")
    plain = forecast_of(await look(wave_world(now, low_weekday=6))).outlook
    world = wave_world(now, low_weekday=6)
    set_calendar(world, holidays={"country": "DE"})
    found = await look(world)
    sunday = weekly(now, 6)[-288 : -288 + 12]
    np.testing.assert_allclose(forecast_of(found).outlook.median, sunday, rtol=1e-4)
    assert plain.median.mean() > 3 * sunday.mean()
    calendar = found.status["scaling"]["calendar"]  # type: ignore[index]
    assert calendar["inForce"] == [
        {
            "name": "Christmas Day",
            "from": "2023-12-25T00:00:00Z",
            "to": "2023-12-26T00:00:00Z",
            "effect": "LikeDay Sunday",
        }
    ]
    assert calendar["next"]["name"] == "Second Day of Christmas"
    assert found.status["forecast"]["warnings"][0] == (  # type: ignore[index]
        "144 slots of the history count as missing, since the calendar leaves them out."
    )


async def test_a_holiday_in_the_calendars_zone() -> None:
    """At noon UTC of the 24th it is Christmas in Auckland."""
    world = wave_world(at_noon("2023-12-24"), low_weekday=6)
    set_calendar(world, holidays={"country": "DE"}, timeZone="Pacific/Auckland")
    calendar = (await look(world)).status["scaling"]["calendar"]  # type: ignore[index]
    assert calendar["inForce"][0]["from"] == "2023-12-24T11:00:00Z"
    spec = world.objects.bodies[("MetricProfile", "team", "shop")]["spec"]
    del spec["calendar"]["timeZone"]
    spec["forecast"]["timeZone"] = "Pacific/Auckland"
    assert (await look(world)).status["scaling"]["calendar"] == calendar, "the forecast's zone counts by default"  # type: ignore[index]


async def test_without_such_a_day_the_plain_forecast_stands_and_says_so() -> None:
    world = wave_world()
    plain = forecast_of(await look(world)).outlook
    world.loads.values = world.loads.values[-288:]
    short = forecast_of(await look(world)).outlook
    set_calendar(world, window(NOW, NOW + 7200, {"likeDay": "Sunday"}))
    found = await look(world)
    np.testing.assert_array_equal(forecast_of(found).outlook.median, short.median)
    warnings = found.status["forecast"]["warnings"]  # type: ignore[index]
    assert warnings[0] == "LikeDay Sunday: no such day is in the history, so the forecast stays as it is."
    assert len(plain.median) == len(short.median)


@pytest.mark.parametrize("effect", [{"likeDay": "Sunday"}, {"ignore": True}, {"multiply": "2"}, {"minimum": 3}])
async def test_compressed_days_take_every_effect(effect: Json) -> None:
    forecast = {"stepSeconds": 5, "historySeconds": 2400, "horizonSeconds": 120, "seasonsSeconds": [480]}
    world = make_world(forecast=forecast)
    world.loads.values = (100 + 50 * np.sin(np.arange(480) / 96 * 2 * np.pi)).astype(np.float32)
    set_calendar(world, window(NOW - 300, NOW + 60, effect), holidays={"country": "US"})
    memory = None
    for _ in range(4):
        world.clock.time += 5
        world.loads.sample = TickSample(100.0, world.clock.time, PODS)
        found = await look(world, memory)
        memory = found.memory
        assert np.isfinite(upper(forecast_of(found))).all()


async def test_another_calendar_makes_the_forecast_anew_and_the_same_does_not() -> None:
    world = wave_world()
    first = await look(world)
    again = await look(world, first.memory)
    assert (base_of(again) is base_of(first), world.forecaster.forecasts) == (True, 1)
    set_calendar(world, window(NOW + 600, NOW + 1200, {"multiply": "3"}))
    changed = await look(world, again.memory)
    assert world.forecaster.forecasts == 2
    assert upper(forecast_of(changed)).max() > 2 * upper(forecast_of(first)).max()
    world.loads.history_fault = SourceFault("Unreachable", "MetricSource main: no connection.")
    set_calendar(world)
    kept = await look(world, changed.memory)
    assert base_of(kept) is base_of(changed), "without a history the old one is kept"
    assert upper(forecast_of(kept)).max() == upper(forecast_of(changed)).max()
    world.loads.history_fault = None
    after = await look(world, kept.memory)
    assert upper(forecast_of(after)).max() < upper(forecast_of(changed)).max() / 2


async def test_a_full_fit_that_is_done_is_multiplied_too() -> None:
    world = wave_world()
    set_calendar(world, window(NOW + 600, NOW + 1200, {"multiply": "3"}))
    first = await look(world)
    full = world.forecaster.fits[-1].succeed()
    taken = forecast_of(await look(world, first.memory))
    assert taken.tier == "full"
    assert (taken.outlook.median / full.point).max() == pytest.approx(3.0)


async def test_a_minimum_is_asked_for_one_lead_time_ahead() -> None:
    world = make_world()  # a lead time of 75 s
    set_calendar(world, minimum())
    found = await look(world)
    assert (found.plan.replicas if found.plan else 2) < 9
    world.clock.time = NOW + 600 - 76
    world.loads.sample = TickSample(100.0, world.clock.time, PODS)
    found = await look(world, found.memory)
    assert found.binding != "Calendar"
    world.clock.time = NOW + 600 - 75
    found = await look(world, found.memory)
    assert found.plan == ProfilePlan("shop", 2, 9, "Calendar")
    assert found.status["scaling"]["bindingReason"] == "Calendar"  # type: ignore[index]
    assert "; calendar 9 (sale)" in found.status["scaling"]["explain"]  # type: ignore[index]
    assert found.status["scaling"]["calendar"] == {  # type: ignore[index]
        "minimum": 9,
        "next": {"name": "sale", "from": rfc3339(NOW + 600), "to": rfc3339(NOW + 1200), "effect": "Minimum 9"},
    }


@pytest.mark.parametrize("trouble", [stop, go_silent])
async def test_a_minimum_holds_without_data_and_its_end_lowers_nothing(trouble: Any) -> None:
    world = make_world()
    set_calendar(world, minimum(start=0))
    trouble(world)
    found = await look(world)
    assert found.plan == ProfilePlan("shop", 2, 9, "Calendar")
    assert conditions(found)["DataAvailable"].status == "False"
    world.watched.objects["deployments"][0]["replicas"] = 9
    assert (await look(world, found.memory)).binding == "Calendar"
    for later in (1200, 1300, 5000):
        world.clock.time = NOW + later
        found = await look(world, found.memory)
        assert (found.plan, found.binding) == (None, "Hold")


async def test_after_a_minimum_replicas_fall_like_after_any_load() -> None:
    world = make_world(replicas=9, pods=9, scaling={"stabilizationWindowSeconds": 60, "maxDownPercent": 100})
    set_calendar(world, minimum(start=-600, end=60))
    memory, replicas = None, []
    for later in range(0, 241, 15):
        world.clock.time = NOW + later
        world.loads.sample = TickSample(100.0, world.clock.time, PODS)
        found = await look(world, memory)
        memory = found.memory
        replicas.append(found.plan.replicas if found.plan else 9)
        if found.plan:
            break
    assert replicas[-1] == 3, "the need"
    assert (len(replicas) - 1) * 15 == 45 + 60, "a stabilization window after the last decision that wanted it"


async def test_a_minimum_never_goes_above_the_maximum_nor_below_the_need() -> None:
    world = make_world()
    set_calendar(world, minimum(start=0, replicas=500))
    found = await look(world)
    assert found.plan == ProfilePlan("shop", 2, 20, "Calendar")
    world.loads.sample = TickSample(600.0, NOW, PODS)
    set_calendar(world)
    want = (await look(world)).plan
    set_calendar(world, minimum(start=0, replicas=3))
    assert want is not None
    assert (await look(world)).plan == want
    assert (want.why, want.replicas > 12) == ("Reactive", True)


@pytest.mark.parametrize(("mode", "binding"), [("DryRun", "Calendar"), ("Off", "")])
async def test_a_minimum_is_written_in_no_other_mode(mode: str, binding: str) -> None:
    world = make_world(scaling={"mode": mode})
    set_calendar(world, minimum(start=0))
    found = await look(world)
    assert (found.plan, found.binding) == (None, binding)
    assert found.status["scaling"]["calendar"]["inForce"][0]["name"] == "sale"  # type: ignore[index]


async def test_a_window_tells_once_that_it_begins_and_once_that_it_ends() -> None:
    world = make_world()
    set_calendar(world, minimum(start=0, end=60), minimum(start=30, end=60) | {"name": "other"})
    memory, told = None, []
    for later in range(-15, 100, 15):
        world.clock.time = NOW + later
        found = await look(world, memory)
        memory = found.memory
        told += [(later, note.reason, note.message) for note in found.notes if note.reason.startswith("Calendar")]
    end = rfc3339(NOW + 60)
    assert told == [
        (0, "CalendarBegan", f"In the calendar begins: sale (Minimum 9, until {end})."),
        (30, "CalendarBegan", f"In the calendar begins: other (Minimum 9, until {end})."),
        (60, "CalendarEnded", "In the calendar ends: other, sale."),
    ]


async def test_after_a_restart_what_is_in_force_is_no_news() -> None:
    world = make_world()
    set_calendar(world, minimum(start=-60))
    assert (await look(world)).notes == ()


async def test_an_object_without_a_calendar_says_nothing_of_one() -> None:
    found = await look(make_world())
    assert "calendar" not in found.status["scaling"]  # type: ignore[operator]
    assert "calendar" not in found.status["scaling"]["explain"]  # type: ignore[index]
