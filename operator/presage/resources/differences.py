"""Does the CRD on a cluster mean the same as the one this version ships?

Only what has a meaning is compared: words for people have none, and the API server leaves out what says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from presage.resources.base import Resource
from presage.resources.schema import build_crd

_INNER = {"items": "[]", "additionalProperties": "{}"}
_LONGEST = 40


def find_differences(kind: type[Resource], found: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what differs in meaning between a CRD on a cluster and the one of this version.

    Args:
        kind: The model.
        found: The CustomResourceDefinition as the API server returns it.
    """
    wanted, have = build_crd(kind)["spec"], found.get("spec") or {}
    if wanted["scope"] != have.get("scope"):
        return (f"scope is {_show(have.get('scope'))} instead of {wanted['scope']}",)
    version = wanted["versions"][0]
    served = next((each for each in have.get("versions") or () if each.get("name") == version["name"]), None)
    if served is None or not served.get("served"):
        return (f"version {version['name']} is not served",)
    schema = (served.get("schema") or {}).get("openAPIV3Schema") or {}
    return (*_compare_version(version, served), *_compare(version["schema"]["openAPIV3Schema"], schema, ""))


def _compare_version(wanted: Mapping[str, Any], have: Mapping[str, Any]) -> Iterator[str]:
    if wanted["subresources"].keys() != (have.get("subresources") or {}).keys():
        yield "the subresources differ"
    columns = [
        [(column["name"], column["jsonPath"]) for column in version.get("additionalPrinterColumns") or ()]
        for version in (wanted, have)
    ]
    if columns[0] != columns[1]:
        yield "the columns of kubectl get differ"


def _compare(wanted: Mapping[str, Any], have: Mapping[str, Any], path: str) -> Iterator[str]:
    """Yield where two schemas differ, by the path users write."""
    yield from _compare_fields(wanted.get("properties") or {}, have.get("properties") or {}, path)
    for key in sorted((wanted.keys() | have.keys()) - {"properties", "description"}):
        ours, theirs = wanted.get(key), have.get(key)
        if key in _INNER and isinstance(ours, Mapping) and isinstance(theirs, Mapping):
            yield from _compare(ours, theirs, path + _INNER[key])
        elif ours != theirs and (key == "default" or ours or theirs):  # an absent flag is a false one
            yield f"{key} of {path or 'the object'} is {_show(theirs)} instead of {_show(ours)}"


def _compare_fields(wanted: Mapping[str, Any], have: Mapping[str, Any], path: str) -> Iterator[str]:
    for name in sorted(wanted.keys() | have.keys()):
        inner = f"{path}.{name}".removeprefix(".")
        if name not in have:
            yield f"{inner} is missing"
        elif name not in wanted:
            yield f"{inner} is unknown to this version"
        else:
            yield from _compare(wanted[name], have[name], inner)


def _show(value: Any) -> str:
    if value is None:
        return "not set"
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
