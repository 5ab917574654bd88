"""The end of an object: held by a finalizer where something must be undone, undone, and let go.

kopf's own `on.delete` is not used: it would set its finalizer beside our work, not before it, and past the Lease, and
it annotates every object. Here the finalizer is in place before the first thing that needs undoing, and undoing is a
reconcile like any other: one worker a key, tried again with back-off, by the holder of the Lease only.
"""

from __future__ import annotations

import asyncio
import contextlib

from presage.adapters.kube import Conflict, KubeClient, KubeError, NotFound
from presage.adapters.kube_json import list_at, text_at
from presage.core.faults import Fault
from presage.core.outcome import Retry
from presage.core.ownership import Owner
from presage.core.resource_type import ResourceType
from presage.reconcile.kind import AnyKind, ObjectKey
from presage.reconcile.ports import Json, Ports

FINALIZER = "presage.dev/finalizer"

_UNDO_S = 20.0
_VERSION = ("metadata", "resourceVersion")
_RETRY_S, _MAX_RETRY_S = 5.0, 60.0  # a person waits for the object to go


def is_held(body: Json) -> bool:
    """Return whether the object bears presage's finalizer."""
    return FINALIZER in list_at(body, "metadata", "finalizers")


class Deletion:
    """Sets the finalizer, undoes, and takes the finalizer off.

    Args:
        client: Fenced client.
    """

    def __init__(self, client: KubeClient) -> None:
        self._client = client

    async def hold(self, definition: AnyKind, key: ObjectKey, body: Json) -> Retry | None:
        """See that the object bears the finalizer; return what stands in the way, if anything does."""
        if is_held(body):
            return None
        try:
            return await self._write(definition, key, body, held=True)
        except NotFound:  # nobody would undo what is made for it now
            return Retry("FinalizerRefused", f"{key.kind} {key.name} is gone.", _RETRY_S, _MAX_RETRY_S)

    async def let_go(self, definition: AnyKind, key: ObjectKey, body: Json, ports: Ports) -> Retry | None:
        """Undo what was done for an object that is being deleted; return what stands in the way, if anything does."""
        if not is_held(body):
            return None
        meta = body["metadata"]
        owner = Owner(definition.resource.api_version, key.kind, key.namespace, key.name, str(meta.get("uid", "")))
        try:
            if definition.undo is not None:
                async with asyncio.timeout(_UNDO_S):
                    await definition.undo(owner, ports)
        except Fault as fault:
            return Retry(fault.reason, fault.message, _RETRY_S, _MAX_RETRY_S)
        except TimeoutError:
            message = f"What was made for {key.kind} {key.name} is not undone within {_UNDO_S:.0f} s; tried again."
            return Retry("UndoTimedOut", message, _RETRY_S, _MAX_RETRY_S)
        with contextlib.suppress(NotFound):
            return await self._write(definition, key, body, held=False)
        return None

    async def _write(self, definition: AnyKind, key: ObjectKey, body: Json, *, held: bool) -> Retry | None:
        """Set or take off the finalizer on what is there now, and leave those of others alone."""
        try:
            await self._compare_and_set(definition.resource, key, body["metadata"].get("uid"), held=held)
        except NotFound:
            raise
        except KubeError as error:
            message = f"The finalizer of {key.kind} {key.name} cannot be written; tried again: {error}"
            return Retry("FinalizerRefused", message, _RETRY_S, _MAX_RETRY_S)
        return None

    async def _compare_and_set(self, resource: ResourceType, key: ObjectKey, uid: object, *, held: bool) -> None:
        for last in (False, False, True):
            found = await self._client.get(resource, key.name, key.namespace or None)
            if text_at(found, "metadata", "uid") != uid:
                raise NotFound(f"another {resource.kind} has the name {key.name} by now")
            if is_held(found) == held:
                return
            others = [str(each) for each in list_at(found, "metadata", "finalizers") if each != FINALIZER]
            wanted, version = [*others, FINALIZER] if held else others, text_at(found, *_VERSION) or ""
            try:
                await self._client.set_finalizers(resource, key.name, key.namespace or None, wanted, version)
            except Conflict:  # somebody wrote the object in between, such as its status
                if last:
                    raise
            else:
                return
