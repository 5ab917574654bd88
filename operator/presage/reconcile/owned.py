"""Children of an object: watched, found by their owner, and mapped back to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from presage.core.ownership import UID_LABEL, read_owner
from presage.core.resource_type import ResourceType
from presage.reconcile.kind import ObjectKey, WatchedType
from presage.reconcile.ports import Json, Objects, Owner, Watched
from presage.resources.base import Resource


def owner_of(model: Resource) -> Owner:
    """Return an object as the owner of what is made for it."""
    meta = model.metadata
    return Owner(model.meta.resource.api_version, model.meta.kind, meta.namespace or "", meta.name, meta.uid)


def watch_children(kind: str, resource: ResourceType, keep: Callable[[Json], Json]) -> WatchedType:
    """Return the watch of one type of children; a change of one makes its owner due.

    Only objects with an owner's mark are read: one that loses it is gone, as far as its owner can see.

    Args:
        kind: The owners' kind.
        resource: The children's type.
        keep: Returns the fields used, from the whole object.
    """

    def trim(obj: Json) -> Json:
        owner, meta = read_owner(obj), obj["metadata"]
        if owner is None or owner.kind != kind:
            return {}  # somebody else's: nothing of it is held
        return {"name": meta["name"], "leaving": "deletionTimestamp" in meta, "owner": owner, **keep(obj)}

    def find_keys(child: Json, _: Objects) -> Iterable[ObjectKey]:
        owner = child.get("owner")
        return (ObjectKey(kind, owner.namespace, owner.name),) if owner else ()

    def index(child: Json) -> Iterable[str]:
        return (_place(child["owner"]),) if child else ()

    return WatchedType(resource, trim, find_keys, index, label_selector=UID_LABEL)


def find_children(watched: Watched, owner: Owner, resource: ResourceType) -> Sequence[Json]:
    """Return the owner's children of a type, trimmed, by name; those on their way out are left out."""
    return sorted(
        (c for c in watched.find(resource, _place(owner)) if not c["leaving"]), key=lambda child: child["name"]
    )


def _place(owner: Owner) -> str:
    """Return what an owner is found by: the uid alone would let marks in one namespace show up in another."""
    return f"{owner.namespace}/{owner.name}/{owner.uid}"
