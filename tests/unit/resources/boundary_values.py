"""Values that the CRDs alone do not give: of fields with a grammar, of lists, of siblings, and for each rule (CEL)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from presage.core.calendar.spec import WEEKDAYS

Json = dict[str, Any]

ALTERNATIVES = {
    ".spec.eventTypes[].load.gauge": "counter",
    ".spec.scaling.learnPerPod.latency": "cpu",
    ".spec.scaling.objective": ".spec.forecast.quantile",
    ".spec.eventTypes[].load.bytes.gauge": "counter",
    ".spec.eventTypesFrom.load.gauge": "counter",
    ".spec.eventTypesFrom.load.bytes.gauge": "counter",
    ".spec.auth.basicAuthSecretRef": "bearerTokenSecretRef",
    ".spec.tls.insecureSkipVerify": "caSecretRef",
    **{
        f"{place}.effect.{name}": "multiply"
        for place in (".spec.calendar.holidays", ".spec.calendar.windows[]")
        for name in ("minimum", "likeDay", "ignore")
    },
    ".spec.calendar.windows[].recurrence.monthly": "weekly",
    ".spec.calendar.windows[].recurrence.yearly": "weekly",
    ".spec.calendar.windows[].from": "recurrence",
    ".spec.calendar.windows[].to": "recurrence",
}
"""What a whole object leaves out, since it excludes its sibling: a name beside it, or a path."""

TOGETHER = {
    ".spec.calendar.windows[].from": ".spec.calendar.windows[].to",
    ".spec.calendar.windows[].to": ".spec.calendar.windows[].from",
}
"""What is there with another one or not at all."""

SAMPLES: dict[str, Any] = {
    ".spec.url": "https://prometheus.example",
    ".spec.eventTypes[].weight": "1",
    ".spec.retention.backend": "Prometheus",
    ".spec.retention.tiers[].name": "1d",
    ".spec.retention.tiers[].url": "https://prometheus-1d.example",
    ".spec.retention.defaultTier": "1d",
    ".spec.retention.port": "metrics",
    ".spec.retention.path": "/metrics",
    ".spec.eventTypesFrom.weight": "1",
    ".spec.scaling.perPod": "50",
    ".spec.scaling.learnPerPod.cpu.coresPerPod": "500m",
    ".spec.scaling.learnPerPod.latency.highestSeconds": "0.25",
    ".spec.scaling.perPodBytes": "10Mi",
    ".spec.eventTypes[].levels": [{"profile": "a"}, {"profile": "a", "above": "50"}],
    ".spec.eventTypesFrom.levels": [{"profile": "a"}, {"profile": "a", "above": "50"}],
    ".spec.budget.bytesPerSecond": "10k",
    ".spec.budget.bytesPercent": "1",
    ".spec.forecast.quantile": "0.9",
    ".spec.forecast.seasonsSeconds[]": 600,
    ".spec.forecast.timeZone": "UTC",
    ".spec.calendar.timeZone": "UTC",
    ".spec.calendar.holidays.country": "DE",
    ".spec.calendar.holidays.subdivision": "BY",
    ".spec.calendar.holidays.effect.multiply": "1.8",
    ".spec.calendar.windows[].effect.multiply": "1.8",
    ".spec.calendar.windows[].from": "2026-11-27T08:00",
    ".spec.calendar.windows[].to": "2026-11-28T00:00",
    ".spec.calendar.windows[].recurrence.monthly[]": 1,
    ".spec.calendar.windows[].recurrence.yearly[]": "12-24",
}
"""Values of a whole object that neither default nor bounds give."""

TEXTS: dict[str, Callable[[int], str]] = {
    ".spec.url": lambda n: "http://a" if n == 8 else "https://a/".ljust(n, "a"),
    ".spec.eventTypes[].weight": lambda n: "1" * n,
    ".spec.retention.tiers[].name": lambda n: "1" * (n - 1) + "d",
    ".spec.retention.tiers[].url": lambda n: "http://a" if n == 8 else "https://a/".ljust(n, "a"),
    ".spec.retention.defaultTier": lambda n: "1" * (n - 1) + "d",
    ".spec.retention.path": lambda n: "/".ljust(n, "a"),
    ".spec.eventTypesFrom.weight": lambda n: "1" * n,
    ".spec.scaling.perPod": lambda n: "1" * n,
    ".spec.scaling.learnPerPod.cpu.coresPerPod": lambda n: "1" * n,
    ".spec.scaling.learnPerPod.latency.highestSeconds": lambda n: "1" * n,
    ".spec.scaling.perPodBytes": lambda n: "1" * n,
    ".spec.eventTypes[].levels[].above": lambda n: "1" * n,
    ".spec.eventTypesFrom.levels[].above": lambda n: "1" * n,
    ".spec.budget.cpuPercent": lambda n: "1" * n,
    ".spec.budget.bytesPerSecond": lambda n: "1" * n,
    ".spec.budget.bytesPercent": lambda n: "1" * n,
    ".spec.profiles[].metrics[].retention": lambda n: "2h" if n == 2 else "99999d",
    ".spec.forecast.quantile": lambda n: "0.5".ljust(n, "0"),
    ".spec.scaling.objective.unmetLoad": lambda n: "1%" if n == 2 else "12.1234%",
    ".spec.calendar.holidays.country": lambda n: "DE",
    ".spec.calendar.holidays.effect.multiply": lambda n: "1" if n == 1 else "100.0000",
    ".spec.calendar.windows[].effect.multiply": lambda n: "1" if n == 1 else "100.0000",
    ".spec.calendar.windows[].from": lambda n: "2026-01-01T00:00:00+00:00"[:n],
    ".spec.calendar.windows[].to": lambda n: "2027-01-01T00:00:00+00:00"[:n],
    ".spec.calendar.windows[].recurrence.at": lambda n: "09:00",
    ".spec.calendar.windows[].recurrence.yearly[]": lambda n: "12-24",
}
"""Texts of a length, where not any letters will do."""

PLACES = {
    ".spec.eventTypes[].levels[].above": ".spec.eventTypes[0].levels[1].above",
    ".spec.eventTypesFrom.levels[].above": ".spec.eventTypesFrom.levels[1].above",
}
"""Where a part is changed if not in the first entry of each list."""

COMPANIONS: dict[tuple[str, str], Json] = {
    (".spec.forecast.stepSeconds", "minimum"): {".spec.forecast.historySeconds": 50_000},
    (".spec.forecast.stepSeconds", "maximum"): {".spec.forecast.seasonsSeconds": []},
    (".spec.forecast.historySeconds", "minimum"): {
        ".spec.forecast.stepSeconds": 1, ".spec.forecast.horizonSeconds": 1, ".spec.forecast.seasonsSeconds": [],
    },
    (".spec.forecast.horizonSeconds", "minimum"): {
        ".spec.forecast.stepSeconds": 1, ".spec.forecast.historySeconds": 50_000,
    },
    (".spec.forecast.seasonsSeconds[]", "minimum"): {
        ".spec.forecast.stepSeconds": 1, ".spec.forecast.historySeconds": 50_000,
    },
    (".spec.forecast.seasonsSeconds[]", "maximum"): {".spec.forecast.historySeconds": 4_838_400},
    (".spec.scaling.minReplicas", "minimum"): {".spec.scaling.allowZero": True},
    (".spec.scaling.perPodBytes", "nullable"): {
        ".spec.eventTypes[].load.bytes": None, ".spec.eventTypesFrom.load.bytes": None,
        ".spec.budget.bytesPercent": None,
    },
    (".spec.scaling.minReplicas", "maximum"): {".spec.scaling.maxReplicas": 10_000},
    (".spec.scaling.fallback.replicas", "maximum"): {".spec.scaling.maxReplicas": 10_000},
    (".spec.url", "minLength"): {".spec.tls": None},
    (".spec.calendar.windows[].from", "maxLength"): {".spec.calendar.windows[].to": "2027-01-01T00:00:00+00:00"},
    (".spec.calendar.windows[].to", "maxLength"): {".spec.calendar.windows[].from": "2026-01-01T00:00:00+00:00"},
    **{
        (".spec.retention.tiers[].name", bound): {".spec.retention.defaultTier": None}
        for bound in ("minLength", "maxLength")
    },
    **{
        (".spec.retention.defaultTier", bound): {".spec.retention.tiers[].name": name}
        for bound, name in (("minLength", "1d"), ("maxLength", "11111d"))
    },
}  # fmt: skip
"""What else a value at its limit needs, so that no rule stands in its way."""


def _number_level(entry: Any, i: int) -> Json:
    """Return a level; the lowest is that of number 0 and of number 1, since lists are cut at their beginning."""
    return {"profile": "a"} | ({"above": str(i)} if i > 1 else {})


ENTRIES: dict[str, Callable[[Any, int], Any]] = {
    ".spec.forecast.seasonsSeconds": lambda entry, i: 600 + i,
    ".spec.namespaces.names": lambda entry, i: f"n{i}",
    ".spec.retention.tiers": lambda entry, i: {"name": f"{i or 9}d", "url": f"https://prometheus-{i or 9}d"},
    ".status.retention": lambda entry, i: entry | {"tier": f"{i}d"},
    ".spec.eventTypes": lambda entry, i: entry | {"name": f"e{i}"},
    ".spec.eventTypes[].levels": _number_level,
    ".spec.eventTypesFrom.levels": _number_level,
    ".spec.profiles[].metrics[].attributes": lambda entry, i: f"a{i}",
    ".status.conditions": lambda entry, i: entry | {"type": f"T{i}"},
    ".spec.calendar.windows[].recurrence.weekly": lambda entry, i: WEEKDAYS[(i + 6) % 7],
    ".spec.calendar.windows[].recurrence.monthly": lambda entry, i: i or -1,
    ".spec.calendar.windows[].recurrence.yearly": lambda entry, i: f"01-{i:02}" if i else "02-01",
}
"""The i-th entry of a list, where entries must differ; made from one entry."""


@dataclass(frozen=True)
class Rule:
    """Values on both sides of a rule; `at` is relative to the part that the rule is on, empty for the part itself."""

    accepted: Json
    refused: Json


_QUANTITY = Rule({"": "0.001m"}, {"": "0.0"})
_ONE_SERIES = Rule({".counter": None, ".gauge": {"metric": "m"}}, {".gauge": {"metric": "m"}})
_LONG_EXPRESSION = Rule({".op": "=~", ".value": "x" * 256}, {".op": "=~", ".value": "x" * 257})
RULES: dict[str, Rule] = {
    "metadata.name must be at most 63 characters": Rule({".metadata.name": "x" * 63}, {".metadata.name": "x" * 64}),
    "weight must be a quantity above 0": _QUANTITY,
    "perPod must be a quantity above 0": _QUANTITY,
    "coresPerPod must be a quantity above 0": _QUANTITY,
    "highestSeconds must be a quantity above 0": _QUANTITY,
    "learnPerPod must have exactly one of cpu and latency": Rule(
        {"": {"cpu": {"metric": "m"}}},
        {"": {"cpu": {"metric": "m"}, "latency": {"metric": "m", "highestSeconds": "1"}}},
    ),
    "perPodBytes must be a quantity above 0": _QUANTITY,
    "scaling.perPodBytes must be given where an event type gives load.bytes": Rule(
        {".scaling.perPodBytes": "1"}, {".scaling.perPodBytes": None}
    ),
    "scaling.perPodBytes needs an event type that gives load.bytes": Rule(
        {
            ".eventTypes[].load.bytes": None,
            ".eventTypesFrom.load.bytes": None,
            ".scaling.perPodBytes": None,
            ".budget.bytesPercent": None,
        },
        {
            ".eventTypes[].load.bytes": None,
            ".eventTypesFrom.load.bytes": None,
            ".budget.bytesPercent": None,
        },
    ),
    "spec must have eventTypes, eventTypesFrom or both": Rule(
        {".eventTypes": None},
        {".eventTypes": None, ".eventTypesFrom": None, ".scaling.perPodBytes": None, ".budget": None},
    ),
    "budget.bytesPercent needs an event type that gives load.bytes": Rule(
        {
            ".eventTypes[].load.bytes": None,
            ".eventTypesFrom.load.bytes": None,
            ".scaling.perPodBytes": None,
            ".budget.bytesPercent": None,
        },
        {
            ".eventTypes[].load.bytes": None,
            ".eventTypesFrom.load.bytes": None,
            ".scaling.perPodBytes": None,
        },
    ),
    "above must be a quantity above 0": _QUANTITY,
    "cpuPercent must be a quantity above 0": _QUANTITY,
    "bytesPerSecond must be a quantity above 0": _QUANTITY,
    "bytesPercent must be a quantity above 0": _QUANTITY,
    "the lowest level must have no above, and all others one": Rule(
        {"": [{"profile": "a", "above": None}, {"profile": "a", "above": "1"}]}, {"": [{"profile": "a", "above": "1"}]}
    ),
    "levels must be in rising order of above": Rule(
        {"": [{"profile": "a"}, {"profile": "a", "above": "999m"}, {"profile": "a", "above": "1"}]},
        {"": [{"profile": "a"}, {"profile": "a", "above": "1"}, {"profile": "a", "above": "1000m"}]},
    ),
    "a metric cannot be named events": Rule({"": "event"}, {"": "events"}),
    "an attribute cannot begin with presage_": Rule({"": "presage"}, {"": "presage_every"}),
    "load must have exactly one of counter and gauge": _ONE_SERIES,
    "bytes must have exactly one of counter and gauge": _ONE_SERIES,
    "value must be at most 256 characters when op is =~ or !~": _LONG_EXPRESSION,
    "a label cannot be __name__": Rule({"": "__name"}, {"": "__name__"}),
    "horizonSeconds must be at least stepSeconds": Rule({".horizonSeconds": 300}, {".horizonSeconds": 299}),
    "horizonSeconds must be at most 3600 × stepSeconds": Rule(
        {".stepSeconds": 2, ".historySeconds": 50_000, ".horizonSeconds": 7200},
        {".stepSeconds": 2, ".historySeconds": 50_000, ".horizonSeconds": 7201},
    ),
    "historySeconds must be at least 2 × stepSeconds": Rule(
        {".historySeconds": 600, ".seasonsSeconds": []}, {".historySeconds": 599, ".seasonsSeconds": []}
    ),
    "historySeconds must be at most 50000 × stepSeconds": Rule(
        {".stepSeconds": 1, ".historySeconds": 50_000}, {".stepSeconds": 1, ".historySeconds": 50_001}
    ),
    "each of seasonsSeconds must be at least 2 × stepSeconds": Rule(
        {".seasonsSeconds": [600]}, {".seasonsSeconds": [599]}
    ),
    "historySeconds must be at least 2 × the longest of seasonsSeconds": Rule(
        {".seasonsSeconds": [907_200]}, {".seasonsSeconds": [907_201]}
    ),
    "quantile must be from 0.5 to 0.99": Rule({"": "0.99"}, {"": "0.9901"}),
    'unmetLoad must be from "0.01%" to "50%"': Rule({"": "0.01%"}, {"": "0.0099%"}),
    "give either forecast.quantile or scaling.objective": Rule(
        {".forecast.quantile": None, ".scaling.objective": {"unmetLoad": "0.1%"}}, {".scaling.objective": {}}
    ),
    "minReplicas must be at most maxReplicas": Rule(
        {".minReplicas": 7, ".maxReplicas": 7}, {".minReplicas": 8, ".maxReplicas": 7}
    ),
    "minReplicas 0 needs allowZero: true": Rule(
        {".minReplicas": 0, ".allowZero": True}, {".minReplicas": 0, ".allowZero": False}
    ),
    "fallback.replicas must be at most maxReplicas": Rule(
        {".maxReplicas": 7, ".fallback": {"replicas": 7}}, {".maxReplicas": 7, ".fallback": {"replicas": 8}}
    ),
    "tls needs a url that begins with https://": Rule({".url": "https://a"}, {".url": "http://a"}),
    "url must be http:// or https://": Rule({"": "https://a:1/b"}, {"": "https://a:1/b?c"}),
    "auth must have exactly one of": Rule(
        {"": {"basicAuthSecretRef": {"name": "a"}}},
        {"": {"basicAuthSecretRef": {"name": "a"}, "bearerTokenSecretRef": {"name": "a", "key": "b"}}},
    ),
    "tls cannot have both caSecretRef and insecureSkipVerify": Rule(
        {".insecureSkipVerify": False}, {".insecureSkipVerify": True}
    ),
    "effect must have exactly one of": Rule({"": {"minimum": 3}}, {"": {"minimum": 3, "multiply": "2"}}),
    "multiply must be from 0.01 to 100": Rule({"": "0.01"}, {"": "0.0099"}),
    "recurrence must have exactly one of": Rule({"": {"monthly": [1]}}, {"": {"monthly": [1], "weekly": ["Monday"]}}),
    "a day of the month must be": Rule({"": -1}, {"": 0}),
    "a day of the year must be": Rule({"": "02-29"}, {"": "02-30"}),
    "a window must have from and to, or recurrence": Rule(
        {".from": None, ".to": None}, {".from": "2026-01-01T00:00", ".to": "2026-01-02T00:00"}
    ),
    "from and to must both have an offset": Rule(
        {".recurrence": None, ".from": "2026-01-01T00:00:00Z", ".to": "2026-01-02T00:00:00+01:00"},
        {".recurrence": None, ".from": "2026-01-01T00:00:00Z", ".to": "2026-01-02T00:00:00"},
    ),
    "from must be before to": Rule(
        {".recurrence": None, ".from": "2026-01-01T01:00:00+01:00", ".to": "2026-01-01T00:00:01Z"},
        {".recurrence": None, ".from": "2026-01-01T01:00:00+01:00", ".to": "2026-01-01T00:00:00Z"},
    ),
    "rampSeconds needs effect": Rule(
        {".rampSeconds": 0, ".effect": {"ignore": True}}, {".rampSeconds": 1, ".effect": {"ignore": True}}
    ),
    "tiers must be given, unless backend is Other": Rule(
        {".backend": "Other", ".tiers": [], ".defaultTier": None}, {".tiers": [], ".defaultTier": None}
    ),
    "tiers must have a server each": Rule(
        {".tiers": [{"name": "1d", "url": "http://a:1"}, {"name": "2d", "url": "http://b:1"}]},
        {".tiers": [{"name": "1d", "url": "http://a:1"}, {"name": "2d", "url": "http://a:1"}]},
    ),
    "tiers of VictoriaMetrics must be days or weeks": Rule(
        {".backend": "VictoriaMetrics"},
        {".backend": "VictoriaMetrics", ".tiers[].name": "24h", ".defaultTier": None},
    ),
    "defaultTier must be one of tiers": Rule({".defaultTier": "1d"}, {".defaultTier": "2d"}),
    "names must not mix": Rule({".names": ["*"]}, {".names": ["*", "a"]}),
}
"""By the beginning of the message."""
