"""The loads of event types: whose forecast is used, what is asked for, and what one that fails costs the others."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from presage.core.calendar.spec import Calendar
from presage.core.faults import SourceFault
from presage.core.profile import EventsByLabel
from presage.core.query import CounterLoad, Matcher
from presage.core.recording.found import Found, FoundEvent
from presage.core.recording.loads import EventLoad
from presage.core.source_reading import TickSample
from presage.reconcile.metricprofile.event_loads import look_for_events, observe_events
from presage.reconcile.metricprofile.gather import find_source
from presage.reconcile.metricprofile.inputs import EventMemory, MeasureMemory
from presage.reconcile.metricprofile.measuring import Asking, observe, recall_measures
from presage.reconcile.ports import Source
from presage.resources.metricprofile import MetricProfile
from tests.unit.reconcile.fakes import NOW, PODS, World, make_world
from tests.unit.reconcile.looking import daily

STEP = 300
ORDERS, QUOTES = CounterLoad("orders_total", (), 60.0), CounterLoad("quotes_total", (), 60.0)


@dataclass
class Player:
    """Looks at the loads of event types again and again."""

    recorded: frozenset[str] = frozenset({"order", "quote"})
    world: World = field(default_factory=make_world)
    measures: dict[str, MeasureMemory] = field(default_factory=dict)
    events: dict[str, EventMemory] = field(default_factory=dict)
    by_label: EventsByLabel | None = None
    found: Found = field(default_factory=Found)

    def give(self, *event_types: tuple[str, CounterLoad, str]) -> Player:
        """Let these be the event types: name, load and weight of each."""
        spec = self.world.objects.bodies[("MetricProfile", "team", "shop")]["spec"]
        spec["eventTypes"] = [
            {"name": name, "weight": weight, "load": {"counter": {"metric": load.metric}}}
            for name, load, weight in event_types
        ]
        return self

    async def look(self) -> dict[str, EventLoad]:
        """Return the load of each event type, by its name."""
        profile = MetricProfile.parse(self.world.objects.bodies[("MetricProfile", "team", "shop")])
        spec = replace(profile.spec.to_core(), recorded=self.recorded, by_label=self.by_label)
        found = find_source(self.world.objects, spec.source, "team")
        source = found if isinstance(found, Source) else None
        known = recall_measures(self.measures, spec, source, {})  # type: ignore[arg-type]  # names are plain here
        asking = Asking(spec, profile.metadata, 60.0, Calendar(), self.world.clock.now(), self.world.ports())
        measures = await observe(asking, known)
        self.measures = {m.measure.name: replace(m.memory, forecast=m.forecast, gate=m.gate) for m in measures}
        reading = await look_for_events(asking, source, self.found)
        loads, self.events = await observe_events(asking, measures, reading, self.events)
        return {each.name: each for each in loads}


def two() -> Player:
    """Return a player of two event types of 100 orders and 20 quotes a second, which swing by the day."""
    player = Player().give(("order", ORDERS, "1"), ("quote", QUOTES, "3"))
    loads = player.world.loads
    loads.by_load = {ORDERS: daily(500), QUOTES: daily(100)}
    loads.by_metric = {
        name: TickSample(each, NOW, PODS) for name, each in (("orders_total", 100.0), ("quotes_total", 20.0))
    }
    return player


async def test_each_of_several_event_types_has_a_forecast_of_its_own() -> None:
    player = two()
    found = await player.look()
    assert [(name, each.observed) for name, each in found.items()] == [("order", 100.0), ("quote", 20.0)]
    order, quote = (found[name].predicted for name in ("order", "quote"))
    assert order == pytest.approx(500, rel=0.05), "the day's peak is an hour away, within a flat top"
    assert quote == pytest.approx(100, rel=0.05), "events, not weighted load"
    assert found["order"].surprise, "a fifth of what was forecast"


async def test_one_event_type_has_the_forecast_that_scales() -> None:
    player = Player().give(("order", ORDERS, "2"))
    player.world.loads.by_load = {ORDERS: daily(500)}
    found = await player.look()
    assert found["order"].predicted == pytest.approx(500, rel=0.05)
    assert (player.world.forecaster.forecasts, player.events) == (1, {})


async def test_nothing_is_asked_for_where_no_load_decides_what_is_recorded() -> None:
    player = two()
    player.recorded = frozenset()
    assert await player.look() == {}
    asked, forecasts = len(player.world.loads.asked), player.world.forecaster.forecasts
    player = two()
    player.recorded = frozenset({"quote"})
    assert set(await player.look()) == {"quote"}
    assert player.world.forecaster.forecasts == forecasts + 1
    assert len(player.world.loads.asked) == asked + 1, "one history; what is measured now is known already"


async def test_a_forecast_is_made_once_and_moved_on_slot_by_slot() -> None:
    player = two()
    await player.look()
    before = player.events["quote"].forecast
    assert before is not None
    assert player.world.forecaster.forecasts == 3
    await player.look()
    assert player.events["quote"].forecast is before, "no slot is new"
    player.world.clock.time += STEP
    loads = player.world.loads
    loads.by_load = {load: np.roll(values, -1) for load, values in loads.by_load.items()}
    await player.look()
    moved = player.events["quote"].forecast
    assert moved is not None
    assert moved.last_slot == before.last_slot + 1
    assert player.world.forecaster.forecasts == 3


async def test_no_past_day_is_replayed_for_what_is_not_scaled() -> None:
    player = two()
    await player.look()
    assert len(player.world.forecaster.replays) == 1, "of the load that replicas follow"
    assert len(player.world.forecaster.fits) == 3


async def test_full_fits_of_many_are_spread_over_time() -> None:
    player = two()
    asked = []
    for _ in range(13):
        await player.look()
        for fit in player.world.forecaster.fits:
            if not fit.done():
                fit.fail()
        asked.append(len(player.world.forecaster.fits))
        player.world.clock.time += STEP
    later = np.diff(asked)
    assert later.sum() == 3, "an hour later each is due once more"
    assert later.max() == 1, "and each at a time of its own"


async def test_a_source_that_fails_leaves_the_last_forecast_and_no_load_now() -> None:
    player = two()
    await player.look()
    player.world.loads.fault = SourceFault("Unreachable", "MetricSource main: no connection.")
    player.world.clock.time += STEP
    found = await player.look()
    assert {name: each.observed for name, each in found.items()} == {"order": None, "quote": None}
    assert found["quote"].predicted == pytest.approx(100, rel=0.1)
    assert not found["quote"].surprise


async def test_a_history_that_fails_costs_the_others_nothing() -> None:
    player = two()
    player.world.loads.faults_by_metric["quotes_total"] = SourceFault("TooLarge", "MetricSource main: too large.")
    found = await player.look()
    assert found["quote"] == EventLoad("quote", None, None)
    assert found["order"].observed is None, "one query failed, and the load is one measure"
    assert found["order"].predicted == pytest.approx(500, rel=0.05)


async def test_what_is_no_counter_predicts_nothing() -> None:
    player = two()
    await player.look()
    player.world.loads.by_metric["quotes_total"] = TickSample(None, NOW, PODS, "NotACounter")
    found = await player.look()
    assert found["quote"] == EventLoad("quote", None, None)
    assert found["order"].predicted is not None


async def test_a_history_without_any_value_predicts_nothing() -> None:
    player = two()
    player.world.loads.by_load[QUOTES] = np.full(2016, np.nan, np.float32)
    player.world.loads.by_metric["quotes_total"] = TickSample(None, None, frozenset())
    assert (await player.look())["quote"] == EventLoad("quote", None, None)


async def test_a_forecast_of_another_series_is_not_gone_by() -> None:
    player = two()
    await player.look()
    before = player.events["quote"]
    spec = player.world.objects.bodies[("MetricProfile", "team", "shop")]["spec"]
    spec["eventTypes"][1]["weight"] = "7"
    await player.look()
    assert player.events["quote"].forecast is before.forecast, "what an event weighs does not change how many there are"
    spec["eventTypes"][1]["load"]["counter"]["metric"] = "offers_total"
    player.world.loads.by_load[CounterLoad("offers_total", (), 60.0)] = daily(10)
    assert (await player.look())["quote"].predicted == pytest.approx(10, rel=0.05)


async def test_one_that_is_no_longer_recorded_is_forgotten() -> None:
    player = two()
    await player.look()
    player.recorded = frozenset({"order"})
    await player.look()
    assert set(player.events) == {"order"}
    del player.world.objects.bodies[("MetricSource", "", "main")]
    found = await player.look()
    assert (found["order"], player.events) == (EventLoad("order", None, None), {})


def route(value: str, load: CounterLoad = ORDERS) -> CounterLoad:
    return replace(load, matchers=(Matcher("route", "=", value),))


def found(*, recorded: bool = True) -> Player:
    """Return a player of one given event type and two that were found, one of which is gone."""
    player = Player(frozenset({"quote"})).give(("quote", QUOTES, "1"))
    player.by_label = EventsByLabel("route", 16, 2.0, ORDERS, CounterLoad("order_bytes_total", (), 60.0), recorded)
    player.found = Found("", (FoundEvent("a", "/a", NOW), FoundEvent("b", "/b", NOW)), looked_at=NOW)
    loads = player.world.loads
    loads.by_load = {QUOTES: daily(100), route("/a"): daily(500), route("/b"): np.full(2016, np.nan, np.float32)}
    loads.by_metric["order_bytes_total"] = TickSample(None, None, frozenset())
    loads.samples_by_load = {
        route("/a"): TickSample(100.0, NOW, PODS),
        route("/b"): TickSample(None, None, frozenset()),
        route("/a", CounterLoad("order_bytes_total", (), 60.0)): TickSample(7000.0, NOW, PODS),
    }
    return player


async def test_event_types_that_were_found_are_foreseen_as_those_given_are() -> None:
    player = found()
    seen = await player.look()
    assert list(seen) == ["quote", "a", "b"]
    assert seen["a"].observed == 100.0
    assert seen["a"].predicted == pytest.approx(500, rel=0.05), "events, not weighted load"
    assert seen["a"].bytes_per_second == pytest.approx(70 * seen["a"].predicted)
    assert seen["b"] == EventLoad("b", None, None), "absence is no zero"
    assert set(player.events) == {"a", "b"}, "the one that is given is all that is scaled by here"


async def test_nothing_is_asked_of_those_found_where_no_load_decides_what_is_recorded() -> None:
    player = found(recorded=False)
    assert list(await player.look()) == ["quote"]
    assert not any("route" in {m.label for m in asker.load.matchers} for asker in player.world.loads.asked)


async def test_one_that_fails_costs_the_others_nothing() -> None:
    player = found()
    player.world.loads.faults_by_metric["order_bytes_total"] = SourceFault("TooLarge", "MetricSource main: too large.")
    seen = await player.look()
    assert (seen["a"].observed, seen["a"].bytes_per_second) == (100.0, None)
