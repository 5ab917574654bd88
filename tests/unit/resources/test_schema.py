from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field

from presage.resources import schema
from presage.resources.base import Resource
from presage.resources.metricprofile import MetricProfile, MetricProfileStatus
from presage.resources.metricsource import MetricSource

ROOT = Path(__file__).parents[3]
KINDS: list[type[Resource]] = [MetricProfile, MetricSource]


def nodes(node: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, node
    for name, child in node.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}")
    for key, mark in (("items", "[]"), ("additionalProperties", "{}")):
        if isinstance(node.get(key), dict):
            yield from nodes(node[key], path + mark)


def spec_of(kind: type[Resource]) -> dict[str, Any]:
    spec: dict[str, Any] = schema.build_crd(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"][
        "spec"
    ]
    return spec


@pytest.mark.parametrize("kind", KINDS)
def test_everything_is_bounded(kind: type[Resource]) -> None:
    """The API server prices CEL rules by the largest value a schema lets through."""
    unbounded = []
    for path, node in nodes(spec_of(kind)):
        wanted = {"string": "maxLength", "array": "maxItems", "integer": "maximum"}.get(node["type"])
        if wanted and wanted not in node and "enum" not in node:
            unbounded.append(path)
    assert not unbounded


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_described(kind: type[Resource]) -> None:
    root = schema.build_crd(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    bare = [path for path, node in nodes(root) if path.rsplit(".", 1)[-1] and "description" not in node]
    assert [path for path in bare if not path.endswith(("[]", "{}")) and path != ".metadata"] == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_optional_field_has_a_default_or_may_be_null(kind: type[Resource]) -> None:
    loose = [
        f"{path}.{name}"
        for path, node in nodes(spec_of(kind))
        for name, child in node.get("properties", {}).items()
        if name not in node.get("required", ())
        and "default" not in child
        and not child.get("nullable")
        and "enum" not in child  # the API server never takes null for a choice
    ]
    assert not loose


@pytest.mark.parametrize("kind", KINDS)
def test_names_and_columns(kind: type[Resource]) -> None:
    crd = schema.build_crd(kind)
    assert crd["metadata"]["name"] == f"{crd['spec']['names']['plural']}.presage.dev"
    assert crd["spec"]["names"]["categories"] == ["presage"]
    assert crd["spec"]["versions"][0]["subresources"] == {"status": {}}


def test_columns_answer_first_questions() -> None:
    columns = [column.name.upper() for column in MetricProfile.meta.columns if not column.priority]
    assert columns == ["TARGET", "PODS", "DESIRED", "BECAUSE", "MODE", "TRUSTED", "READY", "REASON", "AGE"]
    wide = [column.name.upper() for column in MetricProfile.meta.columns if column.priority]
    assert wide == ["LEAD-S", "LEADER", "UNMET-7D", "SAVED-7D", "PROFILE", "EXPLAIN"]
    shown = [column.name.upper() for column in MetricSource.meta.columns if not column.priority]
    assert shown == ["URL", "READY", "REASON", "AGE"]
    assert [column.name.upper() for column in MetricSource.meta.columns if column.priority] == ["RETENTION"]


def test_lists_that_merge_by_key() -> None:
    root = schema.build_crd(MetricProfile)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    keys = {
        path: node["x-kubernetes-list-map-keys"] for path, node in nodes(root) if "x-kubernetes-list-map-keys" in node
    }
    assert keys[".spec.eventTypes"] == ["name"]
    assert keys[".status.conditions"] == ["type"]


def test_rules_stand_at_their_field() -> None:
    rules = {path: len(node["x-kubernetes-validations"]) for path, node in nodes(spec_of(MetricProfile)) if
             "x-kubernetes-validations" in node}  # fmt: skip
    assert rules[".forecast"] == 6
    assert rules[".scaling"] == 3
    assert rules[".eventTypes[].load"] == 1
    assert rules[".scaling.perPod"] == 1


def test_status_has_no_defaults() -> None:
    status = schema.build_crd(MetricProfile)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]
    assert [path for path, node in nodes(status) if "default" in node] == []


def test_status_is_written_as_the_schema_says() -> None:
    status = MetricProfileStatus.model_validate({"observedGeneration": 1, "readyReplicas": 2})
    assert status.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True) == {
        "observedGeneration": 1,
        "readyReplicas": 2,
    }


class Narrow(BaseModel):
    share: float = Field(gt=0, lt=1, description="A share.")
    maybe: int | None = Field(default=None, description="Perhaps.")
    choice: Literal["a"] | None = Field(default=None, description="One of few.")
    table: dict[str, int] = Field(default_factory=dict, description="A map.", max_length=3)


def test_narrowing() -> None:
    built = schema.build_schema(Narrow)
    assert built["properties"]["share"] == {
        "description": "A share. From 0 to 1.",
        "type": "number",
        "exclusiveMaximum": True,
        "exclusiveMinimum": True,
        "maximum": 1,
        "minimum": 0,
    }
    assert built["properties"]["maybe"] == {"description": "Perhaps.", "type": "integer", "nullable": True}
    assert built["properties"]["choice"] == {"description": "One of few.", "type": "string", "enum": ["a"]}
    assert built["properties"]["table"]["additionalProperties"] == {"type": "integer"}
    assert "title" not in str(built)


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")
    a: int = Field(description="A.")


class Either(BaseModel):
    a: int | str = Field(description="A.")


class Undescribed(BaseModel):
    a: int


class Switch(BaseModel):
    on: bool = Field(description="A trap.")


class Entry(BaseModel):
    key: str | None = Field(default=None, description="A key.")


class LooseKey(BaseModel):
    entries: list[Entry] = Field(
        description="Entries.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["key"]},
    )


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (Closed, "additionalProperties beside properties"),
        (Either, "Either.a: only a union of one type with null"),
        (Undescribed, "Undescribed.a: has no description"),
        (Switch, "Switch.on: YAML 1.1 reads this name as a boolean"),
        (LooseKey, r"LooseKey.entries\[\].key: a key of a map list"),
    ],
)
def test_unstructural_models_are_refused(model: type[BaseModel], says: str) -> None:
    with pytest.raises(schema.SchemaError, match=says):
        schema.build_schema(model)


@pytest.mark.parametrize("folder", ["crds", "charts/presage/crds"])
@pytest.mark.parametrize("kind", KINDS)
def test_committed_files_match_the_models(kind: type[Resource], folder: str) -> None:
    committed = (ROOT / folder / f"{kind.meta.plural}.yaml").read_text(encoding="utf-8")
    assert committed == schema.render_crd(kind), "run `make crds` and commit the result"


@pytest.mark.parametrize("example", sorted((ROOT / "docs/examples").glob("metric*.yaml")), ids=lambda path: path.stem)
def test_examples_are_valid(example: Path) -> None:
    kinds = {kind.meta.kind: kind for kind in KINDS}
    for manifest in yaml.safe_load_all(example.read_text(encoding="utf-8")):
        kind = kinds[manifest["kind"]]
        assert manifest["apiVersion"] == kind.meta.resource.api_version
        kind.parse(manifest)
