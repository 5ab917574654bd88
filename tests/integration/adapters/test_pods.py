"""Pods of a real API server are annotated, and evicted only as far as a PodDisruptionBudget allows."""

from __future__ import annotations

import pytest
from kubernetes import client

from e2e.waiting import eventually
from presage.adapters.kube import KubeClient
from presage.adapters.pods import FIELD_MANAGER, KubePods
from presage.core.faults import WriteRefused

LABELS = {"app": "shop"}


@pytest.fixture
def pods(api: client.ApiClient, namespace: str) -> list[client.V1Pod]:
    """Two pods of one Deployment, ready."""
    core = client.CoreV1Api(api)
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "c", "image": "none"}]}}
    spec = {"replicas": 2, "selector": {"matchLabels": LABELS}, "template": template}
    client.AppsV1Api(api).create_namespaced_deployment(namespace, {"metadata": {"name": "shop"}, "spec": spec})

    def list_ready() -> list[client.V1Pod]:
        found = core.list_namespaced_pod(namespace).items
        return [p for p in found if any(c.type == "Ready" and c.status == "True" for c in p.status.conditions or ())]

    return eventually(list_ready, lambda found: len(found) == 2, 30, "both are ready")


async def test_only_the_annotation_is_ours(
    kube: KubeClient, api: client.ApiClient, namespace: str, pods: list[client.V1Pod]
) -> None:
    core, name = client.CoreV1Api(api), pods[0].metadata.name
    core.patch_namespaced_pod(name, namespace, {"metadata": {"annotations": {"theirs": "1"}}})
    await KubePods(kube).annotate(namespace, name, {"presage.dev/recording-generation": "7"})
    found = core.read_namespaced_pod(name, namespace)
    assert {"theirs": "1", "presage.dev/recording-generation": "7"}.items() <= found.metadata.annotations.items()
    assert found.spec == pods[0].spec
    (own,) = (each for each in found.metadata.managed_fields if each.manager == FIELD_MANAGER)
    assert own.fields_v1 == {"f:metadata": {"f:annotations": {"f:presage.dev/recording-generation": {}}}}
    await KubePods(kube).annotate(namespace, "gone", {"a": "1"})


async def test_an_eviction_keeps_to_the_budget_and_to_the_very_pod(
    kube: KubeClient, api: client.ApiClient, namespace: str, pods: list[client.V1Pod]
) -> None:
    policy, meta = client.PolicyV1Api(api), pods[0].metadata
    budget = {"metadata": {"name": "all"}, "spec": {"minAvailable": 2, "selector": {"matchLabels": LABELS}}}
    policy.create_namespaced_pod_disruption_budget(namespace, budget)

    def counted() -> int:
        return int(policy.read_namespaced_pod_disruption_budget("all", namespace).status.expected_pods or 0)

    eventually(counted, lambda count: count == 2, 30, "the budget knows its pods")
    with pytest.raises(WriteRefused) as refused:
        await KubePods(kube).evict(namespace, meta.name, meta.uid)
    assert refused.value.reason == "DisruptionBudget"
    policy.delete_namespaced_pod_disruption_budget("all", namespace)
    with pytest.raises(WriteRefused) as other:
        await KubePods(kube).evict(namespace, meta.name, "another-uid")
    assert other.value.reason == "Conflict"

    await KubePods(kube).evict(namespace, meta.name, meta.uid)

    def names() -> set[str]:
        return {p.metadata.name for p in client.CoreV1Api(api).list_namespaced_pod(namespace).items}

    eventually(names, lambda found: meta.name not in found and len(found) == 2, 30, "another one took its place")
    await KubePods(kube).evict(namespace, meta.name, meta.uid)
