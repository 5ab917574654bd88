from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

import presage
from presage.observability.metrics import WATCHED, Metrics
from presage.reconcile.kind import AnyKind
from presage.resources.schema import build_crd
from presage.runtime import reference
from presage.runtime.generate import render_all
from presage.runtime.kinds import KINDS
from presage.runtime.settings import Settings

PACKAGE = Path(presage.__file__).parent


def fields(node: dict[str, Any], path: str) -> list[str]:
    found = [path]
    for name, child in node.get("properties", {}).items():
        found += fields(child, f"{path}.{name}")
    if isinstance(node.get("items"), dict):
        found += fields(node["items"], f"{path}[]")
    return found


def rules(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [rule["message"] for rule in node.get("x-kubernetes-validations", ())]
        return own + [message for child in node.values() for message in rules(child)]
    return [message for child in node for message in rules(child)] if isinstance(node, list) else []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_field_and_rule_of_a_kind_is_there(kind: AnyKind) -> None:
    page = reference.render_kind(kind)
    schema = build_crd(kind.model)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    for part in ("spec", "status"):
        for path in fields(schema["properties"][part], part):
            assert path == part or path.endswith("[]") or f"| `{path}` |" in page, path
    messages = rules(schema)
    assert messages
    for message in messages:
        assert f"| {message.replace('|', chr(92) + '|')} |" in page


@pytest.mark.parametrize(
    ("node", "want"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 60}, "integer, 1 to 60"),
        ({"type": "number", "minimum": 0, "exclusiveMinimum": True, "maximum": 1}, "number, above 0 and at most 1"),
        ({"type": "string", "minLength": 1}, "string, at least 1 character"),
        ({"type": "string", "enum": ["a", "b"]}, '`"a"` or `"b"`'),
        ({"type": "array", "items": {"type": "integer"}, "maxItems": 4}, "list of integer, at most 4 entries"),
        ({"type": "boolean"}, "boolean"),
    ],
)
def test_types_in_words(node: dict[str, Any], want: str) -> None:
    assert reference.describe_type(node) == want


def test_every_setting_is_there() -> None:
    page = reference.render_settings()
    for name, field in Settings.model_fields.items():
        assert f"| `PRESAGE_{name.upper()}` |" in page
        assert field.description, name


def test_every_series_is_there() -> None:
    page = reference.render_metrics(KINDS)
    own = {family.name for family in Metrics().registry.collect() if family.name.startswith("presage_")}
    assert own
    for name in own | WATCHED.keys():
        assert f"`{name}" in page, name


def test_every_gauge_that_is_read_on_a_scrape_is_declared_and_used() -> None:
    """A name that is not in `WATCHED` would fail only where it is registered: deep in a running operator."""
    calls = (
        node
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "watch_value"
    )
    named = {call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)}
    assert named == WATCHED.keys()


def test_a_cell_cannot_break_its_table() -> None:
    assert reference.render_table(["a"], [["x | y\nz"]])[-1] == "| x \\| y z |"


def test_every_kind_has_its_page() -> None:
    names = {path.name for path in render_all(KINDS) if str(path).startswith("docs/reference")}
    assert names == {"metrics.md", "reasons.md", "settings.md", *(f"{kind.name.lower()}.md" for kind in KINDS)}
