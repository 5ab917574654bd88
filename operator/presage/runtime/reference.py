"""The reference of kinds, settings and metrics as Markdown, from what the code itself declares."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from prometheus_client.core import Metric

from presage.observability.metrics import EVERY_OBJECT, EVERY_OBJECT_LABELS, PER_OBJECT_LABELS, WATCHED, Metrics
from presage.reconcile.kind import AnyKind
from presage.resources.base import VALIDATIONS
from presage.resources.schema import build_crd
from presage.runtime.settings import PREFIX, Settings

Schema = Mapping[str, Any]

HEADER = "<!-- Generated. Do not edit: run `make crds`. -->"
_BOUNDS = (
    ("minimum", "maximum", ""),
    ("minLength", "maxLength", " characters"),
    ("minItems", "maxItems", " entries"),
    ("minProperties", "maxProperties", " entries"),
)
_ONE = {" characters": " character", " entries": " entry"}


def render_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a Markdown table; text is put in one line and cannot leave its cell."""
    lines = [list(columns), ["---"] * len(columns), *rows]
    return ["| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in line) + " |" for line in lines]


def describe_type(node: Schema) -> str:
    """Return type and bounds of a schema in words, such as `integer, 1 to 60`."""
    said = ["list of " + describe_type(node["items"])] if isinstance(node.get("items"), Mapping) else []
    if not said:
        said = (
            [" or ".join(f"`{json.dumps(choice)}`" for choice in node["enum"])] if node.get("enum") else [node["type"]]
        )
    for low, high, unit in _BOUNDS:
        if low in node or high in node:
            one = node.get(high, node.get(low)) == 1
            said.append(_describe_range(node, low, high) + (_ONE.get(unit, unit) if one else unit))
    if "pattern" in node:
        said.append(f"matches `{node['pattern']}`")
    return ", ".join(said)


def _describe_range(node: Schema, low: str, high: str) -> str:
    """Return the bounds in words; exclusive ones are written as flags, or as bounds of their own."""
    above = "above" if node.get("exclusiveMinimum") is True else "at least"
    below = "below" if node.get("exclusiveMaximum") is True else "at most"
    if low in node and high in node and (above, below) == ("at least", "at most"):
        return f"{node[low]} to {node[high]}" if node[low] != node[high] else f"{node[low]}"
    parts = [f"{above} {node[low]}"] if low in node else []
    return " and ".join([*parts, *([f"{below} {node[high]}"] if high in node else [])])


def render_kind(kind: AnyKind) -> str:
    """Return the reference of one kind: every field of spec and status, and every rule across fields."""
    crd = build_crd(kind.model)["spec"]
    names, version = crd["names"], crd["versions"][0]
    schema = version["schema"]["openAPIV3Schema"]
    lines = [HEADER, f"# {kind.name}", "", schema["description"], ""]
    lines += [
        f"`{crd['group']}/{version['name']}`, {crd['scope'].lower()}; "
        f"`kubectl get {names['plural']}` or `{'`, `'.join(names['shortNames'])}`.",
        "",
    ]
    for part in ("spec", "status"):
        node = schema["properties"][part]
        lines += [f"## {part}", "", node["description"], ""]
        if part == "spec":
            rows = [
                [f"`{path}`", describe_type(field), _describe_default(field, needed), _describe(field)]
                for path, field, needed in _walk(node, part)
            ]
            lines += render_table(("field", "type", "default", "meaning"), rows)
        else:
            rows = [[f"`{path}`", field.get("type", ""), _describe(field)] for path, field, _ in _walk(node, part)]
            lines += render_table(("field", "type", "meaning"), rows)
        lines.append("")
    lines += _render_rules(schema)
    columns = [[column["name"], f"`{column['jsonPath']}`", column["description"]] for column in _columns(version)]
    lines += ["## Columns of kubectl get", "", *render_table(("column", "field", "meaning"), columns), ""]
    lines += [f"Reasons of its conditions: [reasons](reasons.md#{kind.name.lower()}).", ""]
    return "\n".join(lines)


def _columns(version: Schema) -> Sequence[Schema]:
    columns: Sequence[Schema] = version.get("additionalPrinterColumns") or ()
    return columns


def _walk(node: Schema, path: str) -> Iterator[tuple[str, Schema, bool]]:
    """Yield each field below a node: path, schema, whether it must be given."""
    for name, child in node.get("properties", {}).items():
        yield f"{path}.{name}", child, name in node.get("required", ())
        yield from _walk(child, f"{path}.{name}")
    for key, mark in (("items", "[]"), ("additionalProperties", "{}")):
        if isinstance(node.get(key), Mapping):
            yield from _walk(node[key], path + mark)


def _describe_default(node: Schema, needed: bool) -> str:
    if "default" in node and node["type"] != "object":
        return f"`{json.dumps(node['default'])}`"
    return "**needed**" if needed else ""


def _describe(node: Schema) -> str:
    """Return the description without what has a column of its own."""
    said = str(node.get("description", ""))
    for repeated in (
        f" Default: {json.dumps(node.get('default'))}.",
        f" From {node.get('minimum')} to {node.get('maximum')}.",
        f" One of {', '.join(str(choice) for choice in node.get('enum', ()))}.",
    ):
        said = said.replace(repeated, "")
    return said


def _render_rules(schema: Schema) -> list[str]:
    """Return the rules that bounds cannot say, each with its message and expression."""
    nodes = [("the object", schema), *((path, node) for path, node, _ in _walk(schema, ""))]
    rows = [
        [f"`{path.removeprefix('.')}`" if path != "the object" else path, rule["message"], f"`{rule['rule']}`"]
        for path, node in [*nodes, *_list_entries(nodes)]
        for rule in node.get(VALIDATIONS, ())
    ]
    if not rows:
        return []
    return ["## Rules", "", *render_table(("where", "what the API server says", "rule (CEL)"), rows), ""]


def _list_entries(nodes: Iterable[tuple[str, Schema]]) -> Iterator[tuple[str, Schema]]:
    for path, node in nodes:
        if isinstance(node.get("items"), Mapping):
            yield f"{path}[]", node["items"]


def render_reasons(kinds: Iterable[AnyKind]) -> str:
    """Return every reason of a condition, and of an event about something else, one table a kind."""
    lines = [HEADER, "# Reasons of conditions", ""]
    lines += ["What to do first when nothing scales: [troubleshooting](../troubleshooting.md).", ""]
    for kind in kinds:
        rows = [[r.condition or "(an event)", f"`{r.name}`", r.meaning, r.remedy] for r in kind.reasons]
        lines += [f"## {kind.name}", "", *render_table(("condition", "reason", "cause", "what to do"), rows), ""]
    return "\n".join(lines)


def render_settings() -> str:
    """Return the reference of the operator's environment variables."""
    schema = Settings.model_json_schema()["properties"]
    rows = [
        [
            f"`{PREFIX}{name.upper()}`",
            describe_type(schema[name]),
            f"`{json.dumps(schema[name]['default'])}`" if "default" in schema[name] else "the host's name",
            field.description or "",
        ]
        for name, field in Settings.model_fields.items()
    ]
    lines = [HEADER, "# Settings of the operator", ""]
    lines += ["Environment variables of `presage operator`, read once at its start. The chart sets them from its", ""]
    lines[-2] += " [values](chart-values.md); an empty variable counts as absent."
    return "\n".join([*lines, *render_table(("variable", "type", "default", "meaning"), rows), ""])


def render_metrics(kinds: Sequence[AnyKind]) -> str:
    """Return the reference of the series under /metrics."""
    families = sorted(Metrics().registry.collect(), key=lambda family: family.name)
    own = [_describe_family(family) for family in families if family.name.startswith("presage_")]
    own += [[f"`{name}`", "gauge", text] for name, text in WATCHED.items()]
    labels = ", ".join(PER_OBJECT_LABELS)
    lines = [
        HEADER,
        "# Metrics",
        "",
        "The operator serves these under `/metrics`, besides those of process and Python.",
        "",
    ]
    lines += render_table(("series", "type", "meaning"), sorted(own))
    lines += ["", "## Of each object", ""]
    lines += [f"Labels: {labels}. Only the operator that acts serves them; the chart's value `operator.objectMetrics` "]
    lines[-1] += "switches them off. A value that is not known has no series."
    own_labels = {name: label for kind in kinds for name, label in kind.gauge_labels.items()} | dict(
        EVERY_OBJECT_LABELS
    )
    groups = {"Every kind": EVERY_OBJECT, **{kind.name: kind.gauges for kind in kinds if kind.gauges}}
    for title, gauges in groups.items():
        rows = [[f"`presage_{name}`", own_labels.get(name, ""), text] for name, text in sorted(gauges.items())]
        lines += ["", f"### {title}", "", *render_table(("series", "label of its own", "meaning"), rows)]
    return "\n".join([*lines, ""])


def _describe_family(family: Metric) -> list[str]:
    name = f"{family.name}_total" if family.type == "counter" else family.name
    return [f"`{name}`", family.type, family.documentation]
