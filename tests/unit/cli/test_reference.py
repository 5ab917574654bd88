from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from presage.cli.app import build_parser
from presage.cli.reference import render_commands, render_values

CHART = Path(__file__).parents[3] / "charts/presage"


def leaves(schema: dict[str, Any], path: str = "") -> list[str]:
    found = []
    for name, node in schema.get("properties", {}).items():
        inner = f"{path}.{name}".lstrip(".")
        found += leaves(node, inner) if node.get("properties") else [inner]
    return found


def test_every_value_of_the_chart_is_there_with_its_default() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    page = render_values(schema, values)
    for path in leaves(schema):
        assert f"| `{path}` |" in page
    assert "| `replicas` | integer, 1 to 5 | `2` |" in page


def test_every_command_and_argument_is_there() -> None:
    page = render_commands(build_parser())
    for command in ("operator", "explain", "check", "bundle", "backtest", "forecast", "simulate", "generate"):
        assert f"## presage {command}\n" in page
    assert "| `-o OUTPUT`, `--output OUTPUT` | `text` or `json`; default: text |" in page
    assert "Exit codes: 0 nothing failed" in page
