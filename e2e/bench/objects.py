"""The bench's own objects in the control cluster, and their removal."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from kubernetes import client, config, watch

from e2e.bench.load import METRIC
from e2e.bench.processes import BenchError
from e2e.crds import install_crds
from e2e.waiting import eventually
from presage.resources.base import GROUP, VERSION

PLURAL = "metricprofiles"
NAMESPACES = 10


class Objects:
    """Namespaces, Deployments of one pod and MetricProfiles, each with a load of its own, in namespaces of our own.

    Args:
        api: An administrator's client.
        source: Name of the MetricSource.
    """

    def __init__(self, api: client.ApiClient, source: str) -> None:
        self._core, self._apps = client.CoreV1Api(api), client.AppsV1Api(api)
        self._custom = client.CustomObjectsApi(api)
        self._source = source
        self.count = 0
        self._mark = uuid.uuid4().hex[:6]
        self.system = f"bench-{self._mark}-system"

    def create_source(self, url: str) -> None:
        """Create the operator's namespace and the MetricSource."""
        self._core.create_namespace({"metadata": {"name": self.system}})
        for number in range(NAMESPACES):
            self._core.create_namespace({"metadata": {"name": self._namespace(number)}})
        body = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "MetricSource", "metadata": {"name": self._source}}
        self._custom.create_cluster_custom_object(GROUP, VERSION, "metricsources", {**body, "spec": {"url": url}})

    def grow(self, count: int) -> None:
        """Create objects until there are `count`, and wait for their pods."""
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(self._create, range(self.count, count)))
        self.count = count
        eventually(self._count_ready, lambda ready: ready >= count, 180, f"{count} pods are ready", each_s=1.0)

    def remove(self) -> None:
        """Remove all that was created; what hangs on namespaces goes with them."""
        with contextlib.suppress(client.ApiException):
            self._custom.delete_cluster_custom_object(GROUP, VERSION, "metricsources", self._source)
        for name in (self.system, *(self._namespace(number) for number in range(NAMESPACES))):
            with contextlib.suppress(client.ApiException):
                self._core.delete_namespace(name)

    def time_edits(self, edits: int) -> list[float]:
        """Edit specs one after another; return the seconds until status had seen each.

        Raises:
            BenchError: One was not seen within half a minute.
        """
        took = []
        for edit in range(edits):
            number = edit * 7 % self.count
            body = {"spec": {"scaling": {"maxReplicas": 10 + edit}}}
            began = time.monotonic()
            edited = self._custom.patch_namespaced_custom_object(
                GROUP, VERSION, self._namespace(number), PLURAL, self._name(number), body
            )
            self._wait_seen(number, edited["metadata"])
            took.append(time.monotonic() - began)
        return took

    def _wait_seen(self, number: int, edited: dict[str, Any]) -> None:
        stream = watch.Watch().stream(
            self._custom.list_namespaced_custom_object,
            GROUP, VERSION, self._namespace(number), PLURAL,
            field_selector=f"metadata.name={self._name(number)}", resource_version=edited["resourceVersion"],
            timeout_seconds=30,
        )  # fmt: skip
        for event in stream:
            if (event["object"].get("status") or {}).get("observedGeneration") == edited["generation"]:
                return
        raise BenchError(f"{self._name(number)}: status did not follow the spec within 30 s")

    def _create(self, number: int) -> None:
        name, namespace = self._name(number), self._namespace(number)
        labels = {"app": name}
        container = {"name": "c", "image": "none", "resources": {"requests": {"cpu": "1m"}}}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
        spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
        self._apps.create_namespaced_deployment(namespace, {"metadata": {"name": name}, "spec": spec})
        matchers = [{"label": "route", "op": "=", "value": f"/{number}"}]
        profile = {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": "MetricProfile",
            "metadata": {"name": name},
            "spec": {
                "target": {"name": name},
                "sourceRef": {"name": self._source},
                "eventTypes": [{"name": "job", "load": {"gauge": {"metric": METRIC, "matchers": matchers}}}],
                "scaling": {"minReplicas": 1, "maxReplicas": 9, "perPod": "60"},
            },
        }
        self._custom.create_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL, profile)

    def _count_ready(self) -> int:
        ready = 0
        for number in range(NAMESPACES):
            found = self._apps.list_namespaced_deployment(self._namespace(number), resource_version="0")
            ready += sum(deployment.status.ready_replicas or 0 for deployment in found.items)
        return ready

    def _namespace(self, number: int) -> str:
        return f"bench-{self._mark}-{number % NAMESPACES}"

    def _name(self, number: int) -> str:
        return f"job-{number}"


@contextlib.contextmanager
def objects(kubeconfig: Path, url: str) -> Iterator[Objects]:
    """Install the CRDs of this checkout and give the bench's objects; they are removed at the end of the block."""
    with config.new_client_from_config(str(kubeconfig)) as api:
        install_crds(api)
        made = Objects(api, f"bench-{uuid.uuid4().hex[:6]}")
        try:
            made.create_source(url)
            yield made
        finally:
            made.remove()
