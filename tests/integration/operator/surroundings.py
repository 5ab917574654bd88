"""What tests of an operator's surroundings share: a namespace and an account, and what it says of its troubles."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from kubernetes import client

from e2e.cluster import Cluster, ensure_binary
from tests.integration.operator.doors import Account
from tests.integration.operator.harness import Operator, Prometheus, create_source, eventually, running


@contextlib.contextmanager
def new_namespace(api: client.ApiClient) -> Iterator[str]:
    """Give a namespace for an operator's own Lease."""
    name = f"system-{uuid.uuid4().hex[:8]}"
    core = client.CoreV1Api(api)
    core.create_namespace({"metadata": {"name": name}})
    try:
        yield name
    finally:
        core.delete_namespace(name)


@contextlib.contextmanager
def new_operator(
    api: client.ApiClient, cluster: Cluster, folder: Path, name: str = "operator", **settings: str
) -> Iterator[Operator]:
    """Give an operator that leads, with a namespace for its Lease."""
    with new_namespace(api) as system:
        started = Operator(cluster.kubeconfig, system, folder, name, **settings)
        with running(started):
            eventually(lambda: started.leads, bool, 15, "it leads")
            yield started


@contextlib.contextmanager
def new_source(api: client.ApiClient, folder: Path, target_port: int) -> Iterator[str]:
    """Give a MetricSource whose Prometheus scrapes one target."""
    server = Prometheus(ensure_binary("prometheus"), folder, target_port)
    with running(server), create_source(api, server.url) as name:
        yield name


@contextlib.contextmanager
def new_account(api: client.ApiClient, system: str) -> Iterator[Account]:
    made = Account(api, system)
    try:
        yield made
    finally:
        made.delete()


def unready(operator: Operator, *parts: str, within: float = 20) -> None:
    """Wait until /readyz is false and says all of this, the log too, and see that the process is well."""
    eventually(
        lambda: operator.get("/readyz"),
        lambda answer: answer[0] == 503 and all(part in answer[1] for part in parts),
        within,
        f"unready because of {parts}",
    )
    eventually(
        operator.told, lambda told: bool(told) and all(part in (told[-1] or "") for part in parts), 15, "it is told"
    )
    assert operator.get("/healthz")[0] == 200
    assert operator.runs


def ready(operator: Operator, within: float = 20) -> None:
    """Wait until /readyz is true, and the log says so of every trouble it told."""
    eventually(lambda: operator.get("/readyz"), lambda answer: answer[0] == 200, within, "ready")
    eventually(operator.told, lambda told: not told or told[-1] is None, within, "it is told")
    assert operator.runs


def told_once(operator: Operator, *parts: str) -> None:
    """See that the log has exactly these troubles (each ended by None or followed by the next), and no traceback."""
    eventually(operator.told, lambda told: len(told) >= len(parts), 15, "it is told")
    lines = [line for line in operator.lines() if line["event"] in ("trouble", "trouble.over")]
    since = datetime.now(UTC) - datetime.fromisoformat(lines[-1]["timestamp"])
    time.sleep(max(0.0, 4 - since.total_seconds()))  # one more try at least, that is not told
    told = operator.told()
    assert len(told) == len(parts), told
    for line, part in zip(told, parts, strict=True):
        assert part in (line or "over"), told
    assert not [line for line in operator.lines() if "exception" in line]
