"""JSON schemas for kubeconform, made of what an API server says it serves (`/openapi/v3`)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Schema = dict[str, Any]

LOCATION = "{{.ResourceKind}}-{{.Group}}-{{.ResourceAPIVersion}}.json"
_REF = "#/components/schemas/"


def write_schemas(read: Callable[[str], Schema], folder: Path) -> str:
    """Write one file a kind and return kubeconform's `-schema-location`.

    Args:
        read: Returns the document at a path of the API server.
        folder: Where the files go.
    """
    for path, entry in read("/openapi/v3")["paths"].items():
        if re.fullmatch(r"api/v1|apis/[^/]+/v[^/]+", path):
            schemas = read(entry["serverRelativeURL"])["components"]["schemas"]
            definitions = {name: to_json_schema(schema) for name, schema in schemas.items()}
            for name, group, version, kind in _kinds(schemas):
                # kubeconform takes all that stands before the version for the group, so the core group is called v1.
                file = folder / f"{kind.lower()}-{group or version}-{version}.json"
                file.write_text(json.dumps({"definitions": definitions, "$ref": f"#/definitions/{name}"}))
    return str(folder / LOCATION)


def _kinds(schemas: Schema) -> Iterator[tuple[str, str, str, str]]:
    for name, schema in schemas.items():
        for served in schema.get("x-kubernetes-group-version-kind", ()):
            yield name, served["group"], served["version"], served["kind"]


def to_json_schema(schema: Any) -> Any:
    """Return a schema of OpenAPI as a JSON schema that refuses fields it does not know."""
    if isinstance(schema, list):
        return [to_json_schema(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if reference := schema.get("$ref"):
        return {"$ref": "#/definitions/" + reference.removeprefix(_REF)}
    kept = {
        key: value for key, value in schema.items() if not key.startswith("x-") and key not in ("default", "nullable")
    }
    if "properties" in kept:
        kept["properties"] = {name: to_json_schema(value) for name, value in kept["properties"].items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            kept.setdefault("additionalProperties", False)
    for key in ("items", "additionalProperties", "allOf", "anyOf", "oneOf", "not"):
        if key in kept:
            kept[key] = to_json_schema(kept[key])
    if schema.get("nullable") and "type" in kept:
        kept["type"] = [kept["type"], "null"]
    return kept
