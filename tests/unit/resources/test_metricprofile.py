from __future__ import annotations

from dataclasses import replace

import pytest

from presage.core.forecast.spec import ForecastSpec
from presage.core.profile import EventsByLabel, EventType, Measure, ProfileSpec
from presage.core.query import CounterLoad, GaugeLoad, Matcher
from presage.core.recording.spec import Budget, EscalationPolicy, Level, RecordedEvent, RecordingSpec
from presage.core.recording.types import MetricSettings, RecordingProfile
from presage.core.scaling.policy import ScalingPolicy
from presage.resources.base import InvalidSpecError
from presage.resources.metricprofile import MetricProfile, MetricProfileSpec
from tests.unit.resources import cases, found_cases, recording_cases

ACCEPTED = cases.PROFILES_ACCEPTED | found_cases.FOUND_ACCEPTED | recording_cases.RECORDING_ACCEPTED
REFUSED = cases.PROFILES_REFUSED | found_cases.FOUND_REFUSED | recording_cases.RECORDING_REFUSED


def parse(changes: cases.Changes | None = None, name: str = "checkout") -> MetricProfileSpec:
    return MetricProfile.parse(cases.profile(changes, name)).spec


def test_defaults() -> None:
    assert parse().to_core() == ProfileSpec(
        target="checkout",
        source="main",
        measures=(Measure("load", (EventType("order", 1.0, CounterLoad("http_requests_total", (), 60.0)),), 50.0),),
        forecast=ForecastSpec(300, 1_814_400, 3600, (), None, None),
        scaling=ScalingPolicy(
            mode="Auto",
            via="Auto",
            min_replicas=1,
            max_replicas=40,
            per_pod=50.0,
            headroom=None,
            unmet_load=0.005,
            tolerance=0.0,
            stabilization_s=300.0,
            max_down=0.2,
            down_period_s=60.0,
            decision_period_s=15.0,
            lead_time_s=None,
            max_sample_age_s=60.0,
        ),
        paused=False,
    )


def test_event_types_in_order() -> None:
    matcher = {"label": "route", "op": "=~", "value": "/a|/b"}
    spec = parse(
        {
            "eventTypes": [
                {"name": "b", "weight": "500m", "load": {"gauge": {"metric": "g", "matchers": [matcher]}}},
                {"name": "a", "weight": "2k", "load": {"counter": {"metric": "c", "windowSeconds": 5}}},
            ]
        }
    )
    (measure,) = spec.to_core().measures
    assert measure.event_types == (
        EventType("b", 0.5, GaugeLoad("g", (Matcher("route", "=~", "/a|/b"),))),
        EventType("a", 2000.0, CounterLoad("c", (), 5.0)),
    )


def test_data_volumes_are_a_measure_of_their_own_and_add_up_without_weight() -> None:
    volume = {"bytes": {"counter": {"metric": "bytes_total", "windowSeconds": 30}}}
    spec = parse(
        {
            "eventTypes": [
                {"name": "a", "weight": "3", "load": cases.COUNTER | volume},
                {"name": "b", "load": cases.GAUGE},
                {"name": "c", "load": cases.GAUGE | {"bytes": cases.GAUGE}},
            ],
            "scaling.perPodBytes": "10Mi",
        }
    )
    load, volumes = spec.to_core().measures
    assert [(each.name, each.weight) for each in load.event_types] == [("a", 3.0), ("b", 1.0), ("c", 1.0)]
    assert volumes == Measure(
        "bytes",
        (EventType("a", 1.0, CounterLoad("bytes_total", (), 30.0)), EventType("c", 1.0, GaugeLoad("in_flight", ()))),
        10 * 2**20,
    )


def test_event_types_from_a_label_are_one_load_whatever_is_found() -> None:
    volume = {"bytes": {"gauge": {"metric": "backlog_bytes"}}}
    found = {"label": "route", "max": 8, "weight": "2", "load": cases.COUNTER | volume}
    spec = parse({"eventTypesFrom": found, "scaling.perPodBytes": "1k"}).to_core()
    counter, backlog = CounterLoad("http_requests_total", (), 60.0), GaugeLoad("backlog_bytes", ())
    assert spec.by_label == EventsByLabel("route", 8, 2.0, counter, backlog)
    load, volumes = spec.measures
    assert load.event_types == (EventType("order", 1.0, counter), EventType("any route", 2.0, counter))
    assert volumes.event_types == (EventType("any route", 1.0, backlog),)
    one = replace(counter, matchers=(Matcher("route", "=", "/a"),))
    assert spec.by_label.split(spec.by_label.load, "/a") == one
    (load,) = parse({"eventTypes": None, "eventTypesFrom": found_cases.FROM_ROUTE}).to_core().measures
    assert [each.name for each in load.event_types] == ["any route"]


def test_a_profile_that_says_nothing_of_recording_records_nothing() -> None:
    core = parse().to_core()
    assert core.recording == RecordingSpec()
    assert not core.recording.active
    assert core.recorded == frozenset()


def test_recording() -> None:
    own = [{"name": "latency", "everyEvents": 20, "attributes": ["route"], "retention": "2h"}, {"name": "requests"}]
    core = parse(
        {
            "eventTypes": [
                {"name": "order", "load": cases.COUNTER, "levels": recording_cases.LEVELS},
                {"name": "pay", "load": cases.COUNTER, "critical": True},
                {"name": "ping", "load": cases.COUNTER},
            ],
            "profiles": [{"name": "Standard", "metrics": own, "exportIntervalSeconds": 15, "exemplars": True}],
            "budget": {"cpuPercent": "500m", "bytesPerSecond": "10k"},
            "escalation": {"instancesPercent": 25, "maxSeconds": 300},
            "injection": {"enforce": "Restart"},
        }
    ).to_core()
    assert core.recorded == {"order", "pay"}, "of ping nothing is decided"
    assert core.recording == RecordingSpec(
        event_types=(
            RecordedEvent("order", (Level("Minimal"), Level("Standard", 50.0), Level("Debug", 200.0))),
            RecordedEvent("pay", critical=True),
        ),
        profiles=(
            RecordingProfile(
                "Standard",
                {"latency": MetricSettings(20, ("route",), "2h"), "requests": MetricSettings(1, (), "15d")},
                15,
                exemplars=True,
            ),
        ),
        budget=Budget(0.005, 10_000.0),
        escalation=EscalationPolicy("Debug", 0.25, 300.0, 3600.0),
        enforce="Restart",
    )


def test_found_event_types_are_chosen_for_alike() -> None:
    quiet = parse({"eventTypesFrom": found_cases.FROM_ROUTE}).to_core()
    assert quiet.by_label is not None
    assert not quiet.by_label.recorded
    assert not quiet.recording.active
    core = parse({"eventTypesFrom": found_cases.FROM_ROUTE | {"levels": recording_cases.LEVELS[:1]}}).to_core()
    assert core.by_label is not None
    assert core.by_label.recorded
    assert core.recording.active
    found = core.recording.with_found(["a", "b"]).event_types
    assert found == (RecordedEvent("a", (Level("Minimal"),)), RecordedEvent("b", (Level("Minimal"),)))
    assert quiet.recording.with_found(["a"]) == quiet.recording


def test_defaults_of_recording_are_those_of_the_core() -> None:
    core = parse({"budget": {}, "escalation": {}, "injection": {}}).to_core().recording
    assert core == RecordingSpec(escalation=EscalationPolicy())


def test_compressed_day() -> None:
    forecast = {"stepSeconds": 5, "historySeconds": 2400, "horizonSeconds": 120, "seasonsSeconds": [480, 60]}
    core = parse({"forecast": forecast}).to_core().forecast
    assert core == ForecastSpec(5, 2400, 120, (60, 480), None, None)
    assert core.horizon_slots == 24


@pytest.mark.parametrize("changes", ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(changes: cases.Changes) -> None:
    parse(changes).to_core()


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_refused(case: cases.Refused) -> None:
    with pytest.raises(InvalidSpecError, match=case.says):
        parse(case.changes)


def test_long_name_refused() -> None:
    parse(name="x" * 63)
    with pytest.raises(InvalidSpecError, match=r"metadata.name must be at most 63 characters"):
        parse(name="x" * 64)


def test_many_problems_in_one_line() -> None:
    bad = {f"scaling.{name}": -1 for name in ("minReplicas", "maxReplicas", "maxDownPercent", "headroomPercent")}
    with pytest.raises(InvalidSpecError) as refusal:
        parse(
            bad | {"forecast.stepSeconds": 0, "forecast.horizonSeconds": 0, "eventTypes": [{"name": "a", "load": {}}]}
        )
    text = str(refusal.value)
    assert text.endswith("; and 2 more")
    assert "spec.eventTypes: " not in text  # the bad entry is named, not the list that holds it
    assert "\n" not in text
