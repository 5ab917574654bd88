"""Several control clusters on one machine: each its own, also when they start at the same moment."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes import client, config

from e2e.cluster import Cluster

ROOT = Path(__file__).parents[3]


def tool(*words: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "e2e.cluster", *words]
    return subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def run(*words: str) -> tuple[int, str]:
    process = tool(*words)
    output, _ = process.communicate(timeout=180)
    return process.returncode, output


@pytest.fixture
def two() -> Iterator[tuple[Cluster, Cluster]]:
    """Two more clusters beside the one of all tests, started at the same moment."""
    mark = uuid.uuid4().hex[:4]
    pair = (Cluster("control", f"a-{mark}"), Cluster("control", f"b-{mark}"))
    try:
        starts = [tool("up", "--name", each.name) for each in pair]
        outputs = [start.communicate(timeout=180)[0] for start in starts]
        assert [start.returncode for start in starts] == [0, 0], outputs
        yield pair
    finally:
        for each in pair:
            each.down()
            assert not each.state.exists()


def namespaces(cluster: Cluster) -> set[str]:
    with config.new_client_from_config(str(cluster.kubeconfig), context=cluster.context) as connected:
        return {each.metadata.name for each in client.CoreV1Api(connected).list_namespace().items}


def test_clusters_beside_each_other(cluster: Cluster, two: tuple[Cluster, Cluster]) -> None:
    one, other = two
    everyone = (cluster, one, other)
    assert len({each.server for each in everyone}) == 3
    assert all(each.is_up() for each in everyone)
    for each in two:
        with config.new_client_from_config(str(each.kubeconfig), context=each.context) as connected:
            client.CoreV1Api(connected).create_namespace({"metadata": {"name": f"only-{each.name}"}})
    assert [each.name in "".join(namespaces(each)) for each in two] == [True, True]
    assert f"only-{one.name}" not in namespaces(other) | namespaces(cluster)

    code, shown = run("status", "--all")
    assert code == 0
    assert all(each.server in line for each in everyone for line in shown.splitlines() if line.split()[0] == each.name)

    assert run("down", "--name", one.name)[0] == 0
    assert not one.state.exists()
    assert not one.is_up()
    assert all(each.is_up() for each in (cluster, other))
    assert run("status", "--name", one.name)[0] == 1
    assert run("status", "--name", other.name)[0] == 0
