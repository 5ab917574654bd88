"""A real API server for every test; it is started where it does not run, and left running where it did.

`PRESAGE_CLUSTER_NAME` names the control cluster to use, so that two checkouts can test at the same time.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client, config

from e2e.cluster import Cluster, ensure_binary
from presage.adapters.kube import KubeClient, connect
from tests.integration.tools import Kubectl

CRDS = Path(__file__).parents[2] / "crds"


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The control cluster, up."""
    control = Cluster("control", os.environ.get("PRESAGE_CLUSTER_NAME", ""))
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


def install_crds(api: client.ApiClient) -> None:
    """Create or update the CRDs of this checkout, and wait until they are served."""
    definitions = client.ApiextensionsV1Api(api)
    for path in sorted(CRDS.glob("*.yaml")):
        install_crd(definitions, yaml.safe_load(path.read_text(encoding="utf-8")))


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


def install_crd(definitions: client.ApiextensionsV1Api, wanted: dict[str, Any]) -> None:
    """Create the CRD, or bring it in line, and wait until it is served."""
    name = wanted["metadata"]["name"]
    try:
        definitions.create_custom_resource_definition(wanted)
    except client.ApiException as refused:
        if refused.status != 409:
            raise
        definitions.patch_custom_resource_definition(
            name, [{"op": "replace", "path": "/spec", "value": wanted["spec"]}]
        )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = definitions.read_custom_resource_definition(name)
        if any(each.type == "Established" and each.status == "True" for each in found.status.conditions or ()):
            return
        time.sleep(0.1)
    pytest.fail(f"CRD {name} is not established after 30 s")
