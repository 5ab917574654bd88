"""A review of a pod's admission in, the answer out. Whatever comes in, no answer ever keeps a pod from starting."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

from presage.core.recording.admission import Telemetry, build_patch

API_VERSION = "admission.k8s.io/v1"
MAX_BYTES = 8 * 2**20
"""Largest review that is read: the API server takes requests of 3 MiB, and a review repeats some of the object."""

_LONGEST_UID = 128


def answer_review(body: bytes, telemetry: Telemetry) -> dict[str, object] | None:
    """Return the answer to an `AdmissionReview`; None if the body is none, which has no answer of that form.

    Args:
        body: As it came over the network; nothing is trusted.
        telemetry: What functions without presage's SDK are told.
    """
    try:
        review = json.loads(body)
    except (ValueError, RecursionError):  # not JSON, not UTF-8, or nested too deep
        return None
    request = review.get("request") if isinstance(review, Mapping) else None
    uid = request.get("uid") if isinstance(request, Mapping) else None
    if not isinstance(request, Mapping) or not isinstance(uid, str) or not 0 < len(uid) <= _LONGEST_UID:
        return None
    response: dict[str, object] = {"uid": uid, "allowed": True}
    if patch := _build_patch(request, telemetry):
        response["patchType"] = "JSONPatch"
        response["patch"] = base64.b64encode(json.dumps(patch).encode()).decode()
    return {"apiVersion": API_VERSION, "kind": "AdmissionReview", "response": response}


def _build_patch(request: Mapping[str, object], telemetry: Telemetry) -> list[dict[str, object]]:
    kind, namespace = request.get("kind"), request.get("namespace")
    if not isinstance(kind, Mapping) or (kind.get("group"), kind.get("kind")) != ("", "Pod"):
        return []
    if request.get("operation") != "CREATE" or request.get("subResource") or not isinstance(namespace, str):
        return []
    return build_patch(request.get("object"), namespace, telemetry)
