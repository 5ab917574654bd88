from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from presage.core.forecast.spec import ForecastSpec
from presage.core.profile import EventType, ProfileSpec
from presage.core.query import CounterLoad, GaugeLoad, Matcher
from presage.core.scaling.policy import ScalingPolicy
from presage.resources.base import InvalidSpecError
from presage.resources.metricprofile import MetricProfile, MetricProfileSpec

COUNTER = {"counter": {"metric": "http_requests_total"}}
GAUGE = {"gauge": {"metric": "in_flight"}}
MINIMAL: dict[str, Any] = {
    "target": {"name": "checkout"},
    "sourceRef": {"name": "main"},
    "eventTypes": [{"name": "order", "load": COUNTER}],
    "scaling": {"maxReplicas": 40, "perPod": "50"},
}


def parse(changes: dict[str, Any] | None = None, name: str = "checkout") -> MetricProfileSpec:
    """Read the minimal profile with some fields changed; `a.b` names field b in block a."""
    spec = deepcopy(MINIMAL)
    for path, value in (changes or {}).items():
        *blocks, last = path.split(".")
        place = spec
        for block in blocks:
            place = place.setdefault(block, {})
        place[last] = value
    return MetricProfile.parse({"metadata": {"name": name, "namespace": "shop"}, "spec": spec}).spec


def matched(**matcher: Any) -> dict[str, Any]:
    return {"eventTypes": [{"name": "order", "load": {"gauge": {"metric": "m", "matchers": [matcher]}}}]}


def test_defaults() -> None:
    assert parse().to_core() == ProfileSpec(
        target="checkout",
        source="main",
        event_types=(EventType("order", 1.0, CounterLoad("http_requests_total", (), 60.0)),),
        forecast=ForecastSpec(300, 1_814_400, 3600, (), 0.9, None),
        scaling=ScalingPolicy(
            mode="Auto",
            via="Auto",
            min_replicas=1,
            max_replicas=40,
            per_pod=50.0,
            headroom=0.1,
            tolerance=0.1,
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
    assert spec.to_core().event_types == (
        EventType("b", 0.5, GaugeLoad("g", (Matcher("route", "=~", "/a|/b"),))),
        EventType("a", 2000.0, CounterLoad("c", (), 5.0)),
    )


def test_compressed_day() -> None:
    forecast = {"stepSeconds": 5, "historySeconds": 2400, "horizonSeconds": 120, "seasonsSeconds": [480, 60]}
    core = parse({"forecast": forecast}).to_core().forecast
    assert core == ForecastSpec(5, 2400, 120, (60, 480), 0.9, None)
    assert (core.history_slots, core.horizon_slots) == (480, 24)


ACCEPTED: dict[str, dict[str, Any]] = {
    "gauge": {"eventTypes": [{"name": "a", "load": GAUGE}]},
    "null is absent": {"eventTypes": [{"name": "a", "load": GAUGE | {"counter": None}}], "forecast.timeZone": None},
    "equal limits": {"scaling.minReplicas": 40},
    "milli per pod": {"scaling.perPod": "250m"},
    "fraction per pod": {"scaling.perPod": "0.05"},
    "lowest quantile": {"forecast.quantile": "0.5"},
    "highest quantile": {"forecast.quantile": "0.99"},
    "zone": {"forecast.timeZone": "Europe/Berlin"},
    "zone without a slash": {"forecast.timeZone": "UTC"},
    "season at its limit": {"forecast.seasonsSeconds": [600, 907_200]},
    "horizon of one step": {"forecast.horizonSeconds": 300},
    "long value compared whole": matched(label="a", value="x" * 1024),
    "long expression": matched(label="a", op="=~", value="x" * 256),
    "quotes in a value": matched(label="a", value='"} or vector(1) #\n'),
    "sixteen types": {"eventTypes": [{"name": f"e{i}", "load": GAUGE} for i in range(16)]},
    "lead time given": {"scaling.leadTimeSeconds": 90},
    "off": {"scaling.mode": "Off"},
    "paused": {"paused": True},
}


@pytest.mark.parametrize("changes", ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(changes: dict[str, Any]) -> None:
    parse(changes).to_core()


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no event type": ({"eventTypes": []}, "spec.eventTypes: .*at least 1"),
    "too many event types": (
        {"eventTypes": [{"name": f"e{i}", "load": GAUGE} for i in range(17)]},
        "spec.eventTypes: .*at most 16",
    ),
    "name twice": ({"eventTypes": [{"name": "a", "load": GAUGE}] * 2}, "eventTypes must not contain a name twice"),
    "both loads": (
        {"eventTypes": [{"name": "a", "load": COUNTER | GAUGE}]},
        r"spec.eventTypes\[0\].load: load must have exactly one of counter and gauge",
    ),
    "no load": ({"eventTypes": [{"name": "a", "load": {}}]}, "load must have exactly one of counter and gauge"),
    "weight zero": ({"eventTypes": [{"name": "a", "weight": "0", "load": GAUGE}]}, "weight must be a quantity above 0"),
    "metric with a brace": (
        {"eventTypes": [{"name": "a", "load": {"gauge": {"metric": "up{}"}}}]},
        "load.gauge.metric: .*pattern",
    ),
    "window zero": (
        {"eventTypes": [{"name": "a", "load": {"counter": {"metric": "m", "windowSeconds": 0}}}]},
        "windowSeconds: .*greater than or equal to 1",
    ),
    "unknown operator": (matched(label="a", op="==", value="x"), r"matchers\[0\].op: "),
    "label with a dash": (matched(label="a-b", value="x"), r"matchers\[0\].label: "),
    "metric name as label": (matched(label="__name__", value="x"), "cannot be __name__"),
    "expression too long": (matched(label="a", op="=~", value="x" * 257), "value must be at most 256 characters"),
    "matcher twice": (
        {
            "eventTypes": [
                {"name": "a", "load": {"gauge": {"metric": "m", "matchers": [{"label": "a", "value": "b"}] * 2}}}
            ]
        },
        "matchers must not contain the same",
    ),
    "min above max": ({"scaling.minReplicas": 41}, "spec.scaling: minReplicas must be at most maxReplicas"),
    "min zero": ({"scaling.minReplicas": 0}, "spec.scaling.minReplicas: .*1"),
    "no max": ({"scaling": {"perPod": "1"}}, "spec.scaling.maxReplicas: .*required"),
    "per pod zero": ({"scaling.perPod": "0.0"}, "spec.scaling.perPod: perPod must be a quantity above 0"),
    "per pod negative": ({"scaling.perPod": "-1"}, "perPod must be a quantity above 0"),
    "per pod word": ({"scaling.perPod": "ten"}, "perPod must be a quantity above 0"),
    "per pod number": ({"scaling.perPod": 50}, "spec.scaling.perPod: .*string"),
    "off without quotes": ({"scaling.mode": False}, "spec.scaling.mode: .*'Auto', 'DryRun' or 'Off'"),
    "slow decisions": ({"scaling.decisionPeriodSeconds": 61}, "decisionPeriodSeconds: .*60"),
    "horizon under a step": ({"forecast.horizonSeconds": 299}, "horizonSeconds must be at least stepSeconds"),
    "horizon of many steps": (
        {"forecast.stepSeconds": 1, "forecast.historySeconds": 50_000, "forecast.horizonSeconds": 3601},
        "horizonSeconds must be at most 3600 × stepSeconds",
    ),
    "history of many steps": ({"forecast.stepSeconds": 1}, "historySeconds must be at most 50000 × stepSeconds"),
    "history of one step": ({"forecast.historySeconds": 599}, "historySeconds must be at least 2 × stepSeconds"),
    "season under two steps": ({"forecast.seasonsSeconds": [599]}, "each of seasonsSeconds must be at least 2 ×"),
    "season over half the history": (
        {"forecast.seasonsSeconds": [907_201]},
        "historySeconds must be at least 2 × the longest of seasonsSeconds",
    ),
    "season twice": ({"forecast.seasonsSeconds": [600, 600]}, "must not contain a length twice"),
    "too many seasons": ({"forecast.seasonsSeconds": [600, 601, 602, 603, 604]}, "seasonsSeconds: .*at most 4"),
    "quantile too low": ({"forecast.quantile": "0.49"}, "quantile must be from 0.5 to 0.99"),
    "quantile too high": ({"forecast.quantile": "0.991"}, "quantile must be from 0.5 to 0.99"),
    "quantile word": ({"forecast.quantile": "high"}, "quantile must be from 0.5 to 0.99"),
    "quantile other digits": ({"forecast.quantile": "0.٩"}, "quantile must be from 0.5 to 0.99"),
    "unknown zone": ({"forecast.timeZone": "Mars/Base"}, "timeZone must be an IANA name"),
    "zone as a path": ({"forecast.timeZone": "../../etc/passwd"}, "spec.forecast.timeZone"),
    "zone that is a folder": ({"forecast.timeZone": "Europe"}, "timeZone must be an IANA name"),
    "other kind": ({"target.kind": "StatefulSet"}, "spec.target.kind: .*Deployment"),
    "target in another namespace": ({"target.name": "shop/checkout"}, "spec.target.name"),
    "no source": ({"sourceRef": {}}, "spec.sourceRef.name: .*required"),
    "spec of another type": ({"scaling": "Auto"}, "spec.scaling: "),
}


@pytest.mark.parametrize(("changes", "says"), REFUSED.values(), ids=REFUSED)
def test_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidSpecError, match=says):
        parse(changes)


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
