"""The product with one kind more: its chart, generated for all kinds, is installed, and its operator runs by it.

The operator runs as the chart's ServiceAccount with the chart's generated rights and no others.
"""

from __future__ import annotations

import shutil
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client

from e2e.cluster import Cluster, ensure_binary
from e2e.crds import install_crd
from presage.runtime.generate import render_all
from tests.integration.extension.errands.kinds import KINDS
from tests.integration.operator.harness import ROOT, Operator, eventually
from tests.integration.tools import Kubectl, account_kubeconfig


class ErrandOperator(Operator):
    """The operator with the new kind."""

    module = ("tests.integration.extension.errands",)


@dataclass(frozen=True)
class Installed:
    """What the chart made."""

    namespace: str
    account: str
    cluster_role: str


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the chart with everything generated anew, as `make crds` would after the one line."""
    root = tmp_path_factory.mktemp("repository")
    shutil.copytree(ROOT / "charts", root / "charts")
    for relative, content in render_all(KINDS).items():
        path = root / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def installed(api: client.ApiClient, kubectl: Kubectl, crds: None, repository: Path) -> Iterator[Installed]:
    """CRDs and rights as the chart gives them, and the new kind's CRD."""
    definition = yaml.safe_load((repository / "crds/errands.yaml").read_text(encoding="utf-8"))
    install_crd(client.ApiextensionsV1Api(api), definition)
    namespace = f"system-{uuid.uuid4().hex[:8]}"
    kubectl("create", "namespace", namespace)
    rights = _render(repository, namespace)
    for obj in rights:
        kubectl("apply", "--namespace", namespace, "-f", "-", stdin=obj)
    names = {obj["kind"]: obj["metadata"]["name"] for obj in rights}
    yield Installed(namespace, names["ServiceAccount"], names["ClusterRole"])
    for obj in rights:
        kubectl("delete", obj["kind"], obj["metadata"]["name"], "--namespace", namespace, "--wait=false")
    kubectl("delete", "namespace", namespace, "--wait=false")
    kubectl("delete", "crd", definition["metadata"]["name"], "--wait=false")


def _render(repository: Path, namespace: str) -> list[dict[str, Any]]:
    """Return the chart's ServiceAccount, roles and bindings, roles before what binds them."""
    templates = [f"--show-only=templates/{name}.yaml" for name in ("serviceaccount", "clusterrole", "role")]
    command = [str(ensure_binary("helm")), "template", namespace, str(repository / "charts/presage")]
    done = subprocess.run([*command, "--namespace", namespace, *templates], capture_output=True, text=True, check=True)
    return [obj for obj in yaml.safe_load_all(done.stdout) if obj]


@pytest.fixture(scope="module")
def kubeconfig(cluster: Cluster, kubectl: Kubectl, installed: Installed, tmp_path_factory: Any) -> Path:
    """A kubeconfig that holds nothing but a token of the ServiceAccount."""
    place = tmp_path_factory.mktemp("kubeconfig") / "config"
    return account_kubeconfig(kubectl, cluster.kubeconfig, installed.namespace, installed.account, place)


@pytest.fixture(scope="module")
def operator(installed: Installed, kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """The operator with the new kind, leading."""
    process = ErrandOperator(kubeconfig, installed.namespace, tmp_path_factory.mktemp("operator"), "errands")
    try:
        start(process)
        yield process
    finally:
        process.stop()


def start(process: Operator) -> None:
    """Start the operator and wait until it works."""
    process.start()
    eventually(lambda: (process.get("/readyz")[0], process.leads), lambda seen: seen == (200, True), 30, "it leads")
