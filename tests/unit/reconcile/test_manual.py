"""Numbers set by hand, pauses, and the fallback: what a person sees of them."""

from __future__ import annotations

import pytest

from tests.unit.reconcile.playing import KEY, PERIOD, Player, steady

WINDOW = 5  # decisions until a window of 60 s was seen


async def settled() -> Player:
    """Return a player at three replicas, which its load of 120 needs."""
    player = steady(120, replicas=3)
    assert await player.decide(2 * WINDOW) == 3
    return player


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_number_above_ours_is_kept_until_the_need_changes(*, restarted: bool) -> None:
    player = await settled()
    player.by_hand(10)
    await player.decide()
    assert player.scaling["manual"] == {"replicas": 10, "need": 3}
    assert (player.scaling["bindingReason"], player.scaling["desiredReplicas"]) == ("Manual", 10)
    assert player.told("ScaledByHand") == [
        "Somebody else set Deployment shop from 3 to 10 replicas; the load asks for 3: kept until it asks for another "
        "number."
    ]
    if restarted:
        player.restart()
    assert await player.decide(10 * WINDOW) == 10
    player.load = 160.0
    await player.decide(WINDOW - 1)
    assert player.replicas == 10, "a whole window is seen first"
    await player.decide(2 * WINDOW)
    assert player.replicas < 10
    assert "manual" not in player.scaling
    assert len(player.told("ScaledByHand")) == 1


async def test_a_number_above_ours_set_while_presage_was_away_is_kept() -> None:
    player = await settled()
    player.restart()
    player.by_hand(10)
    assert await player.decide(10 * WINDOW) == 10
    assert player.scaling["manual"] == {"replicas": 10, "need": 3}


async def test_what_a_new_profile_finds_is_not_set_by_hand() -> None:
    player = steady(120, replicas=10)
    await player.decide(6 * WINDOW)
    assert player.replicas < 10
    assert not player.told("ScaledByHand")


async def test_a_number_below_the_need_is_corrected_at_once_and_told() -> None:
    player = await settled()
    player.by_hand(1)
    assert await player.decide() == 3
    assert player.told("ScaledByHand") == [
        "Somebody else set Deployment shop from 3 to 1 replicas; the load needs 3: corrected at once."
    ]


async def test_a_number_below_ours_that_is_enough_is_left() -> None:
    player = steady(120, replicas=10)
    await player.decide(2)
    player.by_hand(4)
    assert await player.decide() == 4
    assert "left as it is" in player.told("ScaledByHand")[0]


async def test_a_rise_is_followed_above_a_number_that_is_kept() -> None:
    player = await settled()
    player.by_hand(5)
    await player.decide(2)
    player.load = 500.0
    assert await player.decide() >= 11


async def test_without_data_a_number_that_is_kept_stays() -> None:
    player = await settled()
    player.by_hand(10)
    await player.decide(2)
    player.stop_source()
    assert await player.decide(4 * WINDOW) == 10
    player.world.loads.fault = None
    assert await player.decide(4 * WINDOW) == 10
    assert player.scaling["manual"] == {"replicas": 10, "need": 3}


@pytest.mark.parametrize("how", ["spec", "annotation", "DryRun"])
async def test_after_a_pause_a_whole_window_is_seen_first(how: str) -> None:
    player = steady(120, replicas=10, decisionPeriodSeconds=5)
    body = player.world.objects.bodies[KEY]

    def hold(*, on: bool) -> None:
        body["spec"]["paused"] = on and how == "spec"
        body["spec"]["scaling"]["mode"] = "DryRun" if on and how == "DryRun" else "Auto"
        player.world.objects.bodies[KEY]["metadata"]["annotations"] = (
            {"presage.dev/paused": "true"} if on and how == "annotation" else {}
        )

    hold(on=True)
    assert await player.decide(6 * WINDOW) == 10
    reason = "DryRun" if how == "DryRun" else "Paused"
    assert player.condition("ScalingActive")[:2] == ("False", reason)
    assert player.condition("Paused")[0] == ("False" if how == "DryRun" else "True")
    assert player.scaling["desiredReplicas"] < 10, "what would be is shown"
    assert player.decision is not None
    assert player.decision.next_in_s == 5, "as often as it would act"
    hold(on=False)
    await player.decide(WINDOW - 1)
    assert player.replicas == 10
    await player.decide(2)
    assert player.replicas == 8, "and then in steps"


async def test_a_pause_leaves_a_number_set_by_hand_and_then_scales_again() -> None:
    player = await settled()
    player.pause()
    await player.decide()
    player.by_hand(1)
    assert await player.decide(3) == 1
    player.pause(paused=False)
    assert await player.decide() == 3


@pytest.mark.parametrize(("replicas", "want"), [(3, 7), (9, 9)])
async def test_the_fallback_holds_upwards_once_the_forecast_ran_out(replicas: int, want: int) -> None:
    player = steady(120, replicas=replicas, fallback={"replicas": 7})
    await player.decide()
    player.stop_source()
    horizon = int(3600 / PERIOD)
    await player.decide(horizon)
    assert player.replicas == replicas
    player.restart()
    assert await player.decide(2 + 300 // int(PERIOD)) == want
    status, reason, message = player.condition("DataAvailable")
    assert (status, reason) == ("False", "SourceUnavailable")
    assert "at least 7 replicas, by fallback.replicas" in message
    assert "stay as they are" not in message
    player.world.loads.fault = None
    await player.decide(3 * WINDOW)
    assert player.replicas < want


async def test_without_a_fallback_replicas_stay() -> None:
    player = steady(120, replicas=3)
    await player.decide()
    player.stop_source()
    await player.decide()
    player.world.clock.time += 90_000
    assert await player.decide(2) == 3
