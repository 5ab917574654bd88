"""Every constraint of every CRD has a case, and the models judge spec as the API server does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from presage.resources.base import InvalidSpecError, Resource
from presage.resources.metricprofile import MetricProfile
from presage.resources.metricsource import MetricSource
from tests.unit.resources.boundaries import Case, build_cases, read_schemas
from tests.unit.resources.boundary_values import RULES

CASES = build_cases()
MODELS: dict[str, type[Resource]] = {"metricprofiles": MetricProfile, "metricsources": MetricSource}
NAMES = (".spec.forecast.timeZone", ".spec.calendar.timeZone", ".spec.calendar.holidays.subdivision")
"""Names of which the API server knows only how long they may be."""
SPEC = [case for case in CASES if not case.is_status and case.path != ""]
CONSTRAINTS = {
    "type", "nullable", "enum", "format", "minimum", "maximum", "minLength", "maxLength", "pattern", "minItems",
    "maxItems", "uniqueItems", "minProperties", "maxProperties", "multipleOf", "required", "x-kubernetes-list-type",
}  # fmt: skip


def constraints(kind: str, node: dict[str, Any], path: str = "") -> Iterator[tuple[str, str, str]]:
    """Name each constraint of a schema, found on a way of its own: kind, path, keyword."""
    if path not in ("", ".metadata", ".apiVersion", ".kind"):
        yield from ((kind, path, each) for each in CONSTRAINTS & node.keys() if each != "required")
        yield from ((kind, f"{path}.{name}", "required") for name in node.get("required", ()))
    yield from ((kind, path, f"rule {rule['message']}") for rule in node.get("x-kubernetes-validations", ()))
    keys = node.get("x-kubernetes-list-map-keys", ())
    yield from ((kind, path, f"x-kubernetes-list-map-keys {key}") for key in keys)
    for name, child in node.get("properties", {}).items():
        yield from constraints(kind, child, f"{path}.{name}")
    for key, mark in (("items", "[]"), ("additionalProperties", "{}")):
        if key in node:
            yield from constraints(kind, node[key], path + mark)


def test_every_constraint_has_a_case_on_both_sides() -> None:
    wanted = {each for kind, schema in read_schemas().items() for each in constraints(kind, schema)}
    accepted = {(case.kind, case.path, case.keyword) for case in CASES if case.accepted}
    refused = {(case.kind, case.path, case.keyword) for case in CASES if case.refused is not None}
    assert len(wanted) > 300
    assert wanted - accepted == set()
    assert {each for each in wanted - refused if each[2] != "nullable"} == set(), "null can only be accepted"


def test_no_rule_is_left_over() -> None:
    used = {case.keyword.removeprefix("rule ") for case in CASES}
    assert [start for start in RULES if not any(message.startswith(start) for message in used)] == []


@pytest.mark.parametrize("case", SPEC, ids=[case.name for case in SPEC])
def test_the_model_judges_alike(case: Case) -> None:
    model = MODELS[case.kind]
    if case.path not in NAMES or case.keyword not in ("maxLength", "minLength"):
        for body in case.accepted:
            model.parse(body)
    if case.refused is not None:
        with pytest.raises(InvalidSpecError):
            model.parse(case.refused)
