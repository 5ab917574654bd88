"""Objects that presage makes for an owner, as the port `Children`.

Invariant: nothing is written to, or deleted from, an object that does not bear the owner's mark.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from presage.adapters.kube import KubeClient, KubeError, NotFound
from presage.adapters.kube_json import JsonObject, object_at, text_at
from presage.adapters.refusal import build_refusal
from presage.core.faults import WriteRefused
from presage.core.ownership import UID_LABEL, Owner, build_marks, read_owner
from presage.core.resource_type import ResourceType


class KubeChildren:
    """Answers the port `Children`.

    Args:
        client: A fenced client: it writes only while the Lease is held.
    """

    def __init__(self, client: KubeClient) -> None:
        self._client = client

    async def apply(self, owner: Owner, resource: ResourceType, name: str, body: Mapping[str, Any]) -> None:
        """Create a child, or set the fields in `body`, by server-side apply.

        Raises:
            WriteRefused: If the API server does not take it, or the name belongs to somebody else.
        """
        place = owner.namespace if resource.namespaced else ""
        with _explained("apply", resource, name):
            await self._find(owner, resource, name, place)
            metadata = _merge(object_at(body, "metadata"), build_marks(owner, place))
            manager = f"presage-{owner.kind.lower()}"
            whole = {**body, "metadata": metadata}
            await self._client.apply(resource, name, whole, namespace=place or None, field_manager=manager)

    async def delete(self, owner: Owner, resource: ResourceType, name: str) -> None:
        """Delete a child and what hangs on it; one that is gone is no error.

        Raises:
            WriteRefused: If the API server does not take it, or the object belongs to somebody else.
        """
        place = owner.namespace if resource.namespaced else ""
        with _explained("delete", resource, name), contextlib.suppress(NotFound):
            uid = await self._find(owner, resource, name, place)
            if uid is not None:
                await self._client.delete(resource, name, place or None, uid)

    async def delete_all(self, owner: Owner, resource: ResourceType) -> None:
        """Delete every child of a type, those included that a watch does not show yet.

        Raises:
            WriteRefused: If the API server does not take it.
        """
        place = owner.namespace if resource.namespaced else ""
        selector = f"{UID_LABEL}={owner.uid}"
        with _explained("list", resource, f"with label {selector}"):
            found, _ = await self._client.list(resource, place or None, label_selector=selector)
        for child in found:
            await self.delete(owner, resource, text_at(child, "metadata", "name") or "")

    async def _find(self, owner: Owner, resource: ResourceType, name: str, place: str) -> str | None:
        """Return the uid of the owner's child of that name, or None if the name is free."""
        try:
            found = await self._client.get(resource, name, place or None)
        except NotFound:
            return None
        made_for = read_owner(found)
        if made_for is None or made_for.uid != owner.uid:
            message = (
                f"{resource.kind} {name} exists and was not made for {owner.kind} {owner.name}: remove or rename it."
            )
            raise WriteRefused("NameTaken", message)
        return text_at(found, "metadata", "uid")


def _merge(given: JsonObject, marks: Mapping[str, object]) -> dict[str, object]:
    """Return metadata with the marks added; labels and annotations given besides are kept."""
    both = {part: {**object_at(given, part), **object_at(marks, part)} for part in ("labels", "annotations")}
    return {**given, **marks, **both}


@contextlib.contextmanager
def _explained(verb: str, resource: ResourceType, name: str) -> Iterator[None]:
    what = f"{resource.kind} {name}"
    try:
        yield
    except KubeError as error:
        raise build_refusal(error, f"{verb} {what}", what) from error
