"""The body of an `events.k8s.io/v1` event: limits of the API kept, name made from the content.

Source: Kubernetes API reference, `events.k8s.io/v1 Event`, and its validation (reason, action and reportingInstance
at most 128 characters, note at most 1,024; the API server counts bytes of UTF-8, whatever its messages say).
"""

from __future__ import annotations

import hashlib

from presage.adapters.kube_json import JsonObject, text_at
from presage.adapters.kube_path import EVENTS

_MAX_WORD = 128
_MAX_NOTE = 1024
_MAX_NAME = 253
_CLUSTER_SCOPED_NAMESPACE = "default"
_ACTION = "Reconcile"
_CONTROLLER = "presage.dev/operator"


def event_body(
    regarding: JsonObject,
    *,
    reason: str,
    note: str,
    event_time: str,
    type_: str,
    instance: str,
) -> dict[str, object]:
    """Build the event about `regarding`; events about cluster-scoped objects live in the namespace `default`.

    Args:
        regarding: the object; its `apiVersion`, `kind`, and `metadata` are read.
        reason: cut at 128 bytes.
        note: cut at 1,024 bytes.
        event_time: RFC 3339 with microseconds.
        type_: `Normal` or `Warning`.
        instance: value of `reportingInstance`, cut at 128 bytes.
    """
    name = text_at(regarding, "metadata", "name") or ""
    namespace = text_at(regarding, "metadata", "namespace")
    uid = text_at(regarding, "metadata", "uid") or ""
    parts = (uid, name, namespace or "", reason, note, event_time, instance)
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
    reference = {
        "apiVersion": text_at(regarding, "apiVersion"),
        "kind": text_at(regarding, "kind"),
        "name": name,
        "namespace": namespace,
        "uid": uid,
        "resourceVersion": text_at(regarding, "metadata", "resourceVersion"),
    }
    return {
        "apiVersion": EVENTS.api_version,
        "kind": EVENTS.kind,
        "metadata": {
            "name": f"{name[: _MAX_NAME - 17]}.{digest}",
            "namespace": namespace or _CLUSTER_SCOPED_NAMESPACE,
        },
        "eventTime": event_time,
        "type": type_,
        "reason": _cut(reason, _MAX_WORD),
        "action": _ACTION,
        "note": _cut(note, _MAX_NOTE),
        "regarding": {key: value for key, value in reference.items() if value},
        "reportingController": _CONTROLLER,
        "reportingInstance": _cut(instance, _MAX_WORD),
    }


def _cut(text: str, longest: int) -> str:
    """Cut to a number of bytes, between characters."""
    encoded = text.encode()
    if len(encoded) <= longest:
        return text
    return encoded[: longest - len("…".encode())].decode(errors="ignore") + "…"
