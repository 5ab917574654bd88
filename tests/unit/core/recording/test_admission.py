from __future__ import annotations

import base64
import copy
import json
import time
from typing import Any

import pytest

from presage.core.recording import marks
from presage.core.recording.admission import Telemetry, build_patch
from presage.core.recording.document import KEY
from presage.core.recording.review import answer_review
from tests.unit.core.recording.pods import CASES, CONFIG, MOUNT, Case


def apply(pod: dict[str, Any], patch: list[dict[str, Any]]) -> dict[str, Any]:
    """Apply a JSON patch that only adds, as RFC 6902 says."""
    pod = copy.deepcopy(pod)
    for operation in patch:
        assert operation["op"] == "add"
        *path, last = operation["path"].strip("/").split("/")
        place: Any = pod
        for part in path:
            place = place[int(part)] if isinstance(place, list) else place[part]
        if isinstance(place, list):
            assert last == "-"
            place.append(copy.deepcopy(operation["value"]))
        else:
            assert last not in place, "nothing is replaced"
            place[last] = copy.deepcopy(operation["value"])
    return pod


def inject(pod: dict[str, Any], telemetry: Telemetry | None = None) -> dict[str, Any]:
    return apply(pod, build_patch(pod, "space", telemetry or Telemetry()))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_is_added(case: Case) -> None:
    pod = case.build()
    done = inject(pod)
    adds_volume = bool(case.want) if case.adds_volume is None else case.adds_volume
    added = {"name": CONFIG["name"], "configMap": {"name": f"presage-{case.labels.get(marks.LABEL)}", "optional": True}}
    assert done["spec"].get("volumes", []) == [*pod["spec"].get("volumes", []), *([added] if adds_volume else [])]
    for before, after in zip(pod["spec"]["containers"], done["spec"]["containers"], strict=True):
        if before["name"] not in case.want:
            assert after == before
            continue
        new = after.get("env", [])[len(before.get("env", [])) :]
        assert tuple(each["name"] for each in new) == case.want[before["name"]]
        assert after.get("env", [])[: len(before.get("env", []))] == before.get("env", [])
        mounts = before.get("volumeMounts", [])
        assert after["volumeMounts"] == [*mounts, *([MOUNT] if case.adds_mount else [])]
        rest = {"env", "volumeMounts"}
        assert {k: v for k, v in after.items() if k not in rest} == {k: v for k, v in before.items() if k not in rest}
    others = {"containers", "volumes"}
    assert {k: v for k, v in done["spec"].items() if k not in others} == {
        k: v for k, v in pod["spec"].items() if k not in others
    }
    assert done["metadata"] == pod["metadata"]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_second_time_adds_nothing(case: Case) -> None:
    assert build_patch(inject(case.build()), "space", Telemetry()) == []


def test_the_values() -> None:
    done = inject(CASES["plain"].build(), Telemetry(15, "http://collector:4318"))
    given = {each["name"]: each.get("value", each.get("valueFrom")) for each in done["spec"]["containers"][0]["env"]}
    assert given == {
        "PRESAGE_PROFILE_FILE": f"{marks.MOUNT_PATH}/{KEY}",
        "PRESAGE_POD_NAME": {"fieldRef": {"fieldPath": "metadata.name"}},
        "OTEL_SERVICE_NAME": "shop",
        "OTEL_RESOURCE_ATTRIBUTES": "k8s.namespace.name=space,k8s.pod.name=$(PRESAGE_POD_NAME)",
        "OTEL_METRIC_EXPORT_INTERVAL": "15000",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318",
    }


ODD_PODS: dict[str, object] = {
    "nothing": None,
    "a list": [],
    "no spec": {"metadata": {"labels": {marks.LABEL: "shop"}}},
    "labels that are a list": {"metadata": {"labels": [marks.LABEL]}, "spec": {"containers": [{}]}},
    "label that is a number": {"metadata": {"labels": {marks.LABEL: 5}}, "spec": {"containers": [{}]}},
    "containers that are an object": {"metadata": {"labels": {marks.LABEL: "shop"}}, "spec": {"containers": {"a": 1}}},
    "label with a line end": {"metadata": {"labels": {marks.LABEL: "shop\n"}}, "spec": {"containers": [{}]}},
}


@pytest.mark.parametrize("pod", ODD_PODS.values(), ids=ODD_PODS)
def test_what_is_no_pod_is_given_nothing(pod: object) -> None:
    assert build_patch(pod, "space", Telemetry()) == []


def review(pod: object, **request: object) -> bytes:
    kind = {"group": "", "version": "v1", "kind": "Pod"}
    whole = {"uid": "u", "kind": kind, "operation": "CREATE", "namespace": "space", "object": pod, **request}
    return json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": whole}).encode()


def test_an_answer_holds_the_patch() -> None:
    pod = CASES["plain"].build()
    answer: Any = answer_review(review(pod), Telemetry())
    response = answer["response"]
    assert (response["uid"], response["allowed"], response["patchType"]) == ("u", True, "JSONPatch")
    assert json.loads(base64.b64decode(response["patch"])) == build_patch(pod, "space", Telemetry())


PATCHLESS = {
    "another kind": {"kind": {"group": "apps", "kind": "Deployment"}},
    "kind that is a text": {"kind": "Pod"},
    "update": {"operation": "UPDATE"},
    "subresource": {"subResource": "ephemeralcontainers"},
    "no namespace": {"namespace": None},
    "no object": {"object": None},
}


@pytest.mark.parametrize("request_", PATCHLESS.values(), ids=PATCHLESS)
def test_anything_else_is_let_through(request_: dict[str, object]) -> None:
    answer: Any = answer_review(review(CASES["plain"].build(), **request_), Telemetry())
    assert answer["response"] == {"uid": "u", "allowed": True}


HOSTILE = {
    "empty": b"",
    "no JSON": b"{",
    "no UTF-8": b'{"a": "\xff"}',
    "a megabyte of it": b"[" * 2**20,
    "deep": b'{"request":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001,
    "a list": b"[]",
    "a number": b"1e999",
    "no request": b"{}",
    "request that is a list": b'{"request": [1]}',
    "uid that is a number": b'{"request": {"uid": 1}}',
    "uid too long": json.dumps({"request": {"uid": "u" * 1000}}).encode(),
    "large, and none of it asked for": json.dumps({"request": "x" * 2**20}).encode(),
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_review_has_no_answer(body: bytes) -> None:
    began = time.monotonic()
    assert answer_review(body, Telemetry()) is None
    assert time.monotonic() - began < 1


def test_a_review_of_a_megabyte_is_answered_in_time() -> None:
    pod = CASES["plain"].build()
    pod["spec"]["containers"] = [
        {"name": f"c{i}", "image": "x", "env": [{"name": f"A{j}", "value": "y" * 100} for j in range(100)]}
        for i in range(80)
    ]
    began = time.monotonic()
    answer: Any = answer_review(review(pod), Telemetry())
    assert "patch" in answer["response"]
    assert time.monotonic() - began < 1
