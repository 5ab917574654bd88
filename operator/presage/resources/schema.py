"""CustomResourceDefinitions, generated from the models.

Kubernetes accepts only a structural part of OpenAPI v3, so the schema that pydantic writes is inlined and narrowed
here, and whatever cannot be expressed is refused with the path of the field.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml
from pydantic import BaseModel

from presage.resources.base import VALIDATIONS, Resource

Schema = dict[str, Any]

HEADER = "# Generated from the models in operator/presage/resources. Do not edit: run `make crds`.\n"

_KEYWORDS = frozenset(
    {
        "type", "description", "properties", "required", "items", "additionalProperties", "enum", "default", "format",
        "nullable", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength",
        "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "x-kubernetes-validations",
        "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type",
    }
)  # fmt: skip

_YAML_BOOLEANS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false"})


class SchemaError(ValueError):
    """A model that no structural schema can express; the message names the field."""


def build_schema(model: type[BaseModel]) -> Schema:
    """Return the structural OpenAPI v3 schema of a model.

    Args:
        model: a model whose fields have names, bounds and descriptions as users shall see them.

    Raises:
        SchemaError: if a field cannot be expressed, or has no description.
    """
    written = model.model_json_schema(by_alias=True, mode="validation")
    schema = _narrow(written, written.get("$defs", {}), model.__name__)
    _refuse_unstructural(schema, model.__name__)
    return schema


def build_crd(kind: type[Resource]) -> Schema:
    """Return the CustomResourceDefinition of a kind."""
    meta = kind.meta
    version: Schema = {
        "name": meta.version,
        "served": True,
        "storage": True,
        "additionalPrinterColumns": [
            {
                "name": column.name,
                "type": column.type,
                "jsonPath": column.json_path,
                "description": column.description,
                "priority": column.priority,
            }
            for column in meta.columns
        ],
        "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": _object_schema(kind)},
    }
    names: Schema = {
        "kind": meta.kind,
        "listKind": f"{meta.kind}List",
        "plural": meta.plural,
        "singular": meta.singular,
        "shortNames": list(meta.short_names),
        "categories": list(meta.categories),
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": meta.crd_name},
        "spec": {"group": meta.group, "names": names, "scope": meta.scope, "versions": [version]},
    }


def render_crd(kind: type[Resource]) -> str:
    """Return the CustomResourceDefinition of a kind as YAML, the same for the same model."""
    plain = json.loads(json.dumps(build_crd(kind)))  # no shared parts, hence no YAML anchors
    return HEADER + yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=116)


def _object_schema(kind: type[Resource]) -> Schema:
    parts = {name: kind.model_fields[name].annotation for name in ("spec", "status")}
    properties: Schema = {
        "apiVersion": {"type": "string", "description": "Group and version of this object."},
        "kind": {"type": "string", "description": "Kind of this object."},
        "metadata": {"type": "object"},
    }
    for name, model in parts.items():
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            raise SchemaError(f"{kind.meta.kind}.{name}: must be a model")
        properties[name] = build_schema(model) | {"description": kind.model_fields[name].description}
    _drop_defaults(properties["status"])
    schema: Schema = {
        "type": "object",
        "description": kind.meta.description,
        "required": ["spec"],
        "properties": properties,
    }
    if kind.meta.rules:
        schema[VALIDATIONS] = [rule.as_validation() for rule in kind.meta.rules]
    return schema


def _narrow(node: Mapping[str, Any], definitions: Mapping[str, Schema], path: str) -> Schema:
    """Return one node of a JSON schema in structural form: references inlined, titles and unions with null resolved."""
    node = _resolve(node, definitions, path)
    out = {key: value for key, value in node.items() if key in _KEYWORDS}
    unknown = node.keys() - _KEYWORDS - {"title", "$defs", "const", "examples"}
    if unknown:
        raise SchemaError(f"{path}: {', '.join(sorted(unknown))} cannot be used in a structural schema")
    if "const" in node:
        out["enum"] = [node["const"]]
    if out.get("default", ...) is None:
        del out["default"]
    _bounds_to_booleans(out)
    if "properties" in out:
        out["properties"] = {
            name: _narrow(child, definitions, f"{path}.{name}") for name, child in out["properties"].items()
        }
    if isinstance(out.get("items"), dict):
        out["items"] = _narrow(out["items"], definitions, f"{path}[]")
    if isinstance(out.get("additionalProperties"), dict):
        out["additionalProperties"] = _narrow(out["additionalProperties"], definitions, f"{path}{{}}")
    _complete_description(out, node.get("examples"))
    if "enum" in out:
        out.pop("nullable", None)  # the API server never takes null for a choice, not even among them
    return _ordered(out)


def _resolve(node: Mapping[str, Any], definitions: Mapping[str, Schema], path: str) -> Schema:
    """Inline a reference and a union with null; what stands beside them wins, rules add up."""
    out = dict(node)
    if "anyOf" in out:
        choices = out.pop("anyOf")
        others = [choice for choice in choices if choice.get("type") != "null"]
        if len(others) != 1 or len(choices) != 2:
            raise SchemaError(f"{path}: only a union of one type with null can be expressed")
        out = _merged(others[0], out) | {"nullable": True}
    while "$ref" in out:
        out = _merged(definitions[out["$ref"].removeprefix("#/$defs/")], {k: v for k, v in out.items() if k != "$ref"})
    return out


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> Schema:
    rules = [*under.get(VALIDATIONS, ()), *over.get(VALIDATIONS, ())]
    return {**under, **over, **({VALIDATIONS: rules} if rules else {})}


def _bounds_to_booleans(node: Schema) -> None:
    """OpenAPI v3.0 writes exclusive bounds as a flag beside the bound, JSON Schema as a bound of their own."""
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if exclusive in node and not isinstance(node[exclusive], bool):
            node[bound], node[exclusive] = node[exclusive], True


def _complete_description(node: Schema, examples: Sequence[Any] | None) -> None:
    """Add choices, range, default and example to a description, since `kubectl explain` shows little else."""
    if "description" not in node:
        return
    said = [" ".join(node["description"].split())]
    if len(node.get("enum", ())) > 1:
        said.append(f"One of {', '.join(str(choice) for choice in node['enum'])}.")
    if "minimum" in node and "maximum" in node:
        said.append(f"From {node['minimum']} to {node['maximum']}.")
    if node.get("type") != "object" and node.get("default") not in (None, []):
        said.append(f"Default: {json.dumps(node['default'])}.")
    if examples:
        said.append(f"Example: {json.dumps(examples[0])}.")
    node["description"] = " ".join(said)


_FIRST = ("description", "type", "nullable", "default", "enum", "format")
_LAST = (VALIDATIONS, "required", "properties", "items", "additionalProperties")


def _ordered(node: Schema) -> Schema:
    """Put the keywords in a fixed order, so that a change of the generator's libraries changes no file."""
    middle = sorted(node.keys() - set(_FIRST) - set(_LAST))
    return {key: node[key] for key in (*_FIRST, *middle, *_LAST) if key in node}


def _drop_defaults(node: Schema) -> None:
    """Remove defaults from a status: what presage has not seen must not appear in it."""
    node.pop("default", None)
    for _, child in _children(node):
        _drop_defaults(child)


def _children(node: Schema) -> Iterator[tuple[str, Schema]]:
    for name, child in node.get("properties", {}).items():
        yield f".{name}", child
    for key, mark in (("items", "[]"), ("additionalProperties", "{}")):
        if isinstance(node.get(key), dict):
            yield mark, node[key]


def _refuse_unstructural(node: Schema, path: str) -> None:
    if "type" not in node:
        raise SchemaError(f"{path}: has no single type")
    if "additionalProperties" in node and "properties" in node:
        raise SchemaError(f"{path}: additionalProperties beside properties is not structural")
    if isinstance(node.get("additionalProperties"), bool):
        raise SchemaError(f"{path}: a map needs the type of its values")
    for name, child in node.get("properties", {}).items():
        if name.lower() in _YAML_BOOLEANS:
            raise SchemaError(f"{path}.{name}: YAML 1.1 reads this name as a boolean")
        if not child.get("description"):
            raise SchemaError(f"{path}.{name}: has no description")
    if node.get("x-kubernetes-list-type") == "map":
        _refuse_loose_keys(node, path)
    for mark, child in _children(node):
        _refuse_unstructural(child, path + mark)


def _refuse_loose_keys(node: Schema, path: str) -> None:
    """The API server wants each key of a map list to be required or to have a default."""
    entry = node["items"]
    for key in node.get("x-kubernetes-list-map-keys", ()):
        child = entry.get("properties", {}).get(key)
        if child is None or (key not in entry.get("required", ()) and "default" not in child):
            raise SchemaError(f"{path}[].{key}: a key of a map list must be required or have a default")
