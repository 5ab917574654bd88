"""Tables of the choice of a profile: ranges, hysteresis, dwell, and what happens without a forecast."""

from __future__ import annotations

import math

import pytest

from presage.core.recording import reasons
from presage.core.recording.choice import ChoiceMemory, choose
from presage.core.recording.spec import Level, RecordedEvent

NOW, DWELL = 10_000.0, 600.0
KNOWN = frozenset({"Minimal", "Standard", "Debug", "Own"})
LONG_AGO = NOW - DWELL
RISING = RecordedEvent("order", (Level("Minimal"), Level("Standard", 50.0), Level("Debug", 200.0)))
FALLING = RecordedEvent("order", (Level("Debug"), Level("Standard", 50.0), Level("Minimal", 200.0)))
THERE_AND_BACK = RecordedEvent("order", (Level("Debug"), Level("Standard", 50.0), Level("Debug", 200.0)))
MISSPELT = RecordedEvent("order", (Level("Minimal"), Level("Debugg", 50.0)))
ONLY_OWN = RecordedEvent("order", (Level("Own"), Level("Minimal", 50.0)))


def met(profile: str, since: float = LONG_AGO, level: int | None = None, seen: float | None = NOW) -> ChoiceMemory:
    return ChoiceMemory(profile, since, level, seen)


@pytest.mark.parametrize(
    ("event", "load", "memory", "want", "why"),
    [
        pytest.param(RISING, 0.0, None, "Minimal", reasons.PREDICTED_LOAD, id="the lowest has no threshold"),
        pytest.param(RISING, 50.0, None, "Minimal", reasons.PREDICTED_LOAD, id="at a threshold: above is above"),
        pytest.param(RISING, 50.1, None, "Standard", reasons.PREDICTED_LOAD, id="above the first"),
        pytest.param(RISING, 9e9, None, "Debug", reasons.PREDICTED_LOAD, id="above all"),
        pytest.param(RISING, math.inf, None, "Debug", reasons.PREDICTED_LOAD, id="beyond all numbers"),
        pytest.param(FALLING, 9e9, None, "Minimal", reasons.PREDICTED_LOAD, id="less under load, as some want"),
        pytest.param(FALLING, 1.0, None, "Debug", reasons.PREDICTED_LOAD, id="and more without"),
        pytest.param(THERE_AND_BACK, 60.0, None, "Standard", reasons.PREDICTED_LOAD, id="a profile twice: the middle"),
        # hysteresis
        pytest.param(RISING, 40.0, met("Standard"), "Standard", reasons.NEAR_THRESHOLD, id="held at 0.8 T"),
        pytest.param(RISING, 39.9, met("Standard"), "Minimal", reasons.PREDICTED_LOAD, id="left below 0.8 T"),
        pytest.param(RISING, 170.0, met("Debug"), "Debug", reasons.NEAR_THRESHOLD, id="held at the upper one"),
        pytest.param(RISING, 45.0, met("Debug"), "Standard", reasons.NEAR_THRESHOLD, id="one falls, the next holds"),
        pytest.param(RISING, 3.0, met("Debug"), "Minimal", reasons.PREDICTED_LOAD, id="two levels at once"),
        pytest.param(FALLING, 45.0, met("Standard"), "Standard", reasons.NEAR_THRESHOLD, id="of the load, not detail"),
        pytest.param(THERE_AND_BACK, 170.0, met("Debug"), "Debug", reasons.NEAR_THRESHOLD, id="a profile twice, upper"),
        pytest.param(THERE_AND_BACK, 170.0, met("Debug", level=0), "Standard", reasons.PREDICTED_LOAD, id="lower"),
        # dwell
        pytest.param(RISING, 3.0, met("Debug", NOW - 599), "Debug", reasons.DWELL, id="no fall within a dwell"),
        pytest.param(RISING, 3.0, met("Debug", NOW - 600), "Minimal", reasons.PREDICTED_LOAD, id="the dwell is over"),
        pytest.param(
            RISING, 60.0, met("Minimal", NOW - 1), "Standard", reasons.PREDICTED_LOAD, id="a rise never waits"
        ),
        pytest.param(RISING, 3.0, met("Debug", NOW + 9), "Minimal", reasons.PREDICTED_LOAD, id="a clock set back"),
        # levels that changed
        pytest.param(RISING, 3.0, met("Own", NOW - 1), "Minimal", reasons.PREDICTED_LOAD, id="a profile of no level"),
        pytest.param(RISING, 3.0, met("Debug", level=7), "Minimal", reasons.PREDICTED_LOAD, id="a level that is gone"),
        # without a forecast
        pytest.param(RISING, None, None, "Standard", reasons.NO_FORECAST, id="none yet"),
        pytest.param(RISING, math.nan, None, "Standard", reasons.NO_FORECAST, id="no number"),
        pytest.param(ONLY_OWN, None, None, "Standard", reasons.NO_FORECAST, id="even if no level names it"),
        pytest.param(RISING, None, met("Minimal"), "Minimal", reasons.DWELL, id="gone just now"),
        pytest.param(RISING, None, met("Minimal", seen=NOW - 599), "Minimal", reasons.DWELL, id="gone for a moment"),
        pytest.param(RISING, None, met("Minimal", seen=NOW - 600), "Standard", reasons.NO_FORECAST, id="for a dwell"),
        pytest.param(RISING, None, met("Minimal", seen=None), "Minimal", reasons.DWELL, id="after a restart"),
        pytest.param(RISING, None, met("Gone"), "Standard", reasons.NO_FORECAST, id="what was chosen is not there now"),
        pytest.param(RISING, 60.0, met("Standard", NOW), "Standard", reasons.PREDICTED_LOAD, id="back again"),
        # profiles that nobody defines
        pytest.param(MISSPELT, 60.0, None, "Standard", reasons.UNKNOWN_PROFILE, id="the middle stands in"),
        pytest.param(MISSPELT, 3.0, None, "Minimal", reasons.PREDICTED_LOAD, id="the other level is as it is"),
        pytest.param(
            MISSPELT, 3.0, met("Standard", NOW - 1), "Standard", reasons.UNKNOWN_PROFILE, id="dwell holds too"
        ),
    ],
)
def test_choice(event: RecordedEvent, load: float | None, memory: ChoiceMemory | None, want: str, why: str) -> None:
    got = choose(event, KNOWN, load, memory, NOW, DWELL)
    assert (got.profile, got.reason) == (want, why)
    assert got.memory.profile == want
    assert got.memory.since == (memory.since if memory is not None and memory.profile == want else NOW)


@pytest.mark.parametrize("load", [None, 0.0, 60.0, math.nan])
@pytest.mark.parametrize("levels", [(), RISING.levels])
def test_a_critical_event_type_has_everything_recorded(load: float | None, levels: tuple[Level, ...]) -> None:
    got = choose(RecordedEvent("pay", levels, critical=True), KNOWN, load, met("Minimal", NOW - 1), NOW, DWELL)
    assert (got.profile, got.reason, got.memory.since) == ("Debug", reasons.CRITICAL, NOW)


def test_a_forecast_that_stays_away_is_waited_for_once_after_a_restart() -> None:
    first = choose(RISING, KNOWN, None, met("Minimal", seen=None), NOW, DWELL)
    held = choose(RISING, KNOWN, None, first.memory, NOW + DWELL - 1, DWELL)
    gone = choose(RISING, KNOWN, None, held.memory, NOW + DWELL, DWELL)
    assert [each.profile for each in (first, held, gone)] == ["Minimal", "Minimal", "Standard"]


def test_a_forecast_that_comes_and_goes_does_not_flap() -> None:
    memory, changes, before = met("Minimal"), 0, "Minimal"
    for tick in range(200):  # every other tick has none
        got = choose(RISING, KNOWN, 3.0 if tick % 2 else None, memory, NOW + 15 * tick, DWELL)
        changes, before, memory = changes + (got.profile != before), got.profile, got.memory
    assert changes == 0
