"""A real API server for every test; it is started where it does not run, and left running where it did."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client, config

from e2e.cluster import Cluster

CRDS = Path(__file__).parents[2] / "crds"


@pytest.fixture(scope="session")
def api() -> Iterator[client.ApiClient]:
    """A client of the control cluster."""
    cluster = Cluster("control")
    started = not cluster.is_up()
    if started:
        cluster.up()
    with config.new_client_from_config(str(cluster.kubeconfig)) as connected:
        yield connected
    if started:
        cluster.down()


@pytest.fixture(scope="session")
def crds(api: client.ApiClient) -> None:
    """The CRDs of this checkout are in force."""
    definitions = client.ApiextensionsV1Api(api)
    for path in sorted(CRDS.glob("*.yaml")):
        _install(definitions, yaml.safe_load(path.read_text(encoding="utf-8")))


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


def _install(definitions: client.ApiextensionsV1Api, wanted: dict[str, Any]) -> None:
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
