"""When another binding reason is told."""

from __future__ import annotations

from itertools import pairwise

import pytest

from presage.reconcile.metricprofile.binding_event import QUIET_S, judge_binding
from presage.reconcile.metricprofile.inputs import BindingMemory
from tests.unit.reconcile.playing import steady


def play(bindings: str, period: float = 15.0) -> list[tuple[int, str]]:
    """Decide once a letter (`-` = nothing decided); return at which decision which reason was said to be over."""
    memory, told = BindingMemory(), []
    for tick, letter in enumerate(bindings):
        memory, before = judge_binding(memory, {"H": "Hold", "-": ""}.get(letter, letter), tick * period)
        if before:
            told.append((tick, before))
    return told


@pytest.mark.parametrize(
    ("bindings", "want"),
    [
        pytest.param("FFFFFF", [], id="the first one is no news"),
        pytest.param("FFFRRF", [], id="two decisions are not yet one"),
        pytest.param("FFFRRR", [(5, "F")], id="three are"),
        pytest.param("FFFRFRFRRR", [(9, "F")], id="one that flickers is told once it holds"),
        pytest.param("FFFRRRRRRR", [(5, "F")], id="it is told once"),
        pytest.param("FFFRRRFFFF", [(5, "F")], id="the next one within ten minutes waits"),
        pytest.param("HHHHFFFRRR", [(9, "F")], id="the wait for the first data is no reason to speak of"),
        pytest.param("FFFHHHFFFF", [(5, "F")], id="later it is"),
        pytest.param("FFF---RRR", [], id="the first one after a pause is no news"),
        pytest.param("FRMFRMFRMFRMF", [], id="none ever held"),
    ],
)
def test_what_is_told(bindings: str, want: list[tuple[int, str]]) -> None:
    assert play(bindings) == want


def test_what_waited_is_told_when_it_still_holds() -> None:
    ticks = int(QUIET_S / 15)
    assert play("FFFRRR" + "F" * ticks) == [(5, "F"), (5 + ticks, "R")]


def test_at_most_one_in_ten_minutes() -> None:
    told = play("FFFRRR" * 100)
    assert len(told) > 5
    assert all(later - earlier >= QUIET_S / 15 for (earlier, _), (later, _) in pairwise(told))


async def test_the_event_explains_the_decision() -> None:
    player = steady(120, replicas=3)
    await player.decide(6)
    assert not player.told("BindingChanged")
    player.load = 190.0
    await player.decide(8)
    (message,) = player.told("BindingChanged")
    assert message.startswith("Reactive decides now, instead of ")
    assert "reactive 5 for 190/s + 10 %" in message
    assert "limits 1..20" in message


async def test_a_restart_tells_nothing() -> None:
    player = steady(120, replicas=3)
    await player.decide(6)
    player.load = 190.0
    player.restart()
    await player.decide(8)
    assert not player.told("BindingChanged")
