"""Boundary cases made from the CRDs themselves: for each constraint objects at the limit, and one just past it.

A limit is read from the CRD, so that a changed limit changes its case. Rules (CEL) cannot be read so: each one has an
entry in `RULES`, and a rule without one fails, as does a keyword that no case is made for.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.unit.resources.boundary_values import (
    ALTERNATIVES,
    COMPANIONS,
    ENTRIES,
    PLACES,
    RULES,
    SAMPLES,
    TEXTS,
    TOGETHER,
    Json,
)

CRDS = Path(__file__).parents[3] / "crds"
_SILENT = {"description", "default", "properties", "items", "additionalProperties", "exclusiveMinimum"}
"""Keywords that refuse nothing."""


def _sibling(alternative: str) -> str:
    name = ALTERNATIVES[alternative]
    return name if name.startswith(".") else f"{alternative.rpartition('.')[0]}.{name}"


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
        for alternative in ALTERNATIVES:
            if path.startswith(alternative):  # take it instead of its sibling
                place, name = _find(body, _sibling(alternative))
                place.pop(name, None)
                parent, key = _find(body, alternative)
                parent[key] = _example(self._node(alternative), alternative)
                if (other := TOGETHER.get(alternative)) is not None:
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
        more = COMPANIONS.get((path, keyword), {})
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
        first = path.replace("[]", "[0]")
        changes: Json = {**COMPANIONS.get((path, "nullable"), {}), first: None}
        for alternative in ALTERNATIVES:
            sibling = _sibling(alternative)
            if path == sibling and len(changes) == 1:  # one of them must be there
                for name in filter(None, (alternative, TOGETHER.get(alternative))):
                    changes[name] = _example(self._node(name), name)
            elif path == alternative:
                changes |= {name: None for name in (TOGETHER.get(path),) if name}
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

        return [ENTRIES.get(path, number)(entry, i) for i in range(count)]

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
        first, second = self._entries(node, path, 2)
        optional = self._node(path)["items"]["properties"]
        keys = node["x-kubernetes-list-map-keys"]
        for key in keys:
            values = optional[key].get("enum", ["a", "b"] if len(keys) > 1 else [first[key], second[key]])
            other = first if len(keys) > 1 else second
            accepted = [[first | {key: values[0]}, other | {key: values[1]}]]
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
    if path in SAMPLES:
        return SAMPLES[path]
    match node["type"]:
        case "object" if "additionalProperties" in node:
            return {"a": _example(node["additionalProperties"], path + "{}")}
        case "object":
            fields = {k: v for k, v in node.get("properties", {}).items() if f"{path}.{k}" not in ALTERNATIVES}
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
    return TEXTS.get(path, lambda n: "a" * n)(length)


def find_place(path: str) -> str:
    """Return the path with an entry for each list: the first one stands for all, but for `PLACES`."""
    return PLACES.get(path, path).replace("[]", "[0]")


def _find(body: Json, path: str) -> tuple[Any, Any]:
    """Return the container of the part at `path`, and its key there."""
    parts = find_place(path).replace("[", ".[").replace("{}", ".{}").split(".")[1:]
    keys = [int(part[1:-1]) if part[0] == "[" else "a" if part == "{}" else part for part in parts]
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
