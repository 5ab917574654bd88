"""The dashboard's structure, by Grafana's own models; what its queries answer is an integration test."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Dashboard

FILE = Path(__file__).parents[2] / "charts" / "presage" / "files" / "dashboard.json"
DASHBOARD: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def lost(given: Any, kept: Any, path: str = "") -> list[str]:
    """Return what Grafana's models do not know of it, or read otherwise."""
    if isinstance(given, dict) and isinstance(kept, dict):
        return [each for key, value in given.items() for each in lost(value, kept.get(key), f"{path}.{key}")]
    if isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        return [each for n, pair in enumerate(zip(given, kept, strict=True)) for each in lost(*pair, f"{path}[{n}]")]
    return [] if given == kept else [path]


def test_grafana_knows_every_field() -> None:
    register_default_plugins()
    assert lost(DASHBOARD, json.loads(JSONEncoder().encode(Dashboard.from_json(DASHBOARD)))) == []


def test_units_are_grafanas() -> None:
    known = {value for name, value in vars(units).items() if name[0].isupper() and isinstance(value, str)}
    assert {panel["fieldConfig"]["defaults"]["unit"] for panel in PANELS} <= known


def test_panels_are_named_described_and_asked_of_the_chosen_source() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in PANELS:
        assert panel["title"]
        assert panel["description"].endswith(".")
        refs = [target["refId"] for target in panel["targets"]]
        assert len(set(refs)) == len(refs) > 0
        sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
        assert all(source == {"type": "prometheus", "uid": "${datasource}"} for source in sources)


def test_panels_do_not_overlap() -> None:
    def cells(panel: dict[str, Any]) -> set[tuple[int, int]]:
        at = panel["gridPos"]
        return {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}

    places = {panel["title"]: cells(panel) for panel in DASHBOARD["panels"]}
    assert [(a, b) for a, b in combinations(places, 2) if places[a] & places[b]] == []
    assert all(x < 24 for place in places.values() for x, _ in place)


def test_variables_are_declared() -> None:
    declared = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", FILE.read_text(encoding="utf-8")))
    assert used - {"__rate_interval", "__all"} == declared
