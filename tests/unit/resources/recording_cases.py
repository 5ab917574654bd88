"""MetricProfiles that say what is to be recorded, which the schema lets through or refuses; see `cases`."""

from __future__ import annotations

from typing import Any

from tests.unit.resources.cases import BYTES, COUNTER, Changes, Refused, load
from tests.unit.resources.found_cases import FROM_ROUTE

LEVELS = [
    {"profile": "Minimal"},
    {"profile": "Standard", "above": "50"},
    {"profile": "Debug", "above": "200"},
]


def levels(*given: dict[str, Any], **more: Any) -> Changes:
    """Return changes that leave one event type with these levels."""
    return load(COUNTER, levels=list(given), **more)


def metric(name: str = "latency", **fields: Any) -> Changes:
    """Return changes that leave one profile of one metric."""
    return {"profiles": [{"name": "Standard", "metrics": [{"name": name, **fields}]}]}


def above(*thresholds: str) -> list[dict[str, Any]]:
    """Return levels that begin at these thresholds, the lowest one before them."""
    return [{"profile": "Minimal"}, *({"profile": "Standard", "above": each} for each in thresholds)]


RECORDING_ACCEPTED: dict[str, Changes] = {
    "levels": levels(*LEVELS),
    "one level": levels({"profile": "Standard"}),
    "less under load": levels({"profile": "Debug"}, {"profile": "Minimal", "above": "200"}),
    "one profile in two ranges": levels(
        {"profile": "Debug"}, {"profile": "Minimal", "above": "50"}, {"profile": "Debug", "above": "1k"}
    ),
    "a profile of the installation, or of nobody": levels({"profile": "Quiet-hours2"}),
    "critical": load(COUNTER, critical=True),
    "critical with levels": levels(*LEVELS, critical=True),
    "thresholds in several forms": levels(*above(".5", "999m", "1", "1.5", "0.9k", "1k", "1Ki")),
    "no levels": levels(),
    "levels of what is found": {"eventTypesFrom": FROM_ROUTE | {"levels": LEVELS}},
    "critical, whatever is found": {"eventTypesFrom": FROM_ROUTE | {"critical": True}},
    "share of a data volume of what is found": {
        "eventTypesFrom": FROM_ROUTE | {"load": COUNTER | BYTES},
        "scaling.perPodBytes": "10Mi",
        "budget": {"bytesPercent": "1"},
    },
    "thresholds beyond all reason": levels(*above("1", "9" * 24)),
    "a profile of one's own": metric(everyEvents=10**9, attributes=["route", "http.method", "_a-b"], retention="400d"),
    "a metric that the function declares": metric("cart.size-bytes"),
    "budget": {"budget": {}},
    "budget of much": {"budget": {"cpuPercent": "100", "bytesPerSecond": "10Gi", "bytesPercent": None}},
    "escalation": {"escalation": {}},
    "escalation of one's own": {"escalation": {"profile": "Loud", "instancesPercent": 100, "pauseSeconds": 0}},
    "restart": {"injection": {"enforce": "Restart"}},
    "none of it": {"budget": None, "escalation": None, "injection": None},
    "all at its largest": {
        "eventTypes": [
            {"name": f"e{i}", "load": COUNTER, "levels": above(*(str(n) * 24 for n in range(1, 8)))} for i in range(16)
        ],
        "profiles": [
            {
                "name": f"{'p' * 60}{i}",
                "metrics": [
                    {"name": f"{'m' * 60}{j}", "attributes": [f"{'a' * 60}{k}" for k in range(16)]} for j in range(64)
                ],
            }
            for i in range(16)
        ],
    },
}

_LEVELS = r"spec.eventTypes\[0\].levels"
_LOWEST = _LEVELS + ".*the lowest level must have no above, and all others one"
_RISING = _LEVELS + ".*levels must be in rising order of above, none twice"
_ABOVE = _LEVELS + r"\[1\].above: .*above must be a quantity above 0"
_METRIC = r"spec.profiles\[0\].metrics\[0\]"
_HOSTILE = "should match pattern"

RECORDING_REFUSED: dict[str, Refused] = {
    "lowest with a threshold": Refused(levels({"profile": "Minimal", "above": "1"}), _LOWEST),
    "another without one": Refused(levels(*LEVELS[:2], {"profile": "Debug"}), _LOWEST),
    "falling, of what is found": Refused(
        {"eventTypesFrom": FROM_ROUTE | {"levels": above("200", "50")}}, "levels must be in rising order"
    ),
    "falling": Refused(levels(*above("200", "50")), _RISING),
    "twice the same, in other words": Refused(levels(*above("50", "50000m")), _RISING),
    "falling at the end of many": Refused(levels(*above("1", "2", "3", "4", "5", "1Ki", "1k")), _RISING),
    "threshold of zero": Refused(levels(*above("0")), _ABOVE),
    "threshold that is no number": Refused(levels(*above("many")), _ABOVE),
    "threshold below zero": Refused(levels(*above("-5")), _ABOVE),
    "profile with a path in its name": Refused(
        levels({"profile": "../Debug"}), rf"{_LEVELS}\[0\].profile: .*{_HOSTILE}", r"levels\[0\].profile.*should match"
    ),
    "metric with a quote in its name": Refused(
        metric('a"b'), rf"{_METRIC}.name: .*{_HOSTILE}", r"metrics\[0\].name.*should match"
    ),
    "metric with a line end in its name": Refused(
        metric("latency\n"), rf"{_METRIC}.name: .*{_HOSTILE}", r"metrics\[0\].name.*should match"
    ),
    "metric named as the exact count": Refused(metric("events"), f"{_METRIC}.name: .*a metric cannot be named events"),
    "metric of a profile twice": Refused(
        {"profiles": [{"name": "Own", "metrics": [{"name": "a"}, {"name": "a"}]}]},
        "metrics must not contain a name twice",
        "Duplicate value",
    ),
    "profile twice": Refused(
        {"profiles": [{"name": "Own", "metrics": [{"name": "a"}]}] * 2},
        "profiles must not contain a name twice",
        "Duplicate value",
    ),
    "profile without metrics": Refused(
        {"profiles": [{"name": "Own", "metrics": []}]}, "at least 1 item", "at least 1 items"
    ),
    "attribute twice": Refused(
        metric(attributes=["a", "a"]), "attributes must not contain a name twice", "Duplicate value"
    ),
    "attribute of presage's own": Refused(
        metric(attributes=["presage_every"]), f"{_METRIC}.attributes.*an attribute cannot begin with presage_"
    ),
    "attribute with a space": Refused(
        metric(attributes=["a b"]), rf"{_METRIC}.attributes\[0\]: .*{_HOSTILE}", r"attributes\[0\].*should match"
    ),
    "retention in years": Refused(
        metric(retention="1y"), rf"{_METRIC}.retention: .*{_HOSTILE}", "retention.*should match"
    ),
    "retention of nothing": Refused(
        metric(retention="0d"), rf"{_METRIC}.retention: .*{_HOSTILE}", "retention.*should match"
    ),
    "budget of nothing": Refused({"budget": {"cpuPercent": "0"}}, "cpuPercent must be a quantity above 0"),
    "share of a data volume that nobody gives": Refused(
        {"budget": {"bytesPercent": "1"}}, "budget.bytesPercent needs an event type that gives load.bytes"
    ),
}
