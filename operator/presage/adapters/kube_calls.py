"""Requests in threads: one bounded pool for all, and one thread for the Lease alone.

The client library blocks, so nothing of it runs on the event loop. The Lease has its own thread, so that a pool full
of slow requests never costs the leadership.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from presage.adapters.kube_error import KubeError
from presage.adapters.kube_json import JsonObject, object_at, text_at
from presage.adapters.kube_path import ACCESS_REVIEWS, LEASES, api_path
from presage.adapters.kube_transport import Limits, Transport
from presage.core.installation.facts import Right
from presage.core.resource_type import ResourceType

Observer = Callable[[str, str, str, float], None]
"""Called after each request, in its thread: verb, plural, outcome (`ok` or the error's class), seconds."""

READ = Limits(connect_s=3, read_s=30)
_LEASE = Limits(connect_s=1, read_s=3)  # two tries must fit into a Lease of 10 s


class KubeCalls:
    """Runs blocking requests; knows the version and the Lease."""

    def __init__(self, transport: Transport, threads: int = 16, observer: Observer | None = None) -> None:
        self.transport = transport
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="kube")
        self._lease_thread = ThreadPoolExecutor(1, thread_name_prefix="kube-lease")
        self._observer = observer

    async def close(self) -> None:
        """Drop requests that have not started, close idle connections; requests under way end by their limits."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._lease_thread.shutdown(wait=False, cancel_futures=True)
        self.transport.close()

    async def server_version(self) -> str:
        """The API server's version, such as `v1.36.3`.

        Raises:
            KubeError: the request did not succeed.
        """
        answer = await self._run(
            self._threads, "get", "version", lambda: self.transport.request("GET", "/version", READ)
        )
        return text_at(answer, "gitVersion") or ""

    async def may(self, right: Right) -> bool:
        """Whether this process has a right; everyone may ask that.

        Raises:
            KubeError: the request did not succeed.
        """
        body = {
            "apiVersion": ACCESS_REVIEWS.api_version,
            "kind": ACCESS_REVIEWS.kind,
            "spec": {"resourceAttributes": right.to_review()},
        }
        path = api_path(ACCESS_REVIEWS)
        answer = await self._run(
            self._threads,
            "create",
            ACCESS_REVIEWS.plural,
            lambda: self.transport.request("POST", path, READ, body=body),
        )
        return bool(object_at(answer, "status").get("allowed"))

    async def try_create(self, resource: ResourceType, body: JsonObject, namespace: str) -> dict[str, object]:
        """Create an object as a dry run and return what would have been stored; nothing is written, so nothing guarded.

        Raises:
            KubeError: the request did not succeed.
        """
        path, query = api_path(resource, namespace=namespace), {"dryRun": "All"}
        return await self._run(
            self._threads,
            "try",
            resource.plural,
            lambda: self.transport.request("POST", path, READ, query=query, body=body),
        )

    async def get_lease(self, namespace: str, name: str) -> dict[str, object]:
        """The Lease object, read in the Lease's own thread.

        Raises:
            KubeError: the request did not succeed.
        """
        path = api_path(LEASES, name, namespace)
        return await self._run(
            self._lease_thread, "get", LEASES.plural, lambda: self.transport.request("GET", path, _LEASE)
        )

    async def create_lease(self, namespace: str, name: str, spec: JsonObject) -> dict[str, object]:
        """Create the Lease. Not guarded: it is what the guard stands on.

        Raises:
            Conflict: somebody else was first.
            KubeError: the request did not succeed.
        """
        body = _lease(name, namespace, spec)
        path = api_path(LEASES, namespace=namespace)
        return await self._run(
            self._lease_thread, "create", LEASES.plural, lambda: self.transport.request("POST", path, _LEASE, body=body)
        )

    async def replace_lease(
        self, namespace: str, name: str, spec: JsonObject, resource_version: str
    ) -> dict[str, object]:
        """Replace the Lease's spec if it is still at `resource_version`. Not guarded.

        Raises:
            Conflict: somebody else was first.
            KubeError: the request did not succeed.
        """
        body = _lease(name, namespace, spec, resource_version)
        path = api_path(LEASES, name, namespace)
        return await self._run(
            self._lease_thread, "update", LEASES.plural, lambda: self.transport.request("PUT", path, _LEASE, body=body)
        )

    async def _run(
        self, threads: ThreadPoolExecutor, verb: str, plural: str, send: Callable[[], dict[str, object]]
    ) -> dict[str, object]:
        """Run one request in a thread and tell the observer how it went."""

        def observed() -> dict[str, object]:
            started = time.monotonic()
            outcome = "ok"
            try:
                return send()
            except KubeError as error:
                outcome = type(error).__name__
                raise
            finally:
                if self._observer is not None:
                    self._observer(verb, plural, outcome, time.monotonic() - started)

        return await asyncio.get_running_loop().run_in_executor(threads, observed)


def _lease(name: str, namespace: str, spec: JsonObject, resource_version: str | None = None) -> dict[str, object]:
    metadata = {"name": name, "namespace": namespace}
    if resource_version is not None:
        metadata["resourceVersion"] = resource_version
    return {"apiVersion": LEASES.api_version, "kind": LEASES.kind, "metadata": metadata, "spec": dict(spec)}
