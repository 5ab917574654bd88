"""The client over a transport that records what is sent: the fence, the bodies, the pages."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from presage.adapters.kube import Conflict, Gone, Invalid, KubeClient, NotFound, NotLeader
from presage.adapters.kube_error import KubeError
from presage.adapters.kube_transport import Limits
from presage.core.resource_type import ResourceType

DEPLOYMENTS = ResourceType("apps", "v1", "deployments", "Deployment")
PROFILES = ResourceType("presage.dev", "v1alpha1", "metricprofiles", "MetricProfile")

Sent = dict[str, Any]


class Recorder:
    """A transport that answers from a list and keeps what it was asked."""

    def __init__(self, *answers: Mapping[str, object] | KubeError) -> None:
        self.answers = list(answers)
        self.sent: list[Sent] = []

    def request(self, method: str, path: str, limits: Limits, **rest: Any) -> dict[str, object]:
        query = dict(rest.pop("query", None) or {})
        self.sent.append({"method": method, "path": path, "limits": limits, "query": query, **rest})
        answer = self.answers.pop(0) if self.answers else {}
        if isinstance(answer, KubeError):
            raise answer
        return dict(answer)

    def close(self) -> None:
        pass


@pytest.fixture
def build() -> Iterator[Callable[..., KubeClient]]:
    made: list[KubeClient] = []

    def make(recorder: Recorder, **options: Any) -> KubeClient:
        made.append(KubeClient(recorder, threads=2, **options))  # type: ignore[arg-type]  # only `request` is used
        return made[-1]

    yield make
    for client in made:
        client._threads.shutdown()
        client._lease_thread.shutdown()


WRITES: dict[str, Callable[[KubeClient], Any]] = {
    "apply": lambda c: c.apply(PROFILES, "p", {"status": {}}, namespace="n", field_manager="presage-status"),
    "scale": lambda c: c.patch_scale(DEPLOYMENTS, "d", "n", 3),
    "delete": lambda c: c.delete(DEPLOYMENTS, "d", "n", "uid"),
    "finalizers": lambda c: c.set_finalizers(PROFILES, "p", "n", ["f"], "7"),
    "event": lambda c: c.create_event({"metadata": {"name": "p"}}, reason="R", note="n", event_time="t"),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
async def test_a_write_without_the_lease_is_not_sent(
    build: Callable[..., KubeClient], write: Callable[[KubeClient], Any]
) -> None:
    recorder = Recorder()
    client = build(recorder)
    with pytest.raises(NotLeader):
        await write(client.fenced(lambda: False))
    assert recorder.sent == []
    await write(client.fenced(lambda: True))
    assert len(recorder.sent) == 1


async def test_the_guard_is_asked_at_the_last_moment(build: Callable[..., KubeClient]) -> None:
    """A write that waited for a free thread while the Lease was lost must not go out."""
    asked_in: list[str] = []

    def guard() -> bool:
        asked_in.append(threading.current_thread().name)
        return True

    await build(Recorder()).fenced(guard).patch_scale(DEPLOYMENTS, "d", "n", 3)
    assert asked_in[0].startswith("kube"), "asked in the thread that sends, not before it was queued"


async def test_reads_and_the_lease_itself_are_not_fenced(build: Callable[..., KubeClient]) -> None:
    recorder = Recorder()
    client = build(recorder).fenced(lambda: False)
    await client.get(DEPLOYMENTS, "d", "n")
    await client.create_lease("n", "l", {"holderIdentity": "me"})
    assert [sent["method"] for sent in recorder.sent] == ["GET", "POST"]


async def test_apply_names_the_object_and_keeps_unknown_fields(build: Callable[..., KubeClient]) -> None:
    recorder = Recorder()
    body = {"metadata": {"labels": {"a": "b"}, "resourceVersion": "5"}, "status": {"future": [1, {"x": None}]}}
    await build(recorder).apply(
        PROFILES, "p", body, namespace="n", field_manager="presage-status", force=False, subresource="status"
    )
    (sent,) = recorder.sent
    assert sent["path"].endswith("/namespaces/n/metricprofiles/p/status")
    assert sent["query"] == {"fieldManager": "presage-status", "force": "false"}
    assert sent["content_type"] == "application/apply-patch+yaml"
    assert sent["body"] == {
        "apiVersion": "presage.dev/v1alpha1",
        "kind": "MetricProfile",
        "metadata": {"labels": {"a": "b"}, "resourceVersion": "5", "name": "p", "namespace": "n"},
        "status": {"future": [1, {"x": None}]},
    }


@pytest.mark.parametrize(
    ("version", "want"),
    [
        pytest.param(None, {"spec": {"replicas": 3}}, id="whatever it is now"),
        pytest.param("7", {"spec": {"replicas": 3}, "metadata": {"resourceVersion": "7"}}, id="only if unchanged"),
    ],
)
async def test_scale(build: Callable[..., KubeClient], version: str | None, want: dict[str, object]) -> None:
    recorder = Recorder()
    await build(recorder).patch_scale(DEPLOYMENTS, "d", "n", 3, resource_version=version)
    assert recorder.sent[0]["body"] == want
    assert recorder.sent[0]["query"] == {"fieldManager": "presage-scale"}


async def test_negative_replicas_are_never_sent(build: Callable[..., KubeClient]) -> None:
    with pytest.raises(ValueError, match="-1"):
        await build(Recorder()).patch_scale(DEPLOYMENTS, "d", "n", -1)


def _page(*names: str, onward: str = "", version: str = "9") -> dict[str, object]:
    items = [{"metadata": {"name": name}, "future": 1} for name in names]
    return {"items": items, "metadata": {"continue": onward, "resourceVersion": version}}


async def test_list_reads_all_pages_and_names_each_object(build: Callable[..., KubeClient]) -> None:
    recorder = Recorder(_page("a", onward="more"), _page("b"))
    found, version = await build(recorder).list(DEPLOYMENTS, "n", "app=x", limit=1)
    assert [sent["query"].get("continue", "") for sent in recorder.sent] == ["", "more"]
    assert recorder.sent[0]["query"]["labelSelector"] == "app=x"
    assert version == "9"
    assert found == [
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "future": 1} for name in "ab"
    ]


async def test_a_list_that_grows_too_old_between_pages_is_begun_anew_once(build: Callable[..., KubeClient]) -> None:
    old = Gone("too old", status=410)
    found, _ = await build(Recorder(_page("a", onward="more"), old, _page("a", "b"))).list(DEPLOYMENTS)
    assert len(found) == 2
    with pytest.raises(Gone):
        await build(Recorder(old, old)).list(DEPLOYMENTS)


@pytest.mark.parametrize(
    ("data", "want"),
    [
        pytest.param({"token": base64.b64encode(b"\x00s3cret").decode()}, b"\x00s3cret", id="bytes as they are"),
        pytest.param({"other": ""}, NotFound, id="no such key"),
        pytest.param({"token": "***"}, Invalid, id="no base64"),
        pytest.param(None, NotFound, id="no data"),
    ],
)
async def test_secret_value(build: Callable[..., KubeClient], data: object, want: bytes | type[KubeError]) -> None:
    client = build(Recorder({"data": data}))
    if isinstance(want, bytes):
        assert await client.secret_value("n", "s", "token") == want
        return
    with pytest.raises(want) as caught:
        await client.secret_value("n", "s", "token")
    assert "***" not in str(caught.value), "a value is never shown"


async def test_every_request_has_limits_and_is_told_to_the_observer(build: Callable[..., KubeClient]) -> None:
    told: list[tuple[str, str, str]] = []
    recorder = Recorder({}, Conflict("no", status=409))
    client = build(recorder, observer=lambda verb, plural, outcome, _: told.append((verb, plural, outcome)))
    await client.get(DEPLOYMENTS, "d", "n")
    with pytest.raises(Conflict):
        await client.patch_scale(DEPLOYMENTS, "d", "n", 1, resource_version="1")
    assert told == [("get", "deployments", "ok"), ("scale", "deployments", "Conflict")]
    assert all(0 < sent["limits"].connect_s <= 3 and 0 < sent["limits"].read_s <= 30 for sent in recorder.sent)


async def test_the_lease_needs_no_free_thread_of_the_pool(build: Callable[..., KubeClient]) -> None:
    """A pool full of slow requests must not cost the leadership."""
    client, gate = build(Recorder()), threading.Event()
    slow = [client._threads.submit(gate.wait, 5) for _ in range(2)]
    await client.get_lease("n", "l")
    gate.set()
    assert all(future.result() for future in slow)
