"""MetricProfiles that the schema lets through and that it refuses, for the models and for the API server.

A rule of ours (CEL) is refused with the same words in both; a bound in each one's own.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

COUNTER = {"counter": {"metric": "http_requests_total"}}
GAUGE = {"gauge": {"metric": "in_flight"}}
LATENCY = {"latency": {"metric": "http_request_duration_seconds", "highestSeconds": "250m"}}
BYTES = {"bytes": {"counter": {"metric": "http_request_bytes_total"}}}

_PROFILE: dict[str, Any] = {
    "target": {"name": "checkout"},
    "sourceRef": {"name": "main"},
    "eventTypes": [{"name": "order", "load": COUNTER}],
    "scaling": {"maxReplicas": 40, "perPod": "50"},
}

Changes = dict[str, Any]


@dataclass(frozen=True)
class Refused:
    """Changes to a minimal spec that make it invalid.

    Attributes:
        changes: the fields that are changed.
        says: regular expression in the model's refusal.
        server: the same for the API server, if it differs; empty if the API server cannot know.
    """

    changes: Changes
    says: str
    server: str | None = None


def changed(spec: dict[str, Any], changes: Changes) -> dict[str, Any]:
    """Change some fields; `a.b` names field b in block a."""
    spec = deepcopy(spec)
    for path, value in changes.items():
        *blocks, last = path.split(".")
        place = spec
        for block in blocks:
            place = place.setdefault(block, {})
        place[last] = deepcopy(value)
    return spec


def profile(changes: Changes | None = None, name: str = "checkout", namespace: str = "shop") -> dict[str, Any]:
    """Return a MetricProfile with some fields changed."""
    return {
        "apiVersion": "presage.dev/v1alpha1",
        "kind": "MetricProfile",
        "metadata": {"name": name, "namespace": namespace},
        "spec": changed(_PROFILE, changes or {}),
    }


def load(given: dict[str, Any], **more: Any) -> Changes:
    """Return changes that leave one event type with this load."""
    return {"eventTypes": [{"name": "order", "load": given, **more}]}


def matched(*matchers: dict[str, Any]) -> Changes:
    """Return changes that leave one event type with these matchers."""
    return load({"gauge": {"metric": "m", "matchers": list(matchers)}})


def window(**changes: Any) -> Changes:
    """Return changes that leave a calendar of one window, once on a day with a minimum of 20 but for these fields."""
    fields = {"name": "sale", "from": "2026-11-27T08:00", "to": "2026-11-28T00:00", "effect": {"minimum": 20}}
    return {"calendar": {"windows": [{k: v for k, v in (fields | changes).items() if v is not None}]}}


def again(**changes: Any) -> Changes:
    """Return changes that leave a calendar of one window that comes back."""
    return window(**{"from": None, "to": None}, recurrence={"durationSeconds": 3600, **changes})


def holidays(**fields: Any) -> Changes:
    """Return changes that leave a calendar of public holidays."""
    return {"calendar": {"holidays": {"country": "DE", **fields}}}


PROFILES_ACCEPTED: dict[str, Changes] = {
    "as it is": {},
    "calendar without anything": {"calendar": {}},
    "window once": window(),
    "window with offsets": window(**{"from": "2026-11-27T08:00:00Z", "to": "2026-11-27T09:00:01+01:00"}),
    "window of a second": window(**{"from": "2026-11-27T08:00:00", "to": "2026-11-27T08:00:01"}),
    "window with a ramp": window(rampSeconds=600, effect={"multiply": "1.8"}),
    "window that is like a Sunday": window(effect={"likeDay": "Sunday", "multiply": None}),
    "window to ignore": window(effect={"ignore": True}),
    "weekly": again(weekly=["Tuesday", "Thursday"], at="09:00"),
    "monthly": again(monthly=[1, 15, -1]),
    "yearly": again(yearly=["12-24", "02-29"], monthly=None),
    "holidays": holidays(),
    "holidays of a part": holidays(subdivision="BY", effect={"minimum": 3}),
    "sixty-four windows": {
        "calendar": {"windows": [window(name=f"w{i}")["calendar"]["windows"][0] for i in range(64)]}
    },
    "gauge": load(GAUGE),
    "null is absent": load(GAUGE | {"counter": None}) | {"forecast.timeZone": None, "scaling.leadTimeSeconds": None},
    "equal limits": {"scaling.minReplicas": 40},
    "down to zero": {"scaling.minReplicas": 0, "scaling.allowZero": True},
    "fallback at max": {"scaling.fallback": {"replicas": 40}},
    "no fallback": {"scaling.fallback": None},
    "milli per pod": {"scaling.perPod": "250m"},
    "fraction per pod": {"scaling.perPod": "0.05"},
    "lowest quantile": {"forecast.quantile": "0.5"},
    "highest quantile": {"forecast.quantile": "0.99"},
    "quantile and headroom": {"forecast.quantile": "0.9", "scaling.headroomPercent": 20},
    "objective": {"scaling.objective": {}},
    "objective with headroom": {"scaling.objective": {"unmetLoad": "0.1%"}, "scaling.headroomPercent": 20},
    "objective and null for a quantile": {"scaling.objective": {}, "forecast.quantile": None},
    "quantile and null for an objective": {"scaling.objective": None, "forecast.quantile": "0.9"},
    "strictest objective": {"scaling.objective.unmetLoad": "0.01%"},
    "loosest objective": {"scaling.objective.unmetLoad": "50%"},
    "objective with all digits": {"scaling.objective.unmetLoad": "05.0001%"},
    "zone": {"forecast.timeZone": "Europe/Berlin"},
    "zone without a slash": {"forecast.timeZone": "UTC"},
    "season at its limit": {"forecast.seasonsSeconds": [600, 907_200]},
    "horizon of one step": {"forecast.horizonSeconds": 300},
    "a compressed day": {
        "forecast": {"stepSeconds": 5, "historySeconds": 2400, "horizonSeconds": 120, "seasonsSeconds": [480, 60]},
        "scaling.decisionPeriodSeconds": 1,
    },
    "long value compared whole": matched({"label": "a", "value": "x" * 1024}),
    "long expression": matched({"label": "a", "op": "=~", "value": "x" * 256}),
    "quotes in a value": matched({"label": "a", "value": '"} or vector(1) #\n'}),
    "one label twice": matched({"label": "a", "op": "=~", "value": "x.*"}, {"label": "a", "op": "!=", "value": "xy"}),
    "bytes of one type of two": {
        "eventTypes": [{"name": "order", "load": COUNTER | BYTES}, {"name": "quote", "load": GAUGE}],
        "scaling.perPodBytes": "10Mi",
    },
    "bytes in a backlog": load(GAUGE | {"bytes": GAUGE}) | {"scaling.perPodBytes": "0.5G"},
    "no bytes by null": load(GAUGE | {"bytes": None}) | {"scaling.perPodBytes": None},
    "sixteen types": {"eventTypes": [{"name": f"e{i}", "load": GAUGE} for i in range(16)]},
    "lead time given": {"scaling.leadTimeSeconds": 90},
    "capacity from CPU": {"scaling.learnPerPod": {"cpu": {"metric": "cpu_seconds_total", "targetPercent": 100}}},
    "capacity from latency": {"scaling.learnPerPod": LATENCY},
    "pods by a gauge": {"scaling.learnPerPod": LATENCY | {"readyPods": {"metric": "ready"}, "cpu": None}},
    "no learning": {"scaling.learnPerPod": None},
    "off": {"scaling.mode": "Off"},
    "paused": {"paused": True},
}

ONE_LOAD = r"load must have exactly one of counter and gauge"
_ONE_LEARNING = "learnPerPod must have exactly one of cpu and latency"
_ABOVE_ZERO = "must be a quantity above 0"
_QUANTILE = "quantile must be from 0.5 to 0.99"
_OBJECTIVE = 'spec.scaling.objective.unmetLoad: .*unmetLoad must be from "0.01%" to "50%"'

_ONE_EFFECT = r"spec.calendar.windows\[0\].effect: .*effect must have exactly one of"
_ONE_WHEN = r"spec.calendar.windows\[0\]: .*a window must have from and to, or recurrence"

PROFILES_REFUSED: dict[str, Refused] = {
    "no effect": Refused(window(effect={}), _ONE_EFFECT),
    "two effects": Refused(window(effect={"minimum": 3, "ignore": True}), _ONE_EFFECT),
    "factor zero": Refused(window(effect={"multiply": "0"}), "multiply must be from 0.01 to 100"),
    "factor too high": Refused(window(effect={"multiply": "100.1"}), "multiply must be from 0.01 to 100"),
    "factor in other words": Refused(window(effect={"multiply": "1e1"}), "multiply must be from 0.01 to 100"),
    "factor as a number": Refused(window(effect={"multiply": 1.8}), "effect.multiply: .*string"),
    "minimum zero": Refused(window(effect={"minimum": 0}), "effect.minimum: .*greater than or equal to 1"),
    "day in another language": Refused(window(effect={"likeDay": "Sonntag"}), "effect.likeDay: "),
    "window without a time": Refused(window(**{"from": None, "to": None}), _ONE_WHEN),
    "window without an end": Refused(window(to=None), _ONE_WHEN),
    "window once and again": Refused(window(recurrence={"weekly": ["Monday"]}), _ONE_WHEN),
    "window backwards": Refused(window(to="2026-11-27T08:00"), "from must be before to"),
    "window backwards by offset": Refused(
        window(**{"from": "2026-11-27T08:00:00Z", "to": "2026-11-27T09:00:00+01:00"}), "from must be before to"
    ),
    "window half local": Refused(window(to="2026-11-28T00:00:00Z"), "from and to must both have an offset, or neither"),
    "window on no day": Refused(
        window(**{"from": "2026-02-30T08:00"}), r"windows\[0\].from: this date does not exist", server=""
    ),
    "window of words": Refused(window(to="tomorrow"), r"windows\[0\].to: "),
    "window in a long ago": Refused(window(**{"from": "1999-01-01T00:00"}), r"windows\[0\].from: "),
    "ramp of another effect": Refused(
        window(rampSeconds=60, effect={"likeDay": "Sunday"}), "rampSeconds needs effect multiply or minimum"
    ),
    "ramp of two days": Refused(window(rampSeconds=172_800), "rampSeconds: .*less than or equal to 86400"),
    "window twice": Refused(
        {"calendar": {"windows": window()["calendar"]["windows"] * 2}},
        "windows must not contain a name twice",
        r"calendar.windows\[1\]: Duplicate value",
    ),
    "too many windows": Refused(
        {"calendar": {"windows": [window(name=f"w{i}")["calendar"]["windows"][0] for i in range(65)]}},
        "calendar.windows: .*at most 64",
        "calendar.windows: Too many",
    ),
    "no recurrence": Refused(again(), "recurrence must have exactly one of weekly, monthly and yearly"),
    "two recurrences": Refused(again(weekly=["Monday"], monthly=[1]), "recurrence must have exactly one of"),
    "recurrence on no day": Refused(again(weekly=[]), "recurrence.weekly: .*at least 1"),
    "day of the week twice": Refused(
        again(weekly=["Monday", "Monday"]), "must not contain a day twice", r"weekly\[1\]: Duplicate value"
    ),
    "day of the month zero": Refused(again(monthly=[0]), "a day of the month must be from 1 to 31, or -1"),
    "day of the month 32": Refused(again(monthly=[32]), r"monthly\[0\]: .*less than or equal to 31"),
    "day that no year has": Refused(again(yearly=["02-30"]), "a day of the year must be one that there is"),
    "time of day 24:00": Refused(again(weekly=["Monday"], at="24:00"), "recurrence.at: "),
    "recurrence of a moment": Refused(
        again(weekly=["Monday"], durationSeconds=59), "durationSeconds: .*greater than or equal to 60"
    ),
    "unknown country": Refused(holidays(country="XX"), "no holidays are known of this country", server=""),
    "country by name": Refused(holidays(country="Germany"), "holidays.country: "),
    "unknown subdivision": Refused(
        holidays(subdivision="XX"), "DE has no such subdivision; known are: Augsburg, BB, .*TH$", server=""
    ),
    "zone of the calendar": Refused(
        {"calendar": {"timeZone": "Mars/Base"}}, "calendar.timeZone: timeZone must be an IANA name", server=""
    ),
    "no event type": Refused(
        {"eventTypes": []}, "spec.eventTypes: .*at least 1", "spec.eventTypes: .*at least 1 items"
    ),
    "too many event types": Refused(
        {"eventTypes": [{"name": f"e{i}", "load": GAUGE} for i in range(17)]},
        "spec.eventTypes: .*at most 16",
        "spec.eventTypes: Too many: .*at most 16",
    ),
    "name twice": Refused(
        {"eventTypes": [{"name": "a", "load": GAUGE}] * 2},
        "eventTypes must not contain a name twice",
        r"spec.eventTypes\[1\]: Duplicate value",
    ),
    "both loads": Refused(load(COUNTER | GAUGE), r"spec.eventTypes\[0\].load: .*" + ONE_LOAD),
    "no load": Refused(load({}), ONE_LOAD),
    "bytes without a series": Refused(
        load(GAUGE | {"bytes": {}}) | {"scaling.perPodBytes": "1"},
        r"spec.eventTypes\[0\].load.bytes: .*bytes must have exactly one of counter and gauge",
    ),
    "bytes without bytes per pod": Refused(
        load(GAUGE | BYTES), "spec: .*scaling.perPodBytes must be given where an event type gives load.bytes"
    ),
    "bytes per pod without bytes": Refused(
        {"scaling.perPodBytes": "10Mi"}, "spec: .*scaling.perPodBytes needs an event type that gives load.bytes"
    ),
    "bytes per pod zero": Refused(
        load(GAUGE | BYTES) | {"scaling.perPodBytes": "0Mi"}, f"spec.scaling.perPodBytes: .*perPodBytes {_ABOVE_ZERO}"
    ),
    "weight zero": Refused(load(GAUGE, weight="0"), f"spec.eventTypes\\[0\\].weight: .*weight {_ABOVE_ZERO}"),
    "metric with a brace": Refused(
        load({"gauge": {"metric": "up{}"}}), "gauge.metric: .*pattern", "gauge.metric: .*match"
    ),
    "window zero": Refused(
        load({"counter": {"metric": "m", "windowSeconds": 0}}), "windowSeconds: .*greater than or equal to 1"
    ),
    "unknown operator": Refused(
        matched({"label": "a", "op": "==", "value": "x"}), r"matchers\[0\].op: ", r"matchers\[0\].op: Unsupported value"
    ),
    "label with a dash": Refused(matched({"label": "a-b", "value": "x"}), r"matchers\[0\].label: "),
    "metric name as label": Refused(matched({"label": "__name__", "value": "x"}), "a label cannot be __name__"),
    "expression too long": Refused(
        matched({"label": "a", "op": "=~", "value": "x" * 257}), "value must be at most 256 characters"
    ),
    "value too long": Refused(
        matched({"label": "a", "value": "x" * 1025}), "value: .*at most 1024", "value: Too long: .*1024"
    ),
    "matcher twice": Refused(
        matched({"label": "a", "value": "b"}, {"label": "a", "value": "b"}),
        "matchers must not contain the same",
        r"matchers\[1\]: Duplicate value",
    ),
    "too many matchers": Refused(
        matched(*({"label": f"a{i}", "value": "b"} for i in range(17))), "matchers: .*at most 16", "matchers: Too many"
    ),
    "min above max": Refused({"scaling.minReplicas": 41}, "spec.scaling: .*minReplicas must be at most maxReplicas"),
    "min below zero": Refused(
        {"scaling.minReplicas": -1, "scaling.allowZero": True},
        "spec.scaling.minReplicas: .*greater than or equal to 0",
    ),
    "min zero, not allowed": Refused({"scaling.minReplicas": 0}, "spec.scaling: .*minReplicas 0 needs allowZero: true"),
    "fallback above max": Refused(
        {"scaling.fallback": {"replicas": 41}}, "spec.scaling: .*fallback.replicas must be at most maxReplicas"
    ),
    "fallback of none": Refused(
        {"scaling.fallback": {"replicas": 0}}, "spec.scaling.fallback.replicas: .*greater than or equal to 1"
    ),
    "no max": Refused({"scaling": {"perPod": "1"}}, "spec.scaling.maxReplicas: .*[Rr]equired"),
    "per pod zero": Refused({"scaling.perPod": "0.0"}, f"spec.scaling.perPod: .*perPod {_ABOVE_ZERO}"),
    "per pod negative": Refused({"scaling.perPod": "-1"}, f"perPod {_ABOVE_ZERO}"),
    "per pod word": Refused({"scaling.perPod": "ten"}, f"perPod {_ABOVE_ZERO}"),
    "per pod number": Refused({"scaling.perPod": 50}, "spec.scaling.perPod: .*string"),
    "learning from nothing": Refused({"scaling.learnPerPod": {}}, _ONE_LEARNING),
    "learning from both": Refused({"scaling.learnPerPod": LATENCY | {"cpu": {"metric": "m"}}}, _ONE_LEARNING),
    "learning with a query": Refused(
        {"scaling.learnPerPod": {"cpu": {"metric": "rate(m[1m])"}}}, "cpu.metric: .*pattern", "cpu.metric: .*match"
    ),
    "no CPU": Refused(
        {"scaling.learnPerPod": {"cpu": {"metric": "m", "coresPerPod": "0m"}}}, f"coresPerPod {_ABOVE_ZERO}"
    ),
    "more than all CPU": Refused(
        {"scaling.learnPerPod": {"cpu": {"metric": "m", "targetPercent": 101}}},
        "targetPercent: .*less than or equal to 100",
    ),
    "no latency": Refused(
        {"scaling.learnPerPod": {"latency": {"metric": "m", "highestSeconds": "0"}}}, f"highestSeconds {_ABOVE_ZERO}"
    ),
    "off without quotes": Refused(
        {"scaling.mode": False}, "spec.scaling.mode: .*'Auto', 'DryRun' or 'Off'", "spec.scaling.mode: .*type string"
    ),
    "slow decisions": Refused(
        {"scaling.decisionPeriodSeconds": 61}, "decisionPeriodSeconds: .*less than or equal to 60"
    ),
    "horizon under a step": Refused({"forecast.horizonSeconds": 299}, "horizonSeconds must be at least stepSeconds"),
    "horizon of many steps": Refused(
        {"forecast.stepSeconds": 1, "forecast.historySeconds": 50_000, "forecast.horizonSeconds": 3601},
        "horizonSeconds must be at most 3600 × stepSeconds",
    ),
    "history of many steps": Refused({"forecast.stepSeconds": 1}, "historySeconds must be at most 50000 × stepSeconds"),
    "history of one step": Refused({"forecast.historySeconds": 599}, "historySeconds must be at least 2 × stepSeconds"),
    "season under two steps": Refused(
        {"forecast.seasonsSeconds": [599]}, "each of seasonsSeconds must be at least 2 × stepSeconds"
    ),
    "season over half the history": Refused(
        {"forecast.seasonsSeconds": [907_201]}, "historySeconds must be at least 2 × the longest of seasonsSeconds"
    ),
    "season twice": Refused(
        {"forecast.seasonsSeconds": [600, 600]},
        "must not contain a length twice",
        r"seasonsSeconds\[1\]: Duplicate value",
    ),
    "too many seasons": Refused(
        {"forecast.seasonsSeconds": [600, 601, 602, 603, 604]},
        "seasonsSeconds: .*at most 4",
        "seasonsSeconds: Too many",
    ),
    "quantile too low": Refused({"forecast.quantile": "0.49"}, _QUANTILE),
    "quantile too high": Refused({"forecast.quantile": "0.991"}, _QUANTILE),
    "quantile word": Refused({"forecast.quantile": "high"}, _QUANTILE),
    "quantile other digits": Refused({"forecast.quantile": "0.٩"}, _QUANTILE),
    "quantile and objective": Refused(
        {"forecast.quantile": "0.9", "scaling.objective": {}},
        "spec: .*give either forecast.quantile or scaling.objective",
    ),
    **{
        f"objective of {share!r}": Refused({"scaling.objective.unmetLoad": share}, _OBJECTIVE)
        for share in (
            "0%",
            "0.0099%",
            "50.0001%",
            "99%",
            "0.5",
            "5.%",
            ".5%",
            "001%",
            "5.12345%",
            "-1%",
            "+1%",
            "1e1%",
            " 1%",
            "1 %",
            "1%%",
            "٥%",
            "5.٥%",
            "1%\n",
            "nan%",
        )
    },
    "objective as a number": Refused({"scaling.objective.unmetLoad": 0.5}, "unmetLoad: .*string"),
    "unknown zone": Refused({"forecast.timeZone": "Mars/Base"}, "timeZone must be an IANA name", server=""),
    "zone that is a folder": Refused({"forecast.timeZone": "Europe"}, "timeZone must be an IANA name", server=""),
    "zone as a path": Refused({"forecast.timeZone": "../../etc/passwd"}, "spec.forecast.timeZone"),
    "other kind": Refused({"target.kind": "StatefulSet"}, "spec.target.kind: .*Deployment"),
    "target in another namespace": Refused({"target.name": "shop/checkout"}, "spec.target.name"),
    "no source": Refused({"sourceRef": {}}, "spec.sourceRef.name: .*[Rr]equired"),
    "spec of another type": Refused({"scaling": "Auto"}, "spec.scaling: "),
}
