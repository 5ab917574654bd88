from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from presage.resources.differences import find_differences
from presage.resources.metricsource import MetricSource
from presage.resources.schema import build_crd

Crd = dict[str, Any]


def version(crd: Crd) -> Crd:
    found: Crd = crd["spec"]["versions"][0]
    return found


def spec(crd: Crd) -> Crd:
    found: Crd = version(crd)["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return found


def test_what_the_api_server_adds_or_leaves_out_is_no_difference() -> None:
    crd = copy.deepcopy(build_crd(MetricSource))
    crd["spec"]["conversion"] = {"strategy": "None"}
    crd["spec"]["preserveUnknownFields"] = False
    crd["status"] = {"conditions": []}
    for column in version(crd)["additionalPrinterColumns"]:
        del column["priority"]
    spec(crd)["description"] = "Other words."
    spec(crd)["nullable"] = False
    assert find_differences(MetricSource, crd) == ()


CASES: dict[str, tuple[Callable[[Crd], Any], str]] = {
    "field missing": (lambda crd: spec(crd)["properties"].pop("limits"), "spec.limits is missing"),
    "field unknown": (lambda crd: spec(crd)["properties"].update(x={"type": "string"}), "spec.x is unknown"),
    "other bound": (
        lambda crd: spec(crd)["properties"]["url"].update(maxLength=9),
        "maxLength of spec.url is 9 instead of 2048",
    ),
    "no bound": (
        lambda crd: spec(crd)["properties"]["url"].pop("maxLength"),
        "maxLength of spec.url is not set instead of 2048",
    ),
    "bound inside a list": (
        lambda crd: spec(crd)["properties"]["namespaces"]["properties"]["names"]["items"].update(maxLength=9),
        "maxLength of spec.namespaces.names[] is 9",
    ),
    "rule gone": (lambda crd: spec(crd).pop("x-kubernetes-validations"), "x-kubernetes-validations of spec"),
    "a default of false counts": (
        lambda crd: spec(crd)["properties"]["tls"]["properties"]["insecureSkipVerify"].pop("default"),
        "default of spec.tls.insecureSkipVerify is not set instead of False",
    ),
    "required": (lambda crd: spec(crd).update(required=[]), "required of spec is [] instead of ['url']"),
    "status": (lambda crd: version(crd).update(subresources={}), "subresources differ"),
    "columns": (lambda crd: version(crd)["additionalPrinterColumns"].pop(), "columns"),
    "scope": (lambda crd: crd["spec"].update(scope="Namespaced"), "scope is Namespaced instead of Cluster"),
    "not served": (lambda crd: version(crd).update(served=False), "version v1alpha1 is not served"),
    "other version": (lambda crd: version(crd).update(name="v1"), "version v1alpha1 is not served"),
}


@pytest.mark.parametrize("name", CASES)
def test_each_difference_is_named(name: str) -> None:
    break_it, says = CASES[name]
    crd = copy.deepcopy(build_crd(MetricSource))
    break_it(crd)
    (difference,) = find_differences(MetricSource, crd)
    assert says in difference


def test_nothing_is_not_the_same() -> None:
    assert find_differences(MetricSource, {}) != ()
