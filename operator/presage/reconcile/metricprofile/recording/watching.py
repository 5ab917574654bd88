"""What is kept of ConfigMaps, pods and Deployments, as far as recording goes."""

from __future__ import annotations

from collections.abc import Iterable

from presage.core.recording.document import KEY, DocumentError, parse_document
from presage.core.recording.marks import FILE_VARIABLE, GENERATION_ANNOTATION, LABEL, VOLUME
from presage.core.recording.numbering import digest_document
from presage.core.resource_type import ResourceType
from presage.reconcile.ports import Json

CONFIG_MAPS = ResourceType("", "v1", "configmaps", "ConfigMap")
MANAGER = "presage-metricprofile"  # as the adapter for children calls itself when it writes one


def trim_document(config_map: Json) -> Json:
    """Keep of a document its generation (0 if it cannot be read), what it says as a digest, and when we wrote it."""
    data = config_map.get("data") or {}
    text = str(data.get(KEY, ""))
    try:
        generation = parse_document(text.encode()).generation
    except DocumentError:
        generation = 0
    written = (m for m in config_map["metadata"].get("managedFields") or () if m.get("manager") == MANAGER)
    stored_at = max((str(m.get("time", "")) for m in written), default="")
    return {"generation": generation, "digest": digest_document(text), "stored_at": stored_at, "empty": KEY not in data}


def trim_reference(pod: Json) -> dict[str, str]:
    """Keep of a pod from which ConfigMap it learns what to record, and up to which generation it was touched."""
    return {
        "document": _find_document(pod.get("spec") or {}),
        "touched": str((pod["metadata"].get("annotations") or {}).get(GENERATION_ANNOTATION, "")),
    }


def _find_document(spec: Json) -> str:
    """Return the ConfigMap that a container has mounted and is told of; empty if there is none."""
    variables = (each.get("name") for c in spec.get("containers") or () for each in c.get("env") or ())
    if FILE_VARIABLE not in variables:
        return ""
    return next((name for volume, name in _list_config_maps(spec) if volume == VOLUME), "")


def _list_config_maps(spec: Json) -> Iterable[tuple[str, str]]:
    for volume in spec.get("volumes") or ():
        yield str(volume.get("name", "")), str((volume.get("configMap") or {}).get("name", ""))


def find_label(template: Json) -> str:
    """Return the MetricProfile that a pod template's label names; empty without one."""
    return str(((template.get("metadata") or {}).get("labels") or {}).get(LABEL, ""))
