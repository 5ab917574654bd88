"""Event types that are found from a label: announced, shown, remembered, and never needed for scaling."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from presage.core.faults import SourceFault
from presage.core.query import CounterLoad
from presage.core.source_reading import TickSample
from presage.reconcile.kind import Decision
from presage.reconcile.metricprofile import DEFINITION
from presage.reconcile.metricprofile.inputs import ProfileMemory, ProfilePlan
from presage.resources.metricprofile import MetricProfile, MetricProfileStatus
from tests.unit.reconcile.fakes import NOW, PODS, World, make_world
from tests.unit.reconcile.looking import conditions, look

MINUTE = 60.0


class Player:
    """Decides again and again; every decision leaves its status in the object, as the operator does."""

    def __init__(self, **spec: Any) -> None:
        self.world: World = make_world()
        self.memory: ProfileMemory | None = None
        found = {"label": "route", "load": {"counter": {"metric": "http_requests_total"}}}
        self.change(eventTypes=None, eventTypesFrom=found | spec)

    def change(self, **fields: Any) -> None:
        """Change the spec as an edit does: its generation goes up."""
        body = self.body
        body["spec"] |= fields
        body["metadata"]["generation"] += 1

    @property
    def body(self) -> dict[str, Any]:
        return self.world.objects.bodies[("MetricProfile", "team", "shop")]  # type: ignore[return-value]  # a test's own

    async def decide(self, *routes: str, seconds: float = MINUTE) -> Decision[ProfilePlan, ProfileMemory]:
        """Decide so many seconds later, with these values of the label."""
        self.world.clock.time += seconds
        loads = self.world.loads
        loads.label_values = dict.fromkeys(routes, 5.0)
        loads.sample = replace(loads.sample, newest_at=self.world.clock.time)
        decision = await look(self.world, self.memory)
        self.memory = decision.memory
        self.body["status"] = {**decision.status, "observedGeneration": self.body["metadata"]["generation"]}
        MetricProfileStatus.model_validate(decision.status)
        return decision


def told(decision: Decision[Any, Any]) -> list[str]:
    return [note.message for note in decision.notes if note.reason == "EventTypeFound"]


def shown(decision: Decision[Any, Any]) -> dict[str, str]:
    entries: Any = decision.status.get("eventTypesFound", [])
    return {entry["name"]: entry["value"] for entry in entries}


def judged(decision: Decision[Any, Any]) -> tuple[str, str]:
    found = conditions(decision)["EventTypesFound"]
    return found.status, found.reason


async def test_those_that_are_found_are_announced_once_and_shown() -> None:
    player = Player()
    first = await player.decide("/order", "/quote")
    assert told(first) == ["Event types were found by label route: order, quote."]
    assert shown(first) == {"order": "/order", "quote": "/quote"}
    assert judged(first) == ("True", "Found")
    assert told(await player.decide("/order", "/quote")) == []
    later = await player.decide("/order", "/quote", "/refund")
    assert told(later) == ["Event type was found by label route: refund."]
    assert await player.decide("/order")
    assert shown(await player.decide("/order")) == {"order": "/order", "quote": "/quote", "refund": "/refund"}


async def test_the_label_is_looked_at_once_a_minute() -> None:
    player = Player()
    for _ in range(9):
        await player.decide("/order", seconds=15)
    assert player.world.loads.values_asked == 3


async def test_a_restart_announces_nothing_again_and_keeps_names() -> None:
    player = Player()
    await player.decide("/order", "/Order")
    names = shown(await player.decide("/order", "/Order"))
    assert len(names) == 2
    player.memory = None
    again = await player.decide("/Order", "/order")
    assert (told(again), shown(again)) == ([], names)


@pytest.mark.parametrize(
    ("change", "anew"),
    [
        pytest.param({"max": 8}, False, id="more places"),
        pytest.param({"weight": "3"}, False, id="another weight"),
        pytest.param({"label": "path"}, True, id="another label"),
        pytest.param({"load": {"counter": {"metric": "jobs_total"}}}, True, id="another metric"),
    ],
)
async def test_what_was_found_by_another_label_or_load_is_forgotten(change: dict[str, Any], *, anew: bool) -> None:
    player = Player()
    await player.decide("/order")
    player.change(eventTypesFrom=player.body["spec"]["eventTypesFrom"] | change)
    after = await player.decide("/order")
    assert bool(told(after)) is anew
    assert shown(after) == {"order": "/order"}


async def test_more_than_may_be_are_told_and_left_out() -> None:
    player = Player(max=2)
    decision = await player.decide("/a", "/b", "/c")
    assert judged(decision) == ("False", "TooManyEventTypes")
    assert len(shown(decision)) == 2
    assert judged(await player.decide("/a", "/b", "/c", seconds=15)) == ("False", "TooManyEventTypes"), (
        "no time to look"
    )
    assert conditions(decision)["DataAvailable"].status == "True", "scaling does without"
    assert judged(await player.decide("/a", "/b")) == ("True", "Found")


async def test_values_that_cannot_be_read_are_no_event_types() -> None:
    player = Player()
    assert judged(await player.decide()) == ("Unknown", "NoValues")
    decision = await player.decide("x" * 300, "a\x00b")
    assert (judged(decision), shown(decision)) == (("Unknown", "NoValues"), {})


async def test_a_source_that_does_not_tell_costs_only_that() -> None:
    player = Player()
    player.world.loads.values_fault = SourceFault("TooLarge", "MetricSource main: too many.")
    decision = await player.decide("/order")
    assert judged(decision) == ("Unknown", "SourceUnavailable")
    assert conditions(decision)["EventTypesFound"].message == "MetricSource main: too many."
    assert conditions(decision)["DataAvailable"].status == "True"
    player.world.loads.values_fault = None
    await player.decide("/order")
    player.world.loads.values_fault = SourceFault("TooLarge", "MetricSource main: too many.")
    decision = await player.decide("/order")
    assert (judged(decision), list(shown(decision))) == (("True", "Found"), ["order"]), "what is known stays known"


async def test_replicas_are_made_for_the_sum_whatever_was_found() -> None:
    player = Player(weight="2")
    player.world.loads.by_metric["http_requests_total"] = TickSample(200.0, NOW + 2 * MINUTE, PODS)
    before = await player.decide()
    after = await player.decide("/order", "/quote")
    assert [d.plan.replicas for d in (before, after) if d.plan] == [9, 9], "400 and a tenth over 50 a pod"
    sums = {asker.load for asker in player.world.loads.asked}
    assert sums == {CounterLoad("http_requests_total", (), 60.0)}, "one series, not one for each value"


async def test_levels_make_each_a_load_and_a_forecast_of_its_own() -> None:
    player = Player(levels=[{"profile": "Minimal"}, {"profile": "Debug", "above": "200"}])
    assert (await player.decide("/order", "/quote")).memory.events == {}, "they are read from the next decision on"
    player.world.clock.time += 15
    profile = MetricProfile.parse(player.body)
    given = await DEFINITION.gather(profile, player.memory, player.world.ports())
    assert [each.name for each in given.event_loads] == ["order", "quote"]
    assert [each.name for each in given.spec.recording.event_types] == ["order", "quote"]
    assert all(each.predicted == pytest.approx(100, rel=0.1) for each in given.event_loads)
    assert set(given.memory.events) == {"order", "quote"}
    player.change(eventTypesFrom=player.body["spec"]["eventTypesFrom"] | {"levels": []})
    profile = MetricProfile.parse(player.body)
    plain = await DEFINITION.gather(profile, given.memory, player.world.ports())
    assert (plain.event_loads, plain.memory.events) == ((), {})


async def test_event_types_that_are_given_and_found_add_up() -> None:
    player = Player()
    player.change(eventTypes=[{"name": "refund", "load": {"gauge": {"metric": "refunds"}}}])
    player.world.loads.by_metric["refunds"] = TickSample(300.0, NOW + MINUTE, PODS)
    decision = await player.decide("/order", "/refund")
    assert decision.plan is not None
    assert decision.plan.replicas == 9
    assert shown(decision) == {"order": "/order"}, "a value of the name of one that is given is that one"


async def test_one_that_is_given_by_now_is_found_no_longer_at_once() -> None:
    player = Player()
    await player.decide("/order", "/quote")
    player.change(eventTypes=[{"name": "order", "load": {"gauge": {"metric": "orders"}}}])
    assert shown(await player.decide("/order", "/quote", seconds=15)) == {"quote": "/quote"}, "before the next look"


async def test_without_a_label_to_find_by_nothing_is_said() -> None:
    player = Player()
    await player.decide("/order")
    given = [{"name": "order", "load": {"counter": {"metric": "http_requests_total"}}}]
    player.change(eventTypes=given, eventTypesFrom=None)
    asked = player.world.loads.values_asked
    decision = await player.decide("/order")
    assert "EventTypesFound" not in conditions(decision)
    assert "eventTypesFound" not in decision.status
    assert player.world.loads.values_asked == asked
