"""Every object of the chart against the schemas of a real API server, the Prometheus operator's kinds included."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.cluster import ensure_binary
from tests.integration.chart.rendering import CHART, render
from tests.integration.chart.schemas import write_schemas
from tests.integration.monitoring import installed_monitoring
from tests.integration.tools import Kubectl

SETS = {"default": None} | {
    path.stem: path for path in sorted((CHART.parents[1] / "tests/chart/values").glob("*.yaml"))
}
KINDS = ("servicemonitors", "prometheusrules")

Check = Callable[[list[dict[str, Any]]], str]


@pytest.fixture(scope="module")
def foreign_crds(kubectl: Kubectl) -> Iterator[None]:
    """The CRDs of the Prometheus operator."""
    with installed_monitoring(kubectl, *KINDS):
        yield


@pytest.fixture(scope="module")
def conforms(kubectl: Kubectl, crds: None, foreign_crds: None, tmp_path_factory: pytest.TempPathFactory) -> Check:
    """Return kubeconform's complaints about objects; empty if there are none."""
    wait_for_schemas(kubectl)
    folder = tmp_path_factory.mktemp("schemas")
    location = write_schemas(lambda path: dict(json.loads(kubectl("get", "--raw", path))), folder)

    def check(objects: list[dict[str, Any]]) -> str:
        argv = [str(ensure_binary("kubeconform")), "-strict", "-summary", "-schema-location", location, "-"]
        text = yaml.safe_dump_all(objects)
        done = subprocess.run(argv, input=text, capture_output=True, text=True, timeout=60, check=False)
        assert f"Summary: {len(objects)} resource" in done.stdout, done.stdout + done.stderr
        return "" if done.returncode == 0 else done.stdout

    return check


def wait_for_schemas(kubectl: Kubectl) -> None:
    deadline = time.monotonic() + 20
    while "apis/monitoring.coreos.com/v1" not in kubectl("get", "--raw", "/openapi/v3"):
        assert time.monotonic() < deadline, "the API server publishes no schema of the new kinds"
        time.sleep(0.2)


@pytest.mark.parametrize("values", SETS.values(), ids=SETS)
def test_rendered_objects_conform(conforms: Check, values: Path | None) -> None:
    assert conforms(render(values=values)) == ""


@pytest.mark.parametrize("folder", ["crds", "docs/examples"])
def test_crds_and_examples_conform(conforms: Check, folder: str) -> None:
    files = sorted((CHART.parents[1] / folder).glob("*.yaml"))
    objects = [each for path in files for each in yaml.safe_load_all(path.read_text(encoding="utf-8")) if each]
    assert objects
    assert conforms(objects) == ""


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("Deployment", {"spec": {"replica": 2}}),
        ("ServiceMonitor", {"spec": {"endpoints": [{"prot": "http"}]}}),
        ("PodDisruptionBudget", {"spec": {"maxUnavailable": [1]}}),
        ("ValidatingAdmissionPolicy", {"spec": {"failPolicy": "Fail"}}),
        ("MutatingAdmissionPolicy", {"spec": {"reinvocation": "Never"}}),
    ],
)
def test_a_slip_is_found(conforms: Check, kind: str, change: dict[str, Any]) -> None:
    """The schemas are strict: a misspelt field or a wrong type does not pass."""
    found = next(each for each in render(values=SETS["full"]) if each["kind"] == kind)
    found["spec"] |= change["spec"]
    assert "is invalid" in conforms([found])


@pytest.mark.parametrize("values", SETS.values(), ids=SETS)
def test_the_api_server_takes_it_all(kubectl: Kubectl, foreign_crds: None, namespace: str, values: Path | None) -> None:
    """Beyond the schema: the API server's own rules, by a strict dry run."""
    objects = render(values=values)
    for each in objects:
        if "namespace" in each["metadata"]:
            each["metadata"]["namespace"] = namespace
    wanted = {"apiVersion": "v1", "kind": "List", "items": objects}
    said = kubectl("create", "--dry-run=server", "--validate=strict", "-f", "-", stdin=wanted)
    assert said.count("(server dry run)") == len(objects)
