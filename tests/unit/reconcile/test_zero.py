"""MetricProfile to zero and back: only on good data, never for a metric that goes with the pods, and surely awake."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.unit.reconcile.fakes import NOW, PODS
from tests.unit.reconcile.looking import daily
from tests.unit.reconcile.playing import KEY, Player, idle

WINDOW = 5  # decisions until a window of 60 s was seen


async def asleep(**scaling: Any) -> Player:
    player = idle(**scaling)
    await player.decide(WINDOW + 1)
    assert player.replicas == 0
    return player


async def test_to_zero_after_a_whole_window_and_once_status_says_so() -> None:
    player = idle()
    await player.decide(WINDOW)
    assert (player.replicas, player.scaling["desiredReplicas"], player.scaling["zeroedTarget"]) == (2, 0, "shop")
    assert await player.decide() == 0
    assert player.condition("ScalingActive")[:2] == ("True", "Active")


async def test_not_to_zero_while_status_cannot_be_written() -> None:
    """A crash after the write would leave a 0 that nobody knows to be presage's, and nobody would wake it."""
    player = idle()
    player.storing = False
    assert await player.decide(4 * WINDOW) == 2


async def test_without_permission_the_minimum_is_one() -> None:
    player = idle(minReplicas=1, allowZero=False)
    assert await player.decide(4 * WINDOW) == 1


async def test_a_load_within_the_window_keeps_a_replica() -> None:
    player = idle(replicas=1)
    for load in (0.0, 1.0, 0.0, 0.0, 0.0, 0.0):
        player.load = load
        await player.decide()
    assert player.replicas == 1
    assert await player.decide(WINDOW) == 0


@pytest.mark.parametrize("restarted", [False, True])
async def test_load_wakes_it_at_once_to_all_that_is_needed(*, restarted: bool) -> None:
    player = await asleep()
    await player.decide(40)
    if restarted:
        player.restart()
    player.load = 400.0
    assert await player.decide() >= 9
    await player.decide()
    assert "zeroedTarget" not in player.scaling


async def test_load_wakes_it_whatever_the_forecast_is_worth() -> None:
    player = await asleep()
    player.world.loads.values = np.full(20, np.nan, np.float32)
    assert player.memory is not None
    forgot = {name: replace(memory, forecast=None) for name, memory in player.memory.measures.items()}
    player.memory = replace(player.memory, measures=forgot)
    player.load = 60.0
    assert await player.decide() >= 2
    assert player.condition("ForecastTrusted")[0] == "False"


async def test_a_forecast_of_load_wakes_it_ahead() -> None:
    """The load rises from 0 within the hour; two replicas are there before the first of it."""
    player = idle(leadTimeSeconds=600)
    wave = daily(400)
    low = (player.world.clock.time // 300 - np.arange(2016)[::-1]) % 288
    wave[:] = np.where((low * 300 - NOW % 86_400) % 86_400 < 36_000, 400, 0)
    player.world.loads.values = wave
    player.load = 0.0
    assert float(wave[-1]) == 0.0
    await player.decide()
    assert player.replicas >= 8
    assert player.scaling["bindingReason"] == "Forecast"


@pytest.mark.parametrize("load", [0.0, None])
async def test_its_own_metric_refuses_zero(load: float | None) -> None:
    player = idle()
    player.own = True
    await player.decide()
    player.load = load
    assert await player.decide(4 * WINDOW) >= 1
    if load is not None:
        assert player.scaling["bindingReason"] == "Minimum"
        assert "own pods measure the load" in player.scaling["explain"]
        assert "own pods measure the load" in player.condition("ScalingActive")[2]


async def test_one_event_type_of_its_own_is_enough_to_refuse() -> None:
    player = idle()
    spec = player.world.objects.bodies[KEY]["spec"]
    spec["eventTypes"].append({"name": "quote", "load": {"counter": {"metric": "quotes_total"}}})
    sample = player.world.loads.sample
    for _ in range(3 * WINDOW):
        now = player.world.clock.time
        player.world.loads.by_metric["quotes_total"] = replace(sample, load=0.0, newest_at=now, targets=PODS)
        await player.decide()
    assert player.replicas == 1
    assert "own pods" in player.scaling["explain"]


async def test_pods_that_never_became_ready_prove_nothing() -> None:
    player = idle()
    player.ready = False
    player.by_hand(2)
    await player.decide(2 * WINDOW)
    assert player.replicas >= 1


async def test_a_metric_that_went_with_the_pods_is_met_with_a_replica_and_not_again() -> None:
    """It came through something that is no pod, so nobody could tell; with the pods it is gone."""
    player = await asleep()
    player.load = None
    await player.decide(5)
    assert player.replicas == 0, "a short gap is no reason"
    await player.decide(2)
    assert player.replicas == 1
    assert "went away" in player.scaling["explain"]
    player.load = 0.0
    await player.decide(6 * WINDOW)
    assert player.replicas == 1
    assert "went away" in player.scaling["explain"]


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_source_that_is_down_wakes_it_after_a_while(*, restarted: bool) -> None:
    player = await asleep()
    player.stop_source()
    await player.decide(4)
    if restarted:
        player.restart()
    assert await player.decide(2) == 1
    assert player.scaling["bindingReason"] == "Minimum"
    assert "absence is no zero load" in player.scaling["explain"]
    player.world.loads.fault = None
    assert await player.decide(WINDOW + 2) == 0, "the series never went away"


async def test_a_zero_of_somebody_else_stays() -> None:
    player = idle(replicas=2)
    player.load = 60.0
    await player.decide(2)
    player.by_hand(0)
    player.load = 400.0
    for _ in range(3):
        await player.decide(WINDOW)
        assert player.replicas == 0
        assert player.condition("ScalingActive")[:2] == ("False", "ScaledToZero")
        player.restart()


async def test_a_zero_of_somebody_else_without_load_stays_too() -> None:
    player = idle(replicas=2)
    await player.decide(2)
    player.by_hand(0)
    await player.decide(4 * WINDOW)
    player.restart()
    player.load = 400.0
    assert await player.decide(2) == 0


async def test_its_own_zero_outlives_pause_and_off() -> None:
    player = await asleep()
    player.pause()
    player.load = 400.0
    assert await player.decide(2) == 0
    assert "not woken" in player.condition("ScalingActive")[2]
    player.restart()
    await player.decide(2)
    player.pause(paused=False)
    player.world.objects.bodies[KEY]["spec"]["scaling"]["mode"] = "Off"
    await player.decide(2)
    player.restart()
    player.world.objects.bodies[KEY]["spec"]["scaling"]["mode"] = "Auto"
    assert await player.decide() == 9


async def test_permission_taken_back_wakes_it() -> None:
    player = await asleep()
    player.world.objects.bodies[KEY]["spec"]["scaling"] |= {"minReplicas": 2, "allowZero": False}
    assert await player.decide() == 2


async def test_zero_by_hand_between_the_two_steps_is_not_ours() -> None:
    player = idle(replicas=2)
    await player.decide(WINDOW)
    player.by_hand(0)
    player.memory = replace(player.memory, hand=replace(player.memory.hand, found=2, asked=()))  # type: ignore[union-attr, type-var]
    await player.decide()
    assert player.condition("ScalingActive")[1] == "ScaledToZero"
