"""Who an object was made for: the marks presage puts on what it makes, how they are read back, and names of children.

An owner reference lets the API server delete a child with its owner, but it cannot point from a cluster-scoped child
to a namespaced owner. So every child carries the same two marks, and an owner reference as well where one can hold.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

UID_LABEL = "presage.dev/owner-uid"
OWNER_ANNOTATION = "presage.dev/owner"
_MAX_NAME = 63  # a Job's name becomes the value of a label on its pods
_DIGEST = 10


@dataclass(frozen=True, slots=True)
class Owner:
    """The object of one of presage's kinds that a child was made for; `namespace` is empty if it is cluster-scoped."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str


def build_marks(owner: Owner, namespace: str) -> dict[str, object]:
    """Return the metadata that marks a child as made for `owner`.

    Args:
        owner: The owner.
        namespace: The child's namespace; empty if it is cluster-scoped.
    """
    marks: dict[str, object] = {
        "labels": {UID_LABEL: owner.uid},
        "annotations": {OWNER_ANNOTATION: f"{owner.api_version}/{owner.kind}/{owner.namespace}/{owner.name}"},
    }
    if owner.namespace in ("", namespace):
        # Without blockOwnerDeletion, which would need the right to change the owner's finalizers.
        reference = {"apiVersion": owner.api_version, "kind": owner.kind, "name": owner.name, "uid": owner.uid}
        marks["ownerReferences"] = [{**reference, "controller": True}]
    return marks


def read_owner(child: Mapping[str, Any]) -> Owner | None:
    """Return whom a child was made for; None if it bears no marks, or those of an owner in another namespace."""
    meta = child.get("metadata") or {}
    uid = (meta.get("labels") or {}).get(UID_LABEL)
    parts = str((meta.get("annotations") or {}).get(OWNER_ANNOTATION, "")).split("/")
    if not uid or len(parts) != 5:
        return None
    group, version, kind, namespace, name = parts
    if meta.get("namespace") and namespace not in ("", meta["namespace"]):
        return None  # marks are only text: nobody may wake, or be shown to, an owner elsewhere
    return Owner(f"{group}/{version}", kind, namespace, name, str(uid))


def build_child_name(owner: str, inputs: Mapping[str, Any]) -> str:
    """Return a name that is the same for the same owner and inputs, and another one for others.

    Args:
        owner: Name of the owner; it is cut so that the whole fits into 63 characters.
        inputs: What the child is made from, as plain JSON values.
    """
    digest = hashlib.sha256(json.dumps([owner, inputs], sort_keys=True).encode()).hexdigest()[:_DIGEST]
    return f"{owner[: _MAX_NAME - _DIGEST - 1].rstrip('-.')}-{digest}"
