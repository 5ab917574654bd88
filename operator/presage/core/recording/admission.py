"""What a new pod is given at admission, as presage's own webhook does it where the static policy is not in force.

The chart's MutatingAdmissionPolicy says the same in CEL; one table of cases runs through both in a real API server.
Invariants: what the user set is never replaced; a pod that was given everything is given nothing more; image, command,
security context and init containers are never touched. Init containers are left alone because they end before a
function serves, and often are other people's images.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from presage.core.recording.document import KEY
from presage.core.recording.marks import (
    FILE_VARIABLE,
    LABEL,
    MOUNT_PATH,
    POD_VARIABLE,
    VOLUME,
    config_map_name,
)

Json = Mapping[str, object]
Operation = dict[str, object]
"""One operation of a JSON patch (RFC 6902)."""

_PROFILE = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
# The kubelet may not create mirrors of static pods that refer to ConfigMaps.
_MIRROR = "kubernetes.io/config.mirror"
# Configuration of an SDK by a file: variables beside it would be ignored, or would change what the file says.
_OTHER_CONFIGURATION = ("OTEL_CONFIG_FILE", "OTEL_EXPERIMENTAL_CONFIG_FILE")
_SERVICE, _ATTRIBUTES = "OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"


def _build_path_pattern(path: str) -> re.Pattern[str]:
    """Return a pattern of the path itself, of each one above it and of all below it, whatever the slashes."""
    inner = "(/.*)?"
    *above, last = path.strip("/").split("/")
    inner = re.escape(last) + inner
    for part in reversed(above):
        inner = f"{re.escape(part)}(/+{inner})?"
    return re.compile(f"/*{inner}/*")


_TAKEN_PATH = _build_path_pattern(MOUNT_PATH)


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What functions without presage's SDK are told.

    Attributes:
        export_interval_s: Seconds between two exports.
        otlp_endpoint: URL to send metrics to by OTLP; empty leaves that to the function.
    """

    export_interval_s: int = 60
    otlp_endpoint: str = ""


def build_patch(pod: object, namespace: str, telemetry: Telemetry) -> list[Operation]:
    """Return the JSON patch that gives a new pod the reference to its recording document; empty if it gets none.

    Args:
        pod: As it comes in the review of its admission; anything that is no pod gets nothing.
        namespace: Of the pod: before it is stored, the object itself may not say.
        telemetry: For functions without presage's SDK.
    """
    profile = _find_profile(pod)
    if profile is None:
        return []
    spec = _object(_object(pod).get("spec"))
    volumes, containers = _objects(spec.get("volumes")), _objects(spec.get("containers"))
    reference = config_map_name(profile)
    ours = [volume for volume in volumes if volume.get("name") == VOLUME]
    if any(_object(volume.get("configMap")).get("name") != reference for volume in ours):
        return []
    free = [(number, each) for number, each in enumerate(containers) if _is_path_free(each)]
    if not free:
        return []
    patch: list[Operation] = []
    if not ours:
        volume: Operation = {"name": VOLUME, "configMap": {"name": reference, "optional": True}}
        patch += _append("/spec/volumes", spec.get("volumes"), [volume])
    for number, container in free:
        place = f"/spec/containers/{number}"
        mounts = container.get("volumeMounts")
        if not any(_is_ours(mount) for mount in _objects(mounts)):
            mount: Operation = {"name": VOLUME, "mountPath": MOUNT_PATH, "readOnly": True}
            patch += _append(f"{place}/volumeMounts", mounts, [mount])
        patch += _append(
            f"{place}/env", container.get("env"), _list_variables(container, profile, namespace, telemetry)
        )
    return patch


def _find_profile(pod: object) -> str | None:
    """Return the MetricProfile that a pod names, if it may be given a reference."""
    metadata = _object(_object(pod).get("metadata"))
    profile = _object(metadata.get("labels")).get(LABEL)
    if not isinstance(profile, str) or not _PROFILE.fullmatch(profile):
        return None
    return None if _MIRROR in _object(metadata.get("annotations")) else profile


def _is_ours(mount: Json) -> bool:
    return mount.get("name") == VOLUME and mount.get("mountPath") == MOUNT_PATH


def _is_path_free(container: Json) -> bool:
    """Tell whether nothing else is mounted at, above or below the path.

    A mount above may be read-only, and then no directory can be made in it, nor in ours for a mount below: the
    container would not start.
    """
    mounts = _objects(container.get("volumeMounts"))
    return not any(_TAKEN_PATH.fullmatch(str(mount.get("mountPath"))) and not _is_ours(mount) for mount in mounts)


def _list_variables(container: Json, profile: str, namespace: str, telemetry: Telemetry) -> Iterator[Operation]:
    """Yield the variables that a container is given: those it does not set itself."""
    given = {str(each.get("name")) for each in _objects(container.get("env"))}
    wanted: list[Operation] = [{"name": FILE_VARIABLE, "value": f"{MOUNT_PATH}/{KEY}"}]
    wanted.append({"name": POD_VARIABLE, "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}})
    # What comes of a ConfigMap or Secret cannot be seen here, and a variable of ours would replace it.
    if not container.get("envFrom") and not given & set(_OTHER_CONFIGURATION):
        if _ATTRIBUTES not in given:  # they may hold service.name, which the variable would overrule
            wanted.append({"name": _SERVICE, "value": profile})
        attributes = f"k8s.namespace.name={namespace},k8s.pod.name=$({POD_VARIABLE})"
        wanted.append({"name": _ATTRIBUTES, "value": attributes})
        wanted.append({"name": "OTEL_METRIC_EXPORT_INTERVAL", "value": str(1000 * telemetry.export_interval_s)})
        if telemetry.otlp_endpoint:
            wanted.append({"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": telemetry.otlp_endpoint})
    yield from (each for each in wanted if each["name"] not in given)


def _append(path: str, present: object, entries: Iterable[Operation]) -> Iterator[Operation]:
    """Yield what appends entries to a list that may not be there yet."""
    missing = not isinstance(present, list)
    for entry in entries:
        if missing:
            yield {"op": "add", "path": path, "value": []}
            missing = False
        yield {"op": "add", "path": f"{path}/-", "value": entry}


def _object(value: object) -> Json:
    return value if isinstance(value, Mapping) else {}


def _objects(value: object) -> list[Json]:
    """Return a list's entries as objects, in their places; what is none counts as an empty one."""
    return [_object(each) for each in value] if isinstance(value, list) else []
