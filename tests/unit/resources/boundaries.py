"""Boundary cases made from the CRDs themselves: for each constraint objects at the limit, and one just past it.

A limit is read from the CRD, so that a changed limit changes its case. Rules (CEL) cannot be read so: each one has an
entry in `RULES`, and a rule without one fails, as does a keyword that no case is made for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from presage.core.calendar.spec import WEEKDAYS

Json = dict[str, Any]

CRDS = Path(__file__).parents[3] / "crds"
_SILENT = {"description", "default", "properties", "items", "additionalProperties", "exclusiveMinimum"}
"""Keywords that refuse nothing."""

_ALTERNATIVES = {
    ".spec.eventTypes[].load.gauge": "counter",
    ".spec.scaling.learnPerPod.latency": "cpu",
    ".spec.scaling.objective": ".spec.forecast.quantile",
    ".spec.eventTypes[].load.bytes.gauge": "counter",
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


def _sibling(alternative: str) -> str:
    name = _ALTERNATIVES[alternative]
    return name if name.startswith(".") else f"{alternative.rpartition('.')[0]}.{name}"


_TOGETHER = {
    ".spec.calendar.windows[].from": ".spec.calendar.windows[].to",
    ".spec.calendar.windows[].to": ".spec.calendar.windows[].from",
}
"""What is there with another one or not at all."""

_SAMPLES: dict[str, Any] = {
    ".spec.url": "https://prometheus.example",
    ".spec.eventTypes[].weight": "1",
    ".spec.scaling.perPod": "50",
    ".spec.scaling.learnPerPod.cpu.coresPerPod": "500m",
    ".spec.scaling.learnPerPod.latency.highestSeconds": "0.25",
    ".spec.scaling.perPodBytes": "10Mi",
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

_TEXTS: dict[str, Callable[[int], str]] = {
    ".spec.url": lambda n: "http://a" if n == 8 else "https://a/".ljust(n, "a"),
    ".spec.eventTypes[].weight": lambda n: "1" * n,
    ".spec.scaling.perPod": lambda n: "1" * n,
    ".spec.scaling.learnPerPod.cpu.coresPerPod": lambda n: "1" * n,
    ".spec.scaling.learnPerPod.latency.highestSeconds": lambda n: "1" * n,
    ".spec.scaling.perPodBytes": lambda n: "1" * n,
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

_COMPANIONS: dict[tuple[str, str], Json] = {
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
    (".spec.eventTypes[].load.bytes", "nullable"): {".spec.scaling.perPodBytes": None},
    (".spec.scaling.perPodBytes", "nullable"): {".spec.eventTypes[].load.bytes": None},
    (".spec.scaling.minReplicas", "maximum"): {".spec.scaling.maxReplicas": 10_000},
    (".spec.scaling.fallback.replicas", "maximum"): {".spec.scaling.maxReplicas": 10_000},
    (".spec.url", "minLength"): {".spec.tls": None},
    (".spec.calendar.windows[].from", "maxLength"): {".spec.calendar.windows[].to": "2027-01-01T00:00:00+00:00"},
    (".spec.calendar.windows[].to", "maxLength"): {".spec.calendar.windows[].from": "2026-01-01T00:00:00+00:00"},
}  # fmt: skip
"""What else a value at its limit needs, so that no rule stands in its way."""

_ENTRIES: dict[str, Callable[[Any, int], Any]] = {
    ".spec.forecast.seasonsSeconds": lambda entry, i: 600 + i,
    ".spec.namespaces.names": lambda entry, i: f"n{i}",
    ".spec.eventTypes": lambda entry, i: entry | {"name": f"e{i}"},
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
        {".eventTypes[].load.bytes": None, ".scaling.perPodBytes": None}, {".eventTypes[].load.bytes": None}
    ),
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
    "names must not mix": Rule({".names": ["*"]}, {".names": ["*", "a"]}),
}
"""By the beginning of the message."""


@dataclass(frozen=True)
class Case:
    """One constraint with objects on both sides of it.

    Attributes:
        kind: Plural.
        path: Of the constrained part; `[]` stands for each entry of a list, `{}` for each value of a map.
        keyword: Of the constraint.
        accepted: Objects at the limit.
        refused: One just past it; None where nothing can be past it.
        says: Texts that the API server's refusal must hold, besides the path.
    """

    kind: str
    path: str
    keyword: str
    accepted: tuple[Json, ...]
    refused: Json | None
    says: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.kind}{self.path}:{self.keyword}"

    @property
    def is_status(self) -> bool:
        return self.path.startswith(".status")


@cache
def read_schemas() -> dict[str, Json]:
    """Return the schema of each kind, by plural."""
    found = {}
    for place in sorted(CRDS.glob("*.yaml")):
        (version,) = yaml.safe_load(place.read_text(encoding="utf-8"))["spec"]["versions"]
        found[place.stem] = version["schema"]["openAPIV3Schema"]
    return found


def build_cases() -> list[Case]:
    """Return the cases of all constraints of all kinds."""
    return [case for kind, schema in read_schemas().items() for case in _Maker(kind, schema).walk(schema, "")]


class _Maker:
    """Makes the cases of one kind, each from an object in which every field has a value."""

    def __init__(self, kind: str, schema: Json) -> None:
        self._kind = kind
        self._whole: Json = _example(schema, "")
        names = {"metricprofiles": "MetricProfile", "metricsources": "MetricSource"}
        self._whole |= {"apiVersion": "presage.dev/v1alpha1", "kind": names[kind], "metadata": {"name": "case"}}
        if kind == "metricprofiles":
            self._whole["metadata"]["namespace"] = "default"

    def walk(self, node: Json, path: str) -> Iterator[Case]:
        for keyword in sorted(node.keys() - _SILENT):
            if path not in ("", ".metadata", ".apiVersion", ".kind") or keyword not in ("type", "required"):
                yield from getattr(self, "_" + keyword.replace("-", "_"))(node, path)
        for name, child in node.get("properties", {}).items():
            yield from self.walk(child, f"{path}.{name}")
        for key, mark in (("items", "[]"), ("additionalProperties", "{}")):
            if key in node:
                yield from self.walk(node[key], path + mark)

    def _with(self, path: str, changes: Json) -> Json:
        body = deepcopy(self._whole)
        for alternative in _ALTERNATIVES:
            if path.startswith(alternative):  # take it instead of its sibling
                place, name = _find(body, _sibling(alternative))
                place.pop(name, None)
                parent, key = _find(body, alternative)
                parent[key] = _example(self._node(alternative), alternative)
                if (other := _TOGETHER.get(alternative)) is not None:
                    _edit(body, other, _example(self._node(other), other))
        for place, value in changes.items():
            _edit(body, place, value)
        return body

    def _node(self, path: str) -> Json:
        node = read_schemas()[self._kind]
        for part in path.replace("[]", ".[]").split(".")[1:]:
            node = node["items"] if part == "[]" else node["properties"][part]
        return node

    def _case(self, path: str, keyword: str, accepted: list[Any], refused: Any, *says: str) -> Iterator[Case]:
        more = _COMPANIONS.get((path, keyword), {})
        sound = tuple(self._with(path, {**more, path: value}) for value in accepted)
        yield Case(self._kind, path, keyword, sound, self._with(path, {**more, path: refused}), says)

    def _type(self, node: Json, path: str) -> Iterator[Case]:
        wrong: Any = 5 if node["type"] == "string" else "word"
        yield Case(
            self._kind,
            path,
            "type",
            (self._with(path, {}),),
            self._with(path, {path: wrong}),
            (f"type {node.get('format', node['type'])}",),
        )

    def _nullable(self, node: Json, path: str) -> Iterator[Case]:
        changes: Json = {**_COMPANIONS.get((path, "nullable"), {}), path: None}
        for alternative in _ALTERNATIVES:
            sibling = _sibling(alternative)
            if path == sibling and len(changes) == 1:  # one of them must be there
                for name in filter(None, (alternative, _TOGETHER.get(alternative))):
                    changes[name] = _example(self._node(name), name)
            elif path == alternative:
                changes |= {name: None for name in (_TOGETHER.get(path),) if name}
                changes[sibling] = _example(self._node(sibling), sibling)
        yield Case(self._kind, path, "nullable", (self._with(path, changes),), None, ())

    def _minimum(self, node: Json, path: str) -> Iterator[Case]:
        least = node["minimum"]
        yield from self._case(path, "minimum", [least], least - 1, f"greater than or equal to {least:g}")

    def _maximum(self, node: Json, path: str) -> Iterator[Case]:
        most = node["maximum"]
        yield from self._case(path, "maximum", [most], most + 1, "less than or equal to", str(most))

    def _minLength(self, node: Json, path: str) -> Iterator[Case]:  # named after the keyword
        least = node["minLength"]
        yield from self._case(
            path, "minLength", [_text(path, least)], _text(path, least)[:-1], f"at least {least} char"
        )

    def _maxLength(self, node: Json, path: str) -> Iterator[Case]:
        most = node["maxLength"]
        longest = _text(path, most)
        yield from self._case(path, "maxLength", [longest], longest + longest[-1], "Too long", str(most))

    def _pattern(self, node: Json, path: str) -> Iterator[Case]:
        sound = _value(self._with(path, {}), path, "a")
        yield from self._case(path, "pattern", [sound], sound[:-1] + "%", "match", node["pattern"])

    def _enum(self, node: Json, path: str) -> Iterator[Case]:
        refused = False if node["type"] == "boolean" else "Nope"
        says = (str(choice).lower() if choice is True else choice for choice in node["enum"])
        yield from self._case(path, "enum", node["enum"], refused, "Unsupported value", *says)

    def _format(self, node: Json, path: str) -> Iterator[Case]:
        assert node["format"] == "date-time"
        yield from self._case(path, "format", ["2026-01-01T00:00:00Z"], "yesterday", "must be of type date-time")

    def _required(self, node: Json, path: str) -> Iterator[Case]:
        for name in node["required"]:
            body = self._with(path, {})
            place, key = _find(body, f"{path}.{name}")
            del place[key]
            yield Case(self._kind, f"{path}.{name}", "required", (self._with(path, {}),), body, ("Required value",))

    def _entries(self, node: Json, path: str, count: int) -> list[Any]:
        entry = _example(node["items"], path + "[]")
        keys = node.get("x-kubernetes-list-map-keys", [])

        def number(entry: Any, i: int) -> Any:
            return entry | {keys[0]: f"{entry[keys[0]]}{i}"} if keys else entry

        return [_ENTRIES.get(path, number)(entry, i) for i in range(count)]

    def _minItems(self, node: Json, path: str) -> Iterator[Case]:
        least = node["minItems"]
        entries = self._entries(node, path, least)
        yield from self._case(path, "minItems", [entries], entries[1:], f"at least {least} items")

    def _maxItems(self, node: Json, path: str) -> Iterator[Case]:
        most = node["maxItems"]
        entries = self._entries(node, path, most + 1)
        yield from self._case(path, "maxItems", [entries[1:]], entries, "Too many", str(most))

    def _maxProperties(self, node: Json, path: str) -> Iterator[Case]:
        most = node["maxProperties"]
        entries = {f"k{i}": 0.5 for i in range(most + 1)}
        fewer = dict(list(entries.items())[1:])
        yield from self._case(path, "maxProperties", [fewer], entries, str(most))

    def _x_kubernetes_list_type(self, node: Json, path: str) -> Iterator[Case]:
        entries = self._entries(node, path, 2)
        yield from self._case(
            path, "x-kubernetes-list-type", [entries], [entries[0], entries[1], entries[0]], "Duplicate value"
        )

    def _x_kubernetes_list_map_keys(self, node: Json, path: str) -> Iterator[Case]:
        """Entries that differ in one key only are two entries."""
        first, _ = self._entries(node, path, 2)
        optional = self._node(path)["items"]["properties"]
        for key in node["x-kubernetes-list-map-keys"]:
            values = optional[key].get("enum", ["a", "b"])
            accepted = [[first | {key: values[0]}, first | {key: values[1]}]]
            twice = [first | {key: values[0]}] * 2
            yield from self._case(path, f"x-kubernetes-list-map-keys {key}", accepted, twice, "Duplicate value")

    def _x_kubernetes_validations(self, node: Json, path: str) -> Iterator[Case]:
        for rule in node["x-kubernetes-validations"]:
            assert "oldSelf" not in rule["rule"], f"{path}: a rule on changes needs cases that change an object"
            (values,) = [values for start, values in RULES.items() if rule["message"].startswith(start)]
            accepted = {path + at: value for at, value in values.accepted.items()}
            refused = {path + at: value for at, value in values.refused.items()}
            yield Case(
                self._kind,
                path,
                f"rule {rule['message']}",
                (self._with(path, accepted),),
                self._with(path, refused),
                (rule["message"],),
            )


def _example(node: Json, path: str) -> Any:
    """Return a value in which every field that can be there is."""
    if path in _SAMPLES:
        return _SAMPLES[path]
    match node["type"]:
        case "object" if "additionalProperties" in node:
            return {"a": _example(node["additionalProperties"], path + "{}")}
        case "object":
            fields = {k: v for k, v in node.get("properties", {}).items() if f"{path}.{k}" not in _ALTERNATIVES}
            return {name: _example(child, f"{path}.{name}") for name, child in fields.items()}
        case "array":
            return [_example(node["items"], path + "[]")]
        case "integer" | "number":
            return node.get("default", node.get("minimum", 1))
        case "boolean":
            return node.get("default", node.get("enum", [False])[0])
    if node.get("format") == "date-time":
        return "2026-01-01T00:00:00Z"
    return node.get("default", node.get("enum", ["a"])[0])


def _text(path: str, length: int) -> str:
    return _TEXTS.get(path, lambda n: "a" * n)(length)


def _find(body: Json, path: str) -> tuple[Any, Any]:
    """Return the container of the part at `path`, and its key there; the first entry stands for all."""
    parts = path.replace("[]", ".[]").replace("{}", ".{}").split(".")[1:]
    keys = [0 if part == "[]" else "a" if part == "{}" else part for part in parts]
    place: Any = body
    for key in keys[:-1]:
        place = place[key]
    return place, keys[-1]


def _edit(body: Json, path: str, value: Any) -> None:
    place, key = _find(body, path)
    place[key] = deepcopy(value)


def _value(body: Json, path: str, default: Any) -> Any:
    try:
        place, key = _find(body, path)
        return place[key]
    except (KeyError, IndexError, TypeError):
        return default
