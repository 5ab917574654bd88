"""Every pod is given the reference by the policy, whether presage is there or not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes import client

from e2e.cluster import Cluster
from e2e.waiting import eventually
from tests.integration.chart.injecting import Injector, count_injected, new_namespace, released
from tests.integration.operator.harness import running
from tests.integration.tools import Kubectl


@pytest.fixture
def system(api: client.ApiClient, crds: None) -> Iterator[str]:
    with new_namespace(api) as name:
        yield name


def test_pods_start_whether_presage_is_there_or_not(
    api: client.ApiClient, cluster: Cluster, kubectl: Kubectl, system: str, namespace: str, tmp_path: Path
) -> None:
    with released(cluster, system):
        operator = Injector(cluster, kubectl, system, tmp_path)
        with running(operator):
            eventually(lambda: operator.in_force, lambda value: value == "1.0", 30, "it is proven")
            assert operator.mechanisms[-1] == "Policy"
            configuration = kubectl.read("mutatingwebhookconfiguration", "presage-injection")
            assert "webhooks" not in configuration, "nobody needs the webhook"
            up = count_injected(api, namespace, "up", 100)
            operator.kill()
            killed = count_injected(api, namespace, "killed", 100)
        print(f"\npods with the reference at launch, by the policy: operator up {up}/100, killed {killed}/100")
        assert (up, killed) == (100, 100)
