"""The watch against a real API server, over a connection that is dropped, frozen and refused."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from e2e.cluster import Cluster
from presage.adapters.kube import KubeClient, connect
from presage.adapters.kube_watch import WatchCache, WatchTimes
from presage.core.resource_type import ResourceType
from tests.integration.tools import CONFIG_MAPS, PROFILES, Kubectl, Link, eventually, profile, reroute

WIDGETS = ResourceType("test.presage.dev", "v1", "widgets", "Widget")

Heard = list[tuple[str, str]]


def trim(obj: Mapping[str, Any]) -> Mapping[str, Any]:
    meta = obj["metadata"]
    return {"namespace": meta.get("namespace", ""), "name": meta["name"], "data": obj.get("data") or {}}


@pytest.fixture
async def link(cluster: Cluster) -> AsyncIterator[Link]:
    """A link to the API server that the test can cut."""
    address = urlsplit(cluster.server)
    made = Link(str(address.hostname), int(address.port or 443))
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def far(
    link: Link, cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[KubeClient]:
    """A client over that link."""
    place = reroute(cluster.kubeconfig, f"https://127.0.0.1:{link.port}", tmp_path / "kubeconfig")
    monkeypatch.setenv("KUBECONFIG", str(place))
    client = await connect(threads=2)
    yield client
    await client.close()


Watch = Callable[..., WatchCache]


@pytest.fixture
async def watch() -> AsyncIterator[Watch]:
    """Builds watches that end with the test."""
    made: list[WatchCache] = []

    def build(client: KubeClient, resource: ResourceType, heard: Heard, namespace: str, **options: Any) -> WatchCache:
        def listen(change: str, entry: Mapping[str, Any]) -> None:
            if entry["namespace"] == namespace and not entry["name"].startswith("kube-"):
                heard.append((change, entry["name"]))

        made.append(WatchCache(client, resource, trim, listen, **options))
        return made[-1]

    yield build
    for cache in made:
        await cache.stop()


async def started(cache: WatchCache) -> WatchCache:
    await cache.start()
    await eventually(cache.synced.is_set, what="synced")
    return cache


def put(kubectl: Kubectl, namespace: str, name: str, **data: str) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}
    kubectl("-n", namespace, "apply", "--server-side", "-f", "-", stdin=body)


async def test_what_is_there_comes_changes_and_goes(
    kube: KubeClient, kubectl: Kubectl, namespace: str, watch: Watch
) -> None:
    put(kubectl, namespace, "a", k="1")
    heard: Heard = []
    cache = await started(watch(kube, CONFIG_MAPS, heard, namespace))
    assert heard == [("ADDED", "a")]
    put(kubectl, namespace, "b")
    put(kubectl, namespace, "a", k="2")
    kubectl("-n", namespace, "label", "configmap", "a", "x=y")  # a field that is not kept
    kubectl("-n", namespace, "delete", "configmap", "b")
    await eventually(lambda: len(heard) >= 4, what="four changes")
    assert heard == [("ADDED", "a"), ("ADDED", "b"), ("MODIFIED", "a"), ("DELETED", "b")]
    assert cache.get(namespace, "a") == {"namespace": namespace, "name": "a", "data": {"k": "2"}}
    assert cache.get(namespace, "b") is None
    assert cache.trouble is None


async def test_a_dropped_connection_loses_nothing(
    far: KubeClient, link: Link, kubectl: Kubectl, namespace: str, watch: Watch
) -> None:
    heard: Heard = []
    put(kubectl, namespace, "a")
    cache = await started(watch(far, CONFIG_MAPS, heard, namespace))
    link.refusing = True
    link.drop()
    put(kubectl, namespace, "b")
    kubectl("-n", namespace, "delete", "configmap", "a")
    await eventually(lambda: cache.trouble, what="the trouble is named")
    assert cache.get(namespace, "a") is not None, "the last copy stays readable"
    link.refusing = False
    await eventually(lambda: len(heard) >= 3, what="caught up")
    assert heard == [("ADDED", "a"), ("ADDED", "b"), ("DELETED", "a")]
    await eventually(lambda: cache.trouble is None, what="the trouble is over")


async def test_a_connection_that_falls_silent_is_given_up(
    far: KubeClient, link: Link, kubectl: Kubectl, namespace: str, watch: Watch
) -> None:
    heard: Heard = []
    cache = await started(watch(far, CONFIG_MAPS, heard, namespace, times=WatchTimes(silence_limit_s=2)))
    link.freeze()
    silent_since = cache.last_activity
    put(kubectl, namespace, "a")
    await eventually(lambda: heard == [("ADDED", "a")], what="heard over a new connection")
    assert cache.last_activity > silent_since


@pytest.mark.usefixtures("crds")
async def test_a_version_too_old_means_a_new_list(
    far: KubeClient, link: Link, kubectl: Kubectl, namespace: str, watch: Watch
) -> None:
    """The real server answers 410 to a version from before its cache of this type began."""
    for name in ("a", "b"):
        kubectl("-n", namespace, "create", "-f", "-", stdin=profile(name))
    heard: Heard = []
    cache = await started(watch(far, PROFILES, heard, namespace))
    link.refusing = True
    link.drop()
    kubectl("-n", namespace, "delete", "metricprofile", "a")
    cache._reader._version = "1"  # as after an absence longer than the server remembers
    link.refusing = False
    await eventually(lambda: len(heard) >= 3, what="the difference")
    assert sorted(heard) == [("ADDED", "a"), ("ADDED", "b"), ("DELETED", "a")]
    await eventually(lambda: int(cache._reader._version) > 1, what="a version of the new list")


async def test_the_server_ends_a_watch_and_it_goes_on(
    kube: KubeClient, kubectl: Kubectl, namespace: str, watch: Watch
) -> None:
    heard: Heard = []
    await started(watch(kube, CONFIG_MAPS, heard, namespace, times=WatchTimes(server_timeout_s=2)))
    for name in ("a", "b", "c"):
        until = time.monotonic() + 1.5
        await eventually(lambda until=until: time.monotonic() > until)
        put(kubectl, namespace, name)
    await eventually(lambda: len(heard) >= 3, what="changes of three watches")
    assert heard == [("ADDED", "a"), ("ADDED", "b"), ("ADDED", "c")]


async def test_an_api_that_comes_and_goes(kube: KubeClient, kubectl: Kubectl, namespace: str, watch: Watch) -> None:
    heard: Heard = []
    cache = await started(watch(kube, WIDGETS, heard, namespace, times=WatchTimes(1, 100, absent_retry_s=0.2)))
    assert len(cache) == 0
    assert cache.trouble is None, "an API that is not installed is no trouble"
    kubectl("create", "-f", "-", stdin=_widgets())
    try:
        kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd/widgets.test.presage.dev")
        widget = {"apiVersion": WIDGETS.api_version, "kind": "Widget", "metadata": {"name": "w"}}
        await eventually(lambda: _created(kubectl, namespace, widget), what="the new API answers")
        await eventually(lambda: heard == [("ADDED", "w")], what="found after the API came")
    finally:
        kubectl("delete", "crd", "widgets.test.presage.dev")
    await eventually(lambda: heard[-1] == ("DELETED", "w"), what="gone with its API")


async def test_label_selectors_and_stop(kube: KubeClient, kubectl: Kubectl, namespace: str, watch: Watch) -> None:
    heard: Heard = []
    cache = await started(watch(kube, CONFIG_MAPS, heard, namespace, label_selector="keep=yes"))
    put(kubectl, namespace, "a")
    put(kubectl, namespace, "b")
    kubectl("-n", namespace, "label", "configmap", "b", "keep=yes")
    await eventually(lambda: heard == [("ADDED", "b")], what="only what is labelled")
    kubectl("-n", namespace, "label", "configmap", "b", "keep-")
    await eventually(lambda: heard[-1] == ("DELETED", "b"), what="gone with its label")
    before = time.monotonic()
    await cache.stop()
    assert time.monotonic() - before < 1, "a watch that waits for news ends at once"
    assert not cache._thread.is_alive()


def _created(kubectl: Kubectl, namespace: str, body: dict[str, Any]) -> bool:
    try:
        kubectl("-n", namespace, "create", "-f", "-", stdin=body)
    except AssertionError:
        return False
    return True


def _widgets() -> dict[str, Any]:
    names = {"kind": "Widget", "plural": "widgets", "singular": "widget", "listKind": "WidgetList"}
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.test.presage.dev"},
        "spec": {"group": "test.presage.dev", "names": names, "scope": "Namespaced", "versions": [version]},
    }
