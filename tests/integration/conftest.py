"""A real control plane for every test here: API server, etcd, controllers, scheduler, pods played by kwok.

It is built and started if it is down; one that was up before is left up. Each test has a namespace of its own.
"""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from e2e.cluster import Cluster, ensure_binary
from presage.adapters.kube import KubeClient, connect
from tests.integration.tools import Kubectl

CRDS = Path(__file__).parents[2] / "crds"


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The control cluster, up."""
    control = Cluster("control")
    was_up = control.is_up()
    if not was_up:
        control.up()
    yield control
    if not was_up:
        control.down()


@pytest.fixture(scope="session")
def kubectl(cluster: Cluster) -> Kubectl:
    """The administrator's kubectl."""
    return Kubectl(ensure_binary("kubectl"), cluster.kubeconfig)


@pytest.fixture(scope="session")
def crds(kubectl: Kubectl) -> None:
    """This checkout's CRDs, in force."""
    kubectl("apply", "--server-side", "--force-conflicts", "-f", str(CRDS))
    kubectl("wait", "--for=condition=Established", "--timeout=30s", "-f", str(CRDS))


@pytest.fixture
def namespace(kubectl: Kubectl) -> Iterator[str]:
    """A namespace of the test's own, removed in the background afterwards."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    kubectl("create", "namespace", name)
    yield name
    subprocess.run([*kubectl.command, "delete", "namespace", name, "--wait=false"], check=False, capture_output=True)


@pytest.fixture
async def kube(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[KubeClient]:
    """A client of the administrator's, with nothing fenced."""
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig))
    client = await connect(f"presage-{cluster.shape}", threads=4)
    yield client
    await client.close()
