"""Injection in a real API server: the policy, presage's webhook, and that both do the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config

from e2e.cluster import Cluster
from e2e.waiting import eventually
from presage.core.recording import marks
from presage.core.recording.proof import PROOF_LABEL, build_proof, is_injected
from tests.integration.chart.injecting import Injector, create, new_namespace, pod, released
from tests.integration.operator.harness import running
from tests.integration.tools import Kubectl, account_kubeconfig
from tests.unit.core.recording.pods import CASES, Case


@pytest.fixture(scope="module")
def system(api: client.ApiClient, crds: None) -> Iterator[str]:
    """A namespace of the operator's own, where only restricted pods may run."""
    with new_namespace(api, **{"pod-security.kubernetes.io/enforce": "restricted"}) as name:
        yield name


@pytest.fixture(scope="module")
def both(
    api: client.ApiClient, cluster: Cluster, kubectl: Kubectl, system: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Policy and webhook are in force; give a namespace for pods."""
    with new_namespace(api) as name, released(cluster, system):
        operator = Injector(
            cluster, kubectl, system, tmp_path_factory.mktemp("both"), PRESAGE_INJECTION_WEBHOOK="Always"
        )
        with running(operator):
            for mechanism in ("policy", "webhook"):
                eventually(lambda m=mechanism: _is_tried(api, name, m), bool, 30, f"{mechanism} is in force")
            yield name


def _is_tried(api: client.ApiClient, namespace: str, mechanism: str) -> bool:
    return is_injected(create(api, namespace, pod("try", **{PROOF_LABEL: mechanism}), dry=True)[0], "shop")


def inject(api: client.ApiClient, namespace: str, case: Case, mechanism: str) -> dict[str, Any]:
    """Return the spec of a case's pod after one mechanism alone."""
    made, _ = create(api, namespace, case.build("case", **{PROOF_LABEL: mechanism}), dry=True)
    return dict(made["spec"])


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_policy_and_webhook_do_the_same(api: client.ApiClient, both: str, case: Case) -> None:
    by_policy, by_webhook = (inject(api, both, case, mechanism) for mechanism in ("policy", "webhook"))
    assert by_policy == by_webhook
    volumes = [each["name"] for each in by_policy.get("volumes", [])]
    adds_volume = bool(case.want) if case.adds_volume is None else case.adds_volume
    assert volumes == [*(each["name"] for each in case.volumes or ()), *([marks.VOLUME] if adds_volume else [])]
    for before, after in zip(case.containers, by_policy["containers"], strict=True):
        own = before.get("env", [])
        added = after.get("env", [])[len(own) :]
        assert [each["name"] for each in after.get("env", [])[: len(own)]] == [each["name"] for each in own]
        assert tuple(each["name"] for each in added) == case.want.get(before["name"], ())
        paths = [each["mountPath"] for each in after.get("volumeMounts", [])]
        mounts = case.adds_mount and before["name"] in case.want
        assert paths == [
            *(each["mountPath"] for each in before.get("volumeMounts", ())),
            *([marks.MOUNT_PATH] if mounts else []),
        ]
        assert after.get("securityContext") == before.get("securityContext")
        assert (after["image"], after.get("command")) == (before["image"], before.get("command"))
    assert [each.get("env") for each in by_policy.get("initContainers", ())] == [None] * len(
        case.spec.get("initContainers", ())
    )


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_second_time_changes_nothing(api: client.ApiClient, both: str, case: Case) -> None:
    """The pod as it came out goes in again, through the other mechanism."""
    for first, second in (("policy", "webhook"), ("webhook", "policy")):
        once = inject(api, both, case, first)
        body = case.build("case", **{PROOF_LABEL: second})
        again, _ = create(api, both, {**body, "spec": once}, dry=True)
        assert again["spec"] == once


def test_pods_are_given_it_where_pod_security_is_restricted(api: client.ApiClient, both: str, system: str) -> None:
    restricted = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    body = pod("tight")
    body["spec"]["containers"][0]["securityContext"] = restricted
    for mechanism in ("policy", "webhook"):
        body["metadata"]["labels"][PROOF_LABEL] = mechanism
        assert is_injected(create(api, system, body, dry=True)[0], "shop")


def test_presages_account_can_only_try_pods(
    api: client.ApiClient, both: str, cluster: Cluster, kubectl: Kubectl, system: str, tmp_path: Path
) -> None:
    place = account_kubeconfig(kubectl, cluster.kubeconfig, system, "presage", tmp_path / "kubeconfig")
    with config.new_client_from_config(str(place)) as own:
        core = client.CoreV1Api(own)
        with pytest.raises(client.ApiException, match="dry runs only"):
            core.create_namespaced_pod(system, build_proof("Policy"))
        with pytest.raises(client.ApiException, match="cannot create resource"):
            core.create_namespaced_pod(both, pod("tried"), dry_run="All")
        hooks = client.AdmissionregistrationV1Api(own)
        with pytest.raises(client.ApiException, match="cannot create resource"):
            hooks.create_mutating_webhook_configuration({"metadata": {"name": "another"}}, dry_run="All")
