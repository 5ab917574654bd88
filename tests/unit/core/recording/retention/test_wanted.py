from __future__ import annotations

from dataclasses import replace

import pytest

from presage.core.recording.catalogue import BUILT_IN
from presage.core.recording.retention.wanted import find_wanted
from presage.core.recording.spec import EscalationPolicy, Level, RecordedEvent, RecordingSpec
from presage.core.recording.types import MetricSettings, RecordingProfile

LEVELS = (Level("Minimal"), Level("Debug", 50))
WEEK = RecordingProfile("Week", {"latency": MetricSettings(1, (), "1w")})
SHORT_MINIMAL = replace(WEEK, name="Minimal", metrics={"latency": MetricSettings(1, (), "1d")})


@pytest.mark.parametrize(
    ("spec", "want"),
    [
        pytest.param(RecordingSpec(), ("15d",), id="what functions do untold"),
        pytest.param(RecordingSpec((RecordedEvent("a", LEVELS),)), ("15d", "2h"), id="levels"),
        pytest.param(RecordingSpec((RecordedEvent("a", critical=True),)), ("15d", "2h"), id="critical"),
        pytest.param(
            RecordingSpec((RecordedEvent("a", LEVELS[:1]),), escalation=EscalationPolicy()),
            ("15d", "2h"),
            id="escalation",
        ),
        pytest.param(RecordingSpec(found=RecordedEvent("", LEVELS)), ("15d", "2h"), id="event types that are found"),
        pytest.param(RecordingSpec(escalation=EscalationPolicy()), ("15d",), id="an escalation of nothing"),
        pytest.param(
            RecordingSpec((RecordedEvent("a", (Level("Week"),)),), (WEEK, SHORT_MINIMAL)),
            ("1d", "1w"),
            id="own profiles",
        ),
        pytest.param(RecordingSpec((RecordedEvent("a", (Level("Nobody's"),)),)), ("15d",), id="an unknown profile"),
    ],
)
def test_tiers_of_all_that_may_be_recorded(spec: RecordingSpec, want: tuple[str, ...]) -> None:
    assert find_wanted(spec) == want


def test_the_installations_profiles_stand_behind_those_of_the_object() -> None:
    spec = RecordingSpec((RecordedEvent("a", (Level("Week"),)),))
    assert find_wanted(spec, [WEEK]) == ("15d", "1w")
    assert find_wanted(replace(spec, profiles=(replace(WEEK, metrics=BUILT_IN["Debug"].metrics),)), [WEEK]) == (
        "15d",
        "2h",
    )
