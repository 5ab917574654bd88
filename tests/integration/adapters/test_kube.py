"""The client against a real API server: who owns which field, what conflicts, what is refused and how that is named."""

from __future__ import annotations

import asyncio
import base64
import subprocess
from pathlib import Path

import pytest
import yaml

from e2e.cluster import Cluster
from presage.adapters.kube import Conflict, Forbidden, Invalid, KubeClient, NotFound, NotLeader, Unavailable, connect
from presage.adapters.kube_json import int_at, object_at, objects_at, text_at
from presage.core.resource_type import ResourceType
from tests.integration.tools import CONFIG_MAPS, DEPLOYMENTS, PROFILES, Kubectl, deployment, profile, reroute

MOMENT = "2025-01-01T00:00:00.000000Z"


def condition(kind: str, status: str = "True") -> dict[str, object]:
    return {
        "type": kind,
        "status": status,
        "reason": "Test",
        "message": "",
        "lastTransitionTime": "2025-01-01T00:00:00Z",
        "observedGeneration": 1,
    }


def managers(obj: dict[str, object]) -> set[tuple[str | None, str | None, str | None]]:
    return {
        (text_at(entry, "manager"), text_at(entry, "operation"), text_at(entry, "subresource"))
        for entry in objects_at(obj, "metadata", "managedFields")
    }


async def test_apply_creates_changes_and_takes_back_only_its_own(kube: KubeClient, namespace: str) -> None:
    def apply(manager: str, data: dict[str, str]) -> object:
        return kube.apply(CONFIG_MAPS, "c", {"data": data}, namespace=namespace, field_manager=manager)

    await apply("presage-a", {"a": "1", "b": "1"})
    await apply("presage-b", {"c": "1"})
    await apply("presage-a", {"a": "2"})
    found = await kube.get(CONFIG_MAPS, "c", namespace)
    assert found["data"] == {"a": "2", "c": "1"}


async def test_a_field_of_another_manager_is_a_conflict_unless_forced(kube: KubeClient, namespace: str) -> None:
    await kube.apply(CONFIG_MAPS, "c", {"data": {"a": "1"}}, namespace=namespace, field_manager="presage-a")
    with pytest.raises(Conflict, match="presage-a"):
        await kube.apply(
            CONFIG_MAPS, "c", {"data": {"a": "2"}}, namespace=namespace, field_manager="presage-b", force=False
        )
    changed = await kube.apply(
        CONFIG_MAPS, "c", {"data": {"a": "2"}}, namespace=namespace, field_manager="presage-b", force=True
    )
    assert changed["data"] == {"a": "2"}


@pytest.mark.usefixtures("crds")
async def test_two_managers_share_the_conditions(kube: KubeClient, kubectl: Kubectl, namespace: str) -> None:
    kubectl("-n", namespace, "create", "-f", "-", stdin=profile("p"))

    async def report(manager: str, *conditions: dict[str, object]) -> dict[str, object]:
        return await kube.apply(
            PROFILES,
            "p",
            {"status": {"conditions": [*conditions]}},
            namespace=namespace,
            field_manager=manager,
            subresource="status",
        )

    await report("presage-status", condition("Ready"), condition("TargetFound"))
    await report("presage-job", condition("Replayed"))
    found = await report("presage-status", condition("Ready", "False"))
    held = {text_at(entry, "type"): text_at(entry, "status") for entry in objects_at(found, "status", "conditions")}
    assert held == {"Ready": "False", "Replayed": "True"}, "what a manager leaves out goes, what others own stays"
    assert {("presage-status", "Apply", "status"), ("presage-job", "Apply", "status")} <= managers(found)
    assert int_at(found, "metadata", "generation") == 1, "status is not spec"


async def test_scale_touches_nothing_but_replicas(kube: KubeClient, kubectl: Kubectl, namespace: str) -> None:
    kubectl("-n", namespace, "create", "-f", "-", stdin=deployment("d", 2))
    before = await kube.get(DEPLOYMENTS, "d", namespace)
    scale = await kube.patch_scale(DEPLOYMENTS, "d", namespace, 5)
    after = await kube.get(DEPLOYMENTS, "d", namespace)
    assert int_at(scale, "spec", "replicas") == 5
    assert {**object_at(after, "spec"), "replicas": 2} == object_at(before, "spec")
    assert ("presage-scale", "Update", "scale") in managers(after)
    again = await kube.get_scale(DEPLOYMENTS, "d", namespace)
    assert int_at(again, "spec", "replicas") == 5
    assert text_at(again, "status", "selector") == "app=d"


async def test_scale_from_an_old_version_is_a_conflict(kube: KubeClient, kubectl: Kubectl, namespace: str) -> None:
    kubectl("-n", namespace, "create", "-f", "-", stdin=deployment("d", 2))
    old = text_at(await kube.get_scale(DEPLOYMENTS, "d", namespace), "metadata", "resourceVersion")
    kubectl("-n", namespace, "scale", "deployment", "d", "--replicas=4")
    with pytest.raises(Conflict):
        await kube.patch_scale(DEPLOYMENTS, "d", namespace, 9, resource_version=old)
    assert int_at(await kube.get_scale(DEPLOYMENTS, "d", namespace), "spec", "replicas") == 4


async def test_only_the_object_that_was_meant_is_deleted(kube: KubeClient, namespace: str) -> None:
    made = await kube.apply(CONFIG_MAPS, "c", {"data": {"a": "1"}}, namespace=namespace, field_manager="presage-a")
    with pytest.raises(Conflict):
        await kube.delete(CONFIG_MAPS, "c", namespace, "of-another")
    await kube.delete(CONFIG_MAPS, "c", namespace, text_at(made, "metadata", "uid") or "")
    with pytest.raises(NotFound):
        await kube.delete(CONFIG_MAPS, "c", namespace, text_at(made, "metadata", "uid") or "")


async def test_finalizers_of_any_manager_are_set_and_taken_off(kube: KubeClient, namespace: str) -> None:
    body = {"metadata": {"finalizers": ["example.org/a", "example.org/b"]}}
    made = await kube.apply(CONFIG_MAPS, "c", body, namespace=namespace, field_manager="backup")
    version = text_at(made, "metadata", "resourceVersion") or ""
    await kube.set_finalizers(CONFIG_MAPS, "c", namespace, ["example.org/b"], version)
    found = await kube.get(CONFIG_MAPS, "c", namespace)
    assert object_at(found, "metadata")["finalizers"] == ["example.org/b"]
    with pytest.raises(Conflict):
        await kube.set_finalizers(CONFIG_MAPS, "c", namespace, [], version)
    await kube.set_finalizers(CONFIG_MAPS, "c", namespace, [], text_at(found, "metadata", "resourceVersion") or "")
    assert "finalizers" not in object_at(await kube.get(CONFIG_MAPS, "c", namespace), "metadata")


async def test_without_the_lease_nothing_changes(kube: KubeClient, kubectl: Kubectl, namespace: str) -> None:
    kubectl("-n", namespace, "create", "-f", "-", stdin=deployment("d", 2))
    with pytest.raises(NotLeader):
        await kube.fenced(lambda: False).patch_scale(DEPLOYMENTS, "d", namespace, 9)
    assert int_at(await kube.get_scale(DEPLOYMENTS, "d", namespace), "spec", "replicas") == 2


async def test_a_target_that_is_gone_is_not_found(kube: KubeClient, namespace: str) -> None:
    with pytest.raises(NotFound):
        await kube.patch_scale(DEPLOYMENTS, "none", namespace, 1)
    with pytest.raises(NotFound):
        await kube.list(ResourceType("nobody.example", "v1", "things", "Thing"))


@pytest.mark.usefixtures("crds")
async def test_what_the_schema_refuses_is_invalid(kube: KubeClient, namespace: str) -> None:
    body = profile("p")
    body["spec"]["scaling"]["maxReplicas"] = 0
    with pytest.raises(Invalid, match="maxReplicas"):
        await kube.apply(PROFILES, "p", {"spec": body["spec"]}, namespace=namespace, field_manager="presage-test")


async def test_list_follows_pages_and_selectors(kube: KubeClient, namespace: str) -> None:
    await asyncio.gather(
        *(
            kube.apply(
                CONFIG_MAPS,
                f"c{i:02}",
                {"metadata": {"labels": {"odd": str(i % 2)}}, "data": {}},
                namespace=namespace,
                field_manager="presage-test",
            )
            for i in range(25)
        )
    )
    found, version = await kube.list(CONFIG_MAPS, namespace, "odd=1", limit=5)
    assert [text_at(item, "metadata", "name") for item in found] == [f"c{i:02}" for i in range(1, 25, 2)]
    assert {(item["apiVersion"], item["kind"]) for item in found} == {("v1", "ConfigMap")}
    assert int(version) > 0


async def test_a_secret_is_read_as_bytes(kube: KubeClient, kubectl: Kubectl, namespace: str) -> None:
    value = bytes(range(256))
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}
    kubectl("-n", namespace, "create", "-f", "-", stdin={**secret, "data": {"k": base64.b64encode(value).decode()}})
    assert await kube.secret_value(namespace, "s", "k") == value
    with pytest.raises(NotFound, match="no key 'other'"):
        await kube.secret_value(namespace, "s", "other")


@pytest.mark.usefixtures("crds")
async def test_events_are_shown_by_kubectl_and_never_doubled(
    kube: KubeClient, kubectl: Kubectl, namespace: str
) -> None:
    kubectl("-n", namespace, "create", "-f", "-", stdin=profile("p"))
    regarding = await kube.get(PROFILES, "p", namespace)
    await kube.create_event(regarding, reason="ScaledAhead", note="3 → 5 ✓ " * 500, event_time=MOMENT, type_="Warning")
    with pytest.raises(Conflict):
        await kube.create_event(
            regarding, reason="ScaledAhead", note="3 → 5 ✓ " * 500, event_time=MOMENT, type_="Warning"
        )
    described = kubectl("-n", namespace, "describe", "metricprofile", "p")
    assert "ScaledAhead" in described
    source = {"apiVersion": "presage.dev/v1alpha1", "kind": "MetricSource", "metadata": {"name": namespace}}
    await kube.create_event(source, reason="Reached", note="", event_time=MOMENT)


async def test_a_caller_without_rights_is_forbidden(
    kubectl: Kubectl, cluster: Cluster, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubectl("-n", namespace, "create", "serviceaccount", "nobody")
    token = kubectl("-n", namespace, "create", "token", "nobody").strip()
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": token}
    place = tmp_path / "kubeconfig"
    place.write_text(yaml.safe_dump(config))
    monkeypatch.setenv("KUBECONFIG", str(place))
    client = await connect()
    try:
        with pytest.raises(Forbidden, match="nobody"):
            await client.patch_scale(DEPLOYMENTS, "d", namespace, 1)
        with pytest.raises(Forbidden, match="nobody"):
            await client.get_lease(namespace, "l")
    finally:
        await client.close()


async def test_a_server_that_is_not_there_is_unavailable(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = reroute(cluster.kubeconfig, "https://127.0.0.1:1", tmp_path / "kubeconfig")
    monkeypatch.setenv("KUBECONFIG", str(place))
    with pytest.raises(Unavailable, match="cannot be reached"):
        await connect()


async def test_a_certificate_of_another_authority_is_named(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, ca = tmp_path / "key", tmp_path / "ca"
    make = f"openssl req -x509 -newkey rsa:2048 -nodes -keyout {key} -out {ca} -days 1 -subj /CN=other"
    await asyncio.to_thread(subprocess.run, make.split(), check=True, capture_output=True)
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    config["clusters"][0]["cluster"].pop("certificate-authority", None)
    config["clusters"][0]["cluster"]["certificate-authority-data"] = base64.b64encode(ca.read_bytes()).decode()
    place = tmp_path / "kubeconfig"
    place.write_text(yaml.safe_dump(config))
    monkeypatch.setenv("KUBECONFIG", str(place))
    with pytest.raises(Unavailable, match="certificate is not trusted"):
        await connect()
