"""The Kubernetes API for the rest of presage: asynchronous, raw JSON, bounded, and fenced.

Requests run in threads, see `presage.adapters.kube_calls`. Every request has time limits and nothing is retried here:
the callers know when to try again.

Invariants: a write asks the guard right before it is sent, in the thread that sends it, and is not sent if the guard
says no; objects are plain dictionaries and keep fields that presage does not know. The error tree is in
`presage.adapters.kube_error`.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Callable, Mapping, Sequence

from presage.adapters.kube_calls import READ, KubeCalls, Observer
from presage.adapters.kube_config import load_configuration
from presage.adapters.kube_error import (
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    KubeError,
    NotFound,
    NotLeader,
    Throttled,
    Unavailable,
)
from presage.adapters.kube_event import event_body
from presage.adapters.kube_json import JsonObject, objects_at, text_at
from presage.adapters.kube_path import EVENTS, PODS, SECRETS, api_path
from presage.adapters.kube_transport import Limits, Transport
from presage.core.resource_type import ResourceType

__all__ = [
    "Conflict",
    "Forbidden",
    "Gone",
    "Invalid",
    "KubeClient",
    "KubeError",
    "NotFound",
    "NotLeader",
    "Throttled",
    "Unavailable",
    "connect",
]

Guard = Callable[[], bool]
Listing = tuple[list[dict[str, object]], str]
"""Objects of a collection, and the resource version a watch goes on from."""
_WRITE = Limits(connect_s=2, read_s=10)
_APPLY = "application/apply-patch+yaml"
_MERGE = "application/merge-patch+json"
_WATCH_CONNECTIONS = 16


async def connect(
    context: str | None = None,
    *,
    threads: int = 16,
    strict_certificates: bool = True,
    observer: Observer | None = None,
) -> KubeClient:
    """Connect with the service account of the pod, else with a kubeconfig, and see that the API server answers.

    Args:
        context: name of a kubeconfig context; None for the service account or the current context.
        threads: requests under way at most; more wait for a free thread.
        strict_certificates: False drops the formal rules of RFC 5280; chain and host name are verified all the same.
        observer: told of every request; must be safe to call from threads.

    Raises:
        Unavailable: no way to a cluster is known, or the API server cannot be reached; names a certificate's fault.
    """
    configuration = await asyncio.to_thread(load_configuration, context, pool_size=threads + _WATCH_CONNECTIONS)
    try:
        transport = Transport(configuration, strict_certificates=strict_certificates)
    except OSError as error:  # also what the ssl module raises for a file that holds no certificate
        authority = configuration.ssl_ca_cert
        raise Unavailable(f"the API server's authority cannot be read: {authority}: {error.strerror}") from error
    client = KubeClient(transport, threads, observer)
    try:
        await client.server_version()
    except Forbidden:
        return client  # an answer all the same; what may be done is seen at each request
    except KubeError:
        await client.close()
        raise
    return client


def _always() -> bool:
    return True


class KubeClient(KubeCalls):
    """Reads and writes of the API server. `fenced` gives the same client with every write behind a guard."""

    def __init__(self, transport: Transport, threads: int = 16, observer: Observer | None = None) -> None:
        super().__init__(transport, threads, observer)
        self._guard: Guard = _always

    def fenced(self, guard: Guard) -> KubeClient:
        """The same client, sharing threads and connections, that writes only while `guard` says yes.

        Args:
            guard: cheap and safe to call from threads, such as `Lease.held`.
        """
        fenced = KubeClient.__new__(KubeClient)
        fenced.__dict__.update(self.__dict__)
        fenced._guard = guard
        return fenced

    async def get(self, resource: ResourceType, name: str, namespace: str | None = None) -> dict[str, object]:
        """One object.

        Raises:
            KubeError: the request did not succeed.
        """
        path = api_path(resource, name, namespace)
        return await self._read(resource, "get", path)

    async def list(
        self,
        resource: ResourceType,
        namespace: str | None = None,
        label_selector: str | None = None,
        limit: int = 500,
    ) -> Listing:
        """All objects of a collection, read page by page.

        Args:
            resource: the collection.
            namespace: one namespace, or None for all.
            label_selector: such as `app=shop`; None for all objects.
            limit: objects in one page.

        Returns:
            The objects, with `apiVersion` and `kind` filled in, and the resource version a watch goes on from.

        Raises:
            Gone: the list grew too old between two pages, twice.
            KubeError: the request did not succeed.
        """
        for attempt in (1, 2):
            try:
                return await self._list(resource, namespace, label_selector, limit)
            except Gone:
                if attempt == 2:
                    raise
        raise AssertionError("unreachable")

    async def _list(
        self, resource: ResourceType, namespace: str | None, label_selector: str | None, limit: int
    ) -> Listing:
        query = {"limit": str(limit)}
        if label_selector:
            query["labelSelector"] = label_selector
        found = []
        while True:
            page = await self._read(resource, "list", api_path(resource, namespace=namespace), query)
            for item in objects_at(page, "items"):
                found.append({"apiVersion": resource.api_version, "kind": resource.kind, **item})
            query["continue"] = text_at(page, "metadata", "continue") or ""
            if not query["continue"]:
                return found, text_at(page, "metadata", "resourceVersion") or ""

    async def apply(
        self,
        resource: ResourceType,
        name: str,
        body: JsonObject,
        *,
        namespace: str | None = None,
        field_manager: str,
        force: bool = True,
        subresource: str | None = None,
    ) -> dict[str, object]:
        """Server-side apply: create the object, or set the fields in `body` and own them.

        Fields this manager applied before and that `body` lacks are removed, unless another manager owns them too.
        `apiVersion`, `kind` and the name are filled in.

        Args:
            resource: the collection.
            name: the object.
            body: only the fields this manager owns.
            namespace: the object's namespace.
            field_manager: `presage-<component>`.
            force: take over fields that other managers own; else those are a Conflict.
            subresource: such as `status`.

        Raises:
            Conflict: another manager owns a field and `force` is off, or `body` names an old resource version.
            NotLeader: the guard said no; nothing was sent.
            KubeError: the request did not succeed.
        """
        metadata = body.get("metadata")
        whole = {
            **body,
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "metadata": {
                **(metadata if isinstance(metadata, Mapping) else {}),
                "name": name,
                **({"namespace": namespace} if namespace is not None else {}),
            },
        }
        query = {"fieldManager": field_manager, "force": "true" if force else "false"}
        path = api_path(resource, name, namespace, subresource)
        return await self._write(resource, "apply", "PATCH", path, whole, query=query, content_type=_APPLY)

    async def get_scale(self, resource: ResourceType, name: str, namespace: str) -> dict[str, object]:
        """The `scale` of a workload: `spec.replicas` wanted, `status.replicas` there, `status.selector`.

        Raises:
            KubeError: the request did not succeed.
        """
        return await self._read(resource, "get", api_path(resource, name, namespace, "scale"))

    async def patch_scale(
        self,
        resource: ResourceType,
        name: str,
        namespace: str,
        replicas: int,
        *,
        resource_version: str | None = None,
        field_manager: str = "presage-scale",
    ) -> dict[str, object]:
        """Set the replicas of a workload through its `scale`; nothing else of it is touched.

        Args:
            resource: the workload's collection.
            name: the workload.
            namespace: its namespace.
            replicas: wanted, 0 or more.
            resource_version: the workload's version the decision was made from; if it moved on, Conflict.
            field_manager: owner of `spec.replicas` from then on.

        Raises:
            Conflict: the workload changed since `resource_version`.
            NotLeader: the guard said no; nothing was sent.
            KubeError: the request did not succeed.
        """
        if replicas < 0:
            raise ValueError(f"replicas must be 0 or more, not {replicas}")
        body: dict[str, object] = {"spec": {"replicas": replicas}}
        if resource_version is not None:
            body["metadata"] = {"resourceVersion": resource_version}
        path = api_path(resource, name, namespace, "scale")
        query = {"fieldManager": field_manager}
        return await self._write(resource, "scale", "PATCH", path, body, query=query, content_type=_MERGE)

    async def set_finalizers(
        self, resource: ResourceType, name: str, namespace: str | None, finalizers: Sequence[str], resource_version: str
    ) -> None:
        """Replace an object's finalizers, whoever set them, if it is still at `resource_version`.

        Raises:
            Conflict: the object changed since `resource_version`.
            NotLeader: the guard said no; nothing was sent.
            KubeError: the request did not succeed.
        """
        body = {"metadata": {"finalizers": list(finalizers), "resourceVersion": resource_version}}
        path, query = api_path(resource, name, namespace), {"fieldManager": "presage-finalizer"}
        await self._write(resource, "patch", "PATCH", path, body, query=query, content_type=_MERGE)

    async def annotate(
        self, resource: ResourceType, name: str, namespace: str, annotations: Mapping[str, str], field_manager: str
    ) -> None:
        """Set annotations of an object; its others stay.

        Raises:
            NotFound: it is gone.
            NotLeader: the guard said no; nothing was sent.
            KubeError: the request did not succeed.
        """
        body = {"metadata": {"annotations": dict(annotations)}}
        path, query = api_path(resource, name, namespace), {"fieldManager": field_manager}
        await self._write(resource, "patch", "PATCH", path, body, query=query, content_type=_MERGE)

    async def evict(self, name: str, namespace: str, uid: str) -> None:
        """Ask for the end of the pod of that name and uid, as far as PodDisruptionBudgets allow it.

        Raises:
            NotFound: it is gone.
            Conflict: another pod has the name now.
            Throttled: a PodDisruptionBudget does not allow it now.
            NotLeader: the guard said no; nothing was sent.
            KubeError: the request did not succeed.
        """
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": name, "namespace": namespace},
            "deleteOptions": {"preconditions": {"uid": uid}},
        }
        await self._write(PODS, "evict", "POST", api_path(PODS, name, namespace, "eviction"), body)

    async def delete(self, resource: ResourceType, name: str, namespace: str | None, uid: str) -> None:
        """Delete the object of that name and uid; what hangs on it goes after it.

        Raises:
            NotFound: it is gone.
            Conflict: another object has the name now.
            NotLeader: the guard said no; nothing was sent.
            KubeError: the request did not succeed.
        """
        # Said explicitly: for Jobs the API server would leave the pods behind.
        body = {"preconditions": {"uid": uid}, "propagationPolicy": "Background"}
        await self._write(resource, "delete", "DELETE", api_path(resource, name, namespace), body)

    async def create_event(
        self,
        regarding: JsonObject,
        *,
        reason: str,
        note: str,
        event_time: str,
        type_: str = "Normal",
        instance: str = "presage-operator",
    ) -> dict[str, object]:
        """Write one event of `events.k8s.io/v1` about an object.

        The name is made from the content, so that writing the same event twice is a Conflict and not a second event.

        Args:
            regarding: the object.
            reason: PascalCase.
            note: for a person.
            event_time: RFC 3339 with microseconds, such as `2025-01-01T00:00:00.000000Z`.
            type_: `Normal` or `Warning`.
            instance: which process reports.

        Raises:
            NotLeader: the guard said no; nothing was sent.
            KubeError: the request did not succeed.
        """
        body = event_body(regarding, reason=reason, note=note, event_time=event_time, type_=type_, instance=instance)
        namespace = text_at(body, "metadata", "namespace")
        return await self._write(EVENTS, "create", "POST", api_path(EVENTS, namespace=namespace), body)

    async def secret_value(self, namespace: str, name: str, key: str) -> bytes:
        """The decoded value of one key of a Secret; never kept here.

        Raises:
            NotFound: no such Secret, or it lacks the key.
            Invalid: the value is not valid base64.
            KubeError: the request did not succeed.
        """
        secret = await self.get(SECRETS, name, namespace)
        encoded = text_at(secret, "data", key)
        if encoded is None:
            raise NotFound(f"Secret {namespace}/{name} has no key {key!r}", status=404)
        try:
            return base64.b64decode(encoded, validate=True)
        except binascii.Error as error:
            raise Invalid(f"key {key!r} of Secret {namespace}/{name} is not valid base64") from error

    async def _read(
        self, resource: ResourceType, verb: str, path: str, query: Mapping[str, str] | None = None
    ) -> dict[str, object]:
        def send() -> dict[str, object]:
            return self.transport.request("GET", path, READ, query=query)

        return await self._run(self._threads, verb, resource.plural, send)

    async def _write(
        self,
        resource: ResourceType,
        verb: str,
        method: str,
        path: str,
        body: JsonObject,
        *,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> dict[str, object]:
        def send() -> dict[str, object]:
            if not self._guard():
                raise NotLeader(f"{verb} {path} was not sent: this process does not hold the Lease")
            return self.transport.request(method, path, _WRITE, query=query, body=body, content_type=content_type)

        return await self._run(self._threads, verb, resource.plural, send)
