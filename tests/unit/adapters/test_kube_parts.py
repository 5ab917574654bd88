"""Paths, accessors, errors, events, certificates and the store: the parts that need no API server."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presage.adapters.kube import connect
from presage.adapters.kube_error import (
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    KubeError,
    NotFound,
    Throttled,
    Unavailable,
)
from presage.adapters.kube_event import event_body
from presage.adapters.kube_json import int_at, list_at, object_at, objects_at, text_at
from presage.adapters.kube_path import SECRETS, api_path
from presage.adapters.kube_store import ObjectStore
from presage.adapters.kube_transport import error_of
from presage.core.resource_type import ResourceType

DEPLOYMENTS = ResourceType("apps", "v1", "deployments", "Deployment")
SOURCES = ResourceType("presage.dev", "v1alpha1", "metricsources", "MetricSource", namespaced=False)


@pytest.mark.parametrize(
    ("path", "want"),
    [
        pytest.param(api_path(DEPLOYMENTS), "/apis/apps/v1/deployments", id="all namespaces"),
        pytest.param(api_path(DEPLOYMENTS, namespace="n"), "/apis/apps/v1/namespaces/n/deployments", id="a namespace"),
        pytest.param(
            api_path(DEPLOYMENTS, "d", "n", "scale"), "/apis/apps/v1/namespaces/n/deployments/d/scale", id="subresource"
        ),
        pytest.param(api_path(SECRETS, "s", "n"), "/api/v1/namespaces/n/secrets/s", id="core group"),
        pytest.param(api_path(SOURCES, "m"), "/apis/presage.dev/v1alpha1/metricsources/m", id="cluster-scoped"),
        pytest.param(
            api_path(SECRETS, "a/b?c", "n"),
            "/api/v1/namespaces/n/secrets/a%2Fb%3Fc",
            id="names cannot leave their place",
        ),
    ],
)
def test_path(path: str, want: str) -> None:
    assert path == want


@pytest.mark.parametrize(
    "build",
    [
        pytest.param(lambda: api_path(SOURCES, "m", "n"), id="namespace for a cluster-scoped type"),
        pytest.param(lambda: api_path(DEPLOYMENTS, "d"), id="no namespace"),
        pytest.param(lambda: api_path(DEPLOYMENTS, subresource="scale"), id="subresource of a collection"),
        pytest.param(lambda: api_path(DEPLOYMENTS, "", "n"), id="an empty name would mean the collection"),
        pytest.param(lambda: api_path(DEPLOYMENTS, "d", ".."), id="climbing"),
    ],
)
def test_path_refused(build: Callable[[], str]) -> None:
    with pytest.raises(ValueError, match=r"namespace|name"):
        build()


def test_accessors_never_raise_and_never_cast() -> None:
    odd: dict[str, object] = {"metadata": None, "spec": {"replicas": True, "items": [{"a": 1}, 2, None], "name": 7}}
    assert text_at(odd, "metadata", "name") is None
    assert text_at(odd, "spec", "name") is None
    assert int_at(odd, "spec", "replicas") is None
    assert object_at(odd, "metadata") == {}
    assert list_at(odd, "spec", "replicas") == []
    assert objects_at(odd, "spec", "items") == [{"a": 1}]


@pytest.mark.parametrize(
    ("status", "body", "want", "wait"),
    [
        pytest.param(404, {"reason": "NotFound", "message": "no"}, NotFound, None, id="not found"),
        pytest.param(409, {"reason": "AlreadyExists", "message": "is there"}, Conflict, None, id="exists"),
        pytest.param(403, {"reason": "Forbidden"}, Forbidden, None, id="forbidden"),
        pytest.param(401, {}, Forbidden, None, id="unknown caller"),
        pytest.param(410, {"reason": "Expired"}, Gone, None, id="expired"),
        pytest.param(422, {"reason": "Invalid"}, Invalid, None, id="invalid"),
        pytest.param(415, {}, Invalid, None, id="any other refusal"),
        pytest.param(429, {"details": {"retryAfterSeconds": 7}}, Throttled, 7.0, id="throttled"),
        pytest.param(429, {}, Throttled, 1.0, id="throttled without a time"),
        pytest.param(429, {"details": {"retryAfterSeconds": 10**9}}, Throttled, 600.0, id="a wait has a bound"),
        pytest.param(503, {"details": {"retryAfterSeconds": 3}}, Throttled, 3.0, id="busy with a time"),
        pytest.param(503, {}, Unavailable, None, id="busy without"),
        pytest.param(500, {}, Unavailable, None, id="server fault"),
        pytest.param(302, {}, Unavailable, None, id="redirects are not followed"),
    ],
)
def test_errors(status: int, body: dict[str, object], want: type[KubeError], wait: float | None) -> None:
    error = error_of(status, json.dumps(body).encode())
    assert type(error) is want
    assert error.status == status
    assert error.reason == body.get("reason", "")
    assert getattr(error, "retry_after_s", None) == wait


def test_an_answer_that_is_no_status_is_not_repeated_in_the_error() -> None:
    error = error_of(502, b"<html>proxy says secret things</html>")
    assert isinstance(error, Unavailable)
    assert "secret" not in str(error)


def test_error_messages_are_cut() -> None:
    assert len(str(KubeError("x" * 10_000))) == 512


def _event(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "reason": "Scaled",
        "note": "to 3",
        "event_time": "2025-01-01T00:00:00.000000Z",
        "type_": "Normal",
        "instance": "pod-1",
    }
    regarding = changes.pop(
        "regarding", {"kind": "MetricProfile", "metadata": {"name": "p", "namespace": "n", "uid": "u"}}
    )
    return event_body(regarding, **{**values, **changes})


def test_an_event_is_named_by_its_content() -> None:
    assert _event()["metadata"]["name"] == _event()["metadata"]["name"]
    assert _event()["metadata"]["name"] != _event(note="to 4")["metadata"]["name"]
    assert _event()["metadata"]["namespace"] == "n"


def test_an_event_of_a_cluster_scoped_object_lives_in_default() -> None:
    event = _event(regarding={"kind": "MetricSource", "metadata": {"name": "main", "uid": "u"}})
    assert event["metadata"]["namespace"] == "default"
    assert "namespace" not in event["regarding"]


@pytest.mark.parametrize("letter", ["n", "→", "😀"])
def test_an_event_keeps_the_limits_of_the_api(letter: str) -> None:
    event = _event(
        note=letter * 5000,
        reason="R" * 500,
        instance="i" * 500,
        regarding={"metadata": {"name": "x" * 253, "namespace": "n"}},
    )
    assert 1020 <= len(event["note"].encode()) <= 1024
    assert len(event["reason"].encode()) == len(event["reportingInstance"].encode()) == 128
    assert len(event["metadata"]["name"]) <= 253


@pytest.mark.parametrize(
    ("content", "context", "want"),
    [
        pytest.param(None, None, "the kubeconfig cannot be used", id="no file"),
        pytest.param("{:", None, "the kubeconfig cannot be used", id="no YAML"),
        pytest.param("apiVersion: v1\nkind: Config\n", "shop", "context 'shop'", id="no such context"),
    ],
)
async def test_without_a_way_to_a_cluster_the_error_says_where_it_looked(
    content: str | None, context: str | None, want: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "config"
    if content is not None:
        place.write_text(content)
    monkeypatch.setenv("KUBECONFIG", str(place))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(Unavailable, match=want):
        await connect(context)


_KEYS = st.tuples(st.sampled_from(["n", "m"]), st.sampled_from(["a", "b", "c"]))
_CHANGES = st.lists(st.tuples(_KEYS, st.none() | st.lists(st.sampled_from(["x", "y"]), max_size=3)), max_size=30)


@given(_CHANGES)
def test_the_store_finds_exactly_what_it_holds(changes: list[tuple[tuple[str, str], list[str] | None]]) -> None:
    store = ObjectStore(lambda entry: entry["values"])
    held: dict[tuple[str, str], Mapping[str, Any]] = {}
    for key, values in changes:
        entry = None if values is None else {"key": key, "values": values}
        store.set(key, entry)
        held.pop(key, None)
        if entry is not None:
            held[key] = entry
    assert len(store) == len(held)
    assert sorted(entry["key"] for entry in store.list()) == sorted(held)
    for namespace in ("n", "m"):
        assert sorted(e["key"] for e in store.list(namespace)) == sorted(k for k in held if k[0] == namespace)
    for value in ("x", "y"):
        assert [e["key"] for e in store.indexed(value)] == sorted(k for k, e in held.items() if value in e["values"])
