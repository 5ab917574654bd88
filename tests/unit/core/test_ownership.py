"""Marks lead from a child back to its owner, and only there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from presage.core.ownership import Owner, build_child_name, build_marks, read_owner

OWNER = Owner("presage.dev/v1alpha1", "Errand", "team", "tidy", "u-1")


def child(owner: Owner, namespace: str, **metadata: Any) -> dict[str, Any]:
    place = {"namespace": namespace} if namespace else {}
    return {"metadata": {"name": "c", **place, **build_marks(owner, namespace), **metadata}}


@pytest.mark.parametrize("namespace", ["team", ""])
def test_marks_are_read_back(namespace: str) -> None:
    assert read_owner(child(OWNER, namespace)) == OWNER


@pytest.mark.parametrize(
    ("owner", "namespace", "referenced"),
    [
        (OWNER, "team", True),
        (OWNER, "", False),  # a cluster-scoped child of a namespaced owner would be collected at once
        (replace(OWNER, namespace=""), "", True),
    ],
)
def test_an_owner_reference_is_set_where_it_can_hold(owner: Owner, namespace: str, referenced: bool) -> None:
    references = child(owner, namespace)["metadata"].get("ownerReferences", [])
    assert [(r["kind"], r["uid"], r["controller"]) for r in references] == [("Errand", "u-1", True)] * referenced


def test_marks_of_an_owner_in_another_namespace_count_for_nothing() -> None:
    assert read_owner(child(OWNER, "elsewhere")) is None


@pytest.mark.parametrize(
    "metadata",
    [{}, {"labels": None}, {"labels": {"presage.dev/owner-uid": "u"}, "annotations": {"presage.dev/owner": "a/b"}}],
)
def test_what_bears_no_marks_has_no_owner(metadata: dict[str, Any]) -> None:
    assert read_owner({"metadata": {"name": "c", **metadata}}) is None
    assert read_owner({}) is None


def test_a_name_says_what_a_child_is_made_from() -> None:
    name = build_child_name("tidy", {"a": 1, "b": [2]})
    assert name == build_child_name("tidy", {"b": [2], "a": 1})
    assert name.startswith("tidy-")
    assert len({name, build_child_name("tidy", {"a": 2, "b": [2]}), build_child_name("tide", {"a": 1, "b": [2]})}) == 3


@pytest.mark.parametrize("owner", ["x" * 253, "a." * 100 + "b", "a" * 51 + "-" * 10])
def test_a_long_name_is_cut_to_a_valid_one(owner: str) -> None:
    name = build_child_name(owner, {})
    assert len(name) <= 63
    assert name[-12].isalnum(), "no dot or dash stands before the dash that joins"
    assert name != build_child_name(owner + "c", {})
