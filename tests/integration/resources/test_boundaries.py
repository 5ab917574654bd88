"""The real API server accepts what is at a limit and refuses what is past it, in words that name field and limit."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kubernetes import client

from tests.unit.resources.boundaries import Case, build_cases, find_place

GROUP, VERSION = "presage.dev", "v1alpha1"
CASES = build_cases()
Send = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module")
def send(objects: client.CustomObjectsApi) -> Iterator[dict[tuple[str, bool], Send]]:
    """Give what sends an object, without keeping it: by kind, and whether it is its status that matters."""
    name = f"case-{uuid.uuid4().hex[:8]}"
    existing = _create_all(objects, name)

    def create(kind: str, body: dict[str, Any]) -> object:
        whole = {key: value for key, value in body.items() if key != "status"}
        where = body["metadata"].get("namespace")
        if where is None:
            return objects.create_cluster_custom_object(GROUP, VERSION, kind, whole, dry_run="All")
        return objects.create_namespaced_custom_object(GROUP, VERSION, where, kind, whole, dry_run="All")

    def replace_status(kind: str, body: dict[str, Any]) -> object:
        whole = {**existing[kind], "status": body["status"]}
        where = whole["metadata"].get("namespace")
        if where is None:
            return objects.replace_cluster_custom_object_status(GROUP, VERSION, kind, name, whole, dry_run="All")
        return objects.replace_namespaced_custom_object_status(GROUP, VERSION, where, kind, name, whole, dry_run="All")

    yield {
        (kind, is_status): (lambda body, kind=kind, way=way: way(kind, body))  # type: ignore[misc]  # bound per round
        for kind in existing
        for is_status, way in ((False, create), (True, replace_status))
    }
    objects.delete_namespaced_custom_object(GROUP, VERSION, "default", "metricprofiles", name)
    objects.delete_cluster_custom_object(GROUP, VERSION, "metricsources", name)


def _create_all(objects: client.CustomObjectsApi, name: str) -> dict[str, dict[str, Any]]:
    whole = {case.kind: case.accepted[0] for case in CASES if case.keyword == "type"}
    found = {}
    for kind, body in whole.items():
        body = {**body, "metadata": {**body["metadata"], "name": name}}
        where = body["metadata"].get("namespace")
        if where is None:
            found[kind] = objects.create_cluster_custom_object(GROUP, VERSION, kind, body)
        else:
            found[kind] = objects.create_namespaced_custom_object(GROUP, VERSION, where, kind, body)
    return found


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_at_the_limit_and_past_it(send: dict[tuple[str, bool], Send], case: Case) -> None:
    ask = send[case.kind, case.is_status]
    for body in case.accepted:
        ask(body)
    if case.refused is None:
        return
    with pytest.raises(client.ApiException) as refused:
        ask(case.refused)
    assert refused.value.status == 422
    message = json.loads(refused.value.body)["message"]
    place = find_place(case.path).removeprefix(".").replace("{}", ".a")
    for part in (place.rpartition("[0]")[0] if "Duplicate" in case.says[0] else place, *case.says):
        assert part in message, message
