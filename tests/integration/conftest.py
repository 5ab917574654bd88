"""A real API server for every test; it is started where it does not run, and left running where it did.

`PRESAGE_CLUSTER_NAME` names the control cluster to use, so that two checkouts can test at the same time. Tests that run
side by side (pytest-xdist) have a cluster for each worker: they install other CRDs and break what all would share.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Iterator

import pytest
from kubernetes import client, config

from e2e.cluster import Cluster, ensure_binary
from e2e.crds import install_crds
from presage.adapters.kube import KubeClient, connect
from tests.integration.tools import Kubectl


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The control cluster, up."""
    given, worker = os.environ.get("PRESAGE_CLUSTER_NAME", ""), os.environ.get("PYTEST_XDIST_WORKER", "")
    control = Cluster("control", f"{given or 'control'}-{worker}" if worker else given)
    started = not control.is_up()
    if started:
        control.up()
    yield control
    if started:
        control.down()


@pytest.fixture(scope="session")
def api(cluster: Cluster) -> Iterator[client.ApiClient]:
    """The administrator's client, of the kubernetes library."""
    with config.new_client_from_config(str(cluster.kubeconfig)) as connected:
        yield connected


@pytest.fixture(scope="session")
def kubectl(cluster: Cluster) -> Kubectl:
    """The administrator's kubectl."""
    return Kubectl(ensure_binary("kubectl"), cluster.kubeconfig)


@pytest.fixture
async def kube(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[KubeClient]:
    """The administrator's client, of presage, with nothing fenced."""
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig))
    connected = await connect(cluster.context, threads=4)
    yield connected
    await connected.close()


@pytest.fixture(scope="session")
def crds(api: client.ApiClient) -> None:
    """The CRDs of this checkout are in force."""
    install_crds(api)


@pytest.fixture(scope="session")
def objects(api: client.ApiClient, crds: None) -> client.CustomObjectsApi:
    """Access to our kinds."""
    return client.CustomObjectsApi(api)


@pytest.fixture
def namespace(api: client.ApiClient) -> Iterator[str]:
    """A namespace of the test's own."""
    core = client.CoreV1Api(api)
    name = f"test-{uuid.uuid4().hex[:8]}"
    core.create_namespace({"metadata": {"name": name}})
    yield name
    core.delete_namespace(name)
