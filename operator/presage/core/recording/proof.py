"""Whether new pods are injected is proven by a pod of presage's own that is only tried, never stored.

That an API is served proves nothing: the admission plug-in behind it may be off. So a pod is created as a dry run, once
for each mechanism: the other one leaves it out by its label.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from presage.core.recording.injection import Mechanism
from presage.core.recording.marks import LABEL, MOUNT_PATH, VOLUME, config_map_name

PROOF_LABEL = "presage.dev/proof"
"""On presage's own dry runs: the mechanism that is looked at, in lower case; the other one leaves the pod alone."""

Candidate = Literal["Policy", "Webhook"]
CANDIDATES: tuple[Candidate, ...] = ("Policy", "Webhook")
_PROFILE = "presage-proof"


@dataclass(frozen=True, slots=True)
class InjectionState:
    """What is known about the injection of new pods.

    Attributes:
        mechanism: By what they are injected.
        since: Epoch second since which that holds, as far as this process knows.
        message: What was found, for people.
    """

    mechanism: Mechanism
    since: float
    message: str


def build_proof(candidate: Candidate) -> dict[str, object]:
    """Return the pod of a dry run, which fits where pod security is restricted and where quotas ask for requests."""
    small = {"cpu": "1m", "memory": "1Mi"}
    container = {
        "name": "proof",
        "image": "presage.invalid/proof",  # never fetched
        "resources": {"requests": small, "limits": small},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": "presage-proof-",
            "labels": {LABEL: _PROFILE, PROOF_LABEL: candidate.lower()},
        },
        "spec": {
            "automountServiceAccountToken": False,
            "restartPolicy": "Never",
            "containers": [container],
            "securityContext": {"runAsNonRoot": True, "runAsUser": 65534, "seccompProfile": {"type": "RuntimeDefault"}},
        },
    }


def is_injected(pod: Mapping[str, object], profile: str = _PROFILE) -> bool:
    """Tell whether a pod has the volume, and each container its mount."""
    spec = pod.get("spec")
    if not isinstance(spec, Mapping):
        return False
    volumes, containers = spec.get("volumes") or [], spec.get("containers") or []
    has_volume = any(
        each.get("name") == VOLUME and (each.get("configMap") or {}).get("name") == config_map_name(profile)
        for each in volumes
    )
    return has_volume and all(
        any(mount.get("mountPath") == MOUNT_PATH and mount.get("name") == VOLUME for mount in mounts)
        for mounts in (each.get("volumeMounts") or [] for each in containers)
    )
