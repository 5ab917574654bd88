"""Lists of presage's own kinds: they bring the store in line with the API server, whatever events were lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from presage.adapters.kube import KubeClient, KubeError, NotFound
from presage.reconcile.kind import AnyKind
from presage.runtime.intake import Intake, key_of
from presage.runtime.store import ObjectStore


class OwnObjects:
    """Lists when asked.

    Args:
        client: For reading.
        kinds: All kinds.
        store: What is known of their objects.
        intake: Takes what a list tells, and knows which events came meanwhile.
    """

    def __init__(self, client: KubeClient, kinds: Iterable[AnyKind], store: ObjectStore, intake: Intake) -> None:
        self._client = client
        self._kinds = tuple(kinds)
        self._store = store
        self._intake = intake
        self._listing = asyncio.Lock()  # each list must hear of every event since it was begun

    async def relist(self) -> str | None:
        """List every kind; return what stands in the way, or None.

        A kind whose CRD is not there has no objects: what was known of them is forgotten.
        """
        absent: list[str] = []
        async with self._listing:
            for kind in self._kinds:
                name = f"{kind.resource.plural}.{kind.resource.group}"
                try:
                    if not await self._relist(kind):
                        absent.append(name)
                except KubeError as error:
                    return f"{name} cannot be listed: {error}"
        if absent:
            return f"CRD not installed: {', '.join(absent)}. Remedy: kubectl apply -f crds/ of this version of presage"
        return None

    async def _relist(self, kind: AnyKind) -> bool:
        """Take in a list, but for what newer events told; return whether the API server knows the kind."""
        self._intake.touched.clear()
        before = {key for key in self._store.all_keys() if key.kind == kind.name}
        try:
            bodies, _ = await self._client.list(kind.resource)
        except NotFound:
            bodies = None
        listed = {key_of(kind, body): body for body in bodies or ()}
        newer = set(self._intake.touched)
        for key in listed.keys() - newer:
            self._intake.observe(kind, None, listed[key])
        for key in before - listed.keys() - newer:
            gone = self._store.get(key.kind, key.namespace, key.name)
            if gone is not None:
                self._intake.observe(kind, "DELETED", gone)
        return bodies is not None
