"""Objects beside the MetricProfile that its decisions need: trimmed for memory, mapped back to the profile."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable

from presage.core.resource_type import ResourceType
from presage.core.scaling.lead_time import PodStart
from presage.core.units import parse_quantity, read_time
from presage.reconcile.kind import ObjectKey, WatchedType
from presage.reconcile.metricprofile import monitors
from presage.reconcile.metricprofile.inputs import TargetState
from presage.reconcile.metricprofile.recording.watching import CONFIG_MAPS, find_label, trim_document, trim_reference
from presage.reconcile.owned import watch_children
from presage.reconcile.ports import Json, Objects, Watched
from presage.resources.metricprofile import MetricProfile
from presage.resources.metricsource import MetricSource

DEPLOYMENTS = ResourceType("apps", "v1", "deployments", "Deployment")
PODS = ResourceType("", "v1", "pods", "Pod")
AUTOSCALERS = ResourceType("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler")
SCALED_OBJECTS = ResourceType("keda.sh", "v1alpha1", "scaledobjects", "ScaledObject")
KIND = MetricProfile.meta.kind


def _name(obj: Json) -> dict[str, str]:
    meta = obj.get("metadata", {})
    return {"namespace": meta.get("namespace", ""), "name": meta.get("name", "")}


def trim_deployment(obj: Json) -> Json:
    """Keep a Deployment's name, replicas, CPU of each of its containers, and by which MetricProfile it records."""
    spec = obj.get("spec", {})
    template = spec.get("template", {})
    containers = template.get("spec", {}).get("containers") or ()
    cores = {each.get("name", ""): _find_cores(each.get("resources") or {}) for each in containers}
    return {"metadata": _name(obj), "replicas": spec.get("replicas", 1), "cores": cores, "asks": find_label(template)}


def _find_cores(resources: Json) -> float | None:
    for kind in ("requests", "limits"):
        with contextlib.suppress(ValueError):  # a form of a quantity that we do not read is as good as none
            if (amount := (resources.get(kind) or {}).get("cpu")) is not None:
                return float(parse_quantity(str(amount)))
    return None


def trim_pod(obj: Json) -> Json:
    """Keep a pod's Deployment and address, when it was created and became Ready, whether anew, and how it records."""
    meta, status = obj.get("metadata", {}), obj.get("status", {})
    ready: Json = next((c for c in status.get("conditions") or () if c.get("type") == "Ready"), {})
    return {
        "metadata": _name(obj),
        "uid": meta.get("uid", ""),
        "ip": status.get("podIP", ""),
        "deployment": _find_deployment(meta),
        "created": meta.get("creationTimestamp", ""),
        "ready_at": ready.get("lastTransitionTime", "") if ready.get("status") == "True" else "",
        "again": _was_ready(status, ready),
        "leaving": bool(meta.get("deletionTimestamp")),
        **trim_reference(obj),
    }


def _was_ready(status: Json, ready: Json) -> bool:
    """Return whether a container restarted or readiness was lost: a pod says that it is not Ready before it starts."""
    containers = status.get("containerStatuses") or ()
    if any(each.get("restartCount") for each in containers):
        return True
    started = max(
        (((c.get("state") or {}).get("running") or {}).get("startedAt") or "" for c in containers), default=""
    )
    return bool(ready.get("status") == "False" and started and ready.get("lastTransitionTime", "") > started)


def _find_deployment(meta: Json) -> str:
    """Return the Deployment's name out of its ReplicaSet's, which is that name and the pod template's hash."""
    suffix = "-" + str((meta.get("labels") or {}).get("pod-template-hash", ""))
    for owner in meta.get("ownerReferences") or ():
        name = str(owner.get("name", ""))
        if owner.get("kind") == "ReplicaSet" and len(suffix) > 1 and name.endswith(suffix):
            return name.removesuffix(suffix)
    return ""


def trim_autoscaler(obj: Json) -> Json:
    """Keep what an HPA or ScaledObject scales, and the ScaledObject behind an HPA."""
    owners = (obj.get("metadata", {}).get("ownerReferences") or ()) if obj else ()
    return {
        "metadata": _name(obj),
        "target": dict(obj.get("spec", {}).get("scaleTargetRef") or {}),
        "scaled_object": next((o.get("name", "") for o in owners if o.get("kind") == "ScaledObject"), ""),
    }


def _find_profiles(objects: Objects, namespace: str, deployment: str) -> Iterable[ObjectKey]:
    for profile in objects.list(KIND, namespace):
        if profile.get("spec", {}).get("target", {}).get("name") == deployment:
            yield ObjectKey(KIND, namespace, profile["metadata"]["name"])


def _from_deployment(obj: Json, objects: Objects) -> Iterable[ObjectKey]:
    return _find_profiles(objects, obj["metadata"]["namespace"], obj["metadata"]["name"])


def _from_pod(obj: Json, objects: Objects) -> Iterable[ObjectKey]:
    return _find_profiles(objects, obj["metadata"]["namespace"], obj["deployment"]) if obj["deployment"] else ()


def _deployment_of(pod: Json) -> Iterable[str]:
    return (f"{pod['metadata']['namespace']}/{pod['deployment']}",) if pod["deployment"] else ()


def _from_autoscaler(obj: Json, objects: Objects) -> Iterable[ObjectKey]:
    return _find_profiles(objects, obj["metadata"]["namespace"], str(obj["target"].get("name", "")))


def _from_source(obj: Json, objects: Objects) -> Iterable[ObjectKey]:
    for profile in objects.list(KIND):
        if profile.get("spec", {}).get("sourceRef", {}).get("name") == obj["metadata"]["name"]:
            yield ObjectKey(KIND, profile["metadata"]["namespace"], profile["metadata"]["name"])


def _from_sibling(obj: Json, objects: Objects) -> Iterable[ObjectKey]:
    """Another MetricProfile came, went or changed: those aimed at the same target must judge anew."""
    target = str(obj.get("spec", {}).get("target", {}).get("name", ""))
    namespace, name = obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
    return (key for key in _find_profiles(objects, namespace, target) if key.name != name)


WATCHED = (
    WatchedType(DEPLOYMENTS, trim_deployment, _from_deployment),
    WatchedType(PODS, trim_pod, _from_pod, index=_deployment_of),
    WatchedType(AUTOSCALERS, trim_autoscaler, _from_autoscaler),
    WatchedType(SCALED_OBJECTS, trim_autoscaler, _from_autoscaler),
    watch_children(KIND, CONFIG_MAPS, trim_document),
    WatchedType(MetricSource.meta.resource, lambda obj: obj, _from_source),
    WatchedType(MetricProfile.meta.resource, lambda obj: obj, _from_sibling),
    monitors.WATCHED,
)


def read_target(watched: Watched, namespace: str, name: str, now: float, settle_s: float) -> TargetState | None:
    """Return the state of a Deployment and its pods, or None if it does not exist.

    Args:
        watched: What the watches hold.
        namespace: The profile's namespace.
        name: The Deployment's name.
        now: Epoch seconds.
        settle_s: Seconds after which a Ready pod must have been scraped.
    """
    deployment = watched.get(DEPLOYMENTS, namespace, name)
    if deployment is None:
        return None
    pods = [pod for pod in watched.find(PODS, f"{namespace}/{name}") if not pod["leaving"]]
    pods.sort(key=lambda p: read_time(p["ready_at"]) if p["ready_at"] else math.inf)
    ready = [p for p in pods if p["ready_at"]]
    settled = [p for p in ready if now - read_time(p["ready_at"]) >= settle_s]
    return TargetState(
        replicas=deployment["replicas"],
        ready=len(ready),
        settled=tuple((p["metadata"]["name"], p["ip"]) for p in settled),
        cores=deployment["cores"],
        pods=tuple(PodStart(p["uid"], _find_startup(p), p["again"]) for p in pods),
    )


def _find_startup(pod: Json) -> float | None:
    return read_time(pod["ready_at"]) - read_time(pod["created"]) if pod["ready_at"] else None


def find_owners(watched: Watched, namespace: str, deployment: str) -> tuple[str, ...]:
    """Return the autoscalers that already scale the Deployment, as `kind/name`, sorted."""
    found = set()
    for autoscaler in watched.list(AUTOSCALERS, namespace):
        if _aims_at(autoscaler, deployment):
            behind = autoscaler["scaled_object"]
            own = f"HorizontalPodAutoscaler/{autoscaler['metadata']['name']}"
            found.add(f"ScaledObject/{behind}" if behind else own)
    for scaled in watched.list(SCALED_OBJECTS, namespace):
        if _aims_at(scaled, deployment):
            found.add(f"ScaledObject/{scaled['metadata']['name']}")
    return tuple(sorted(found))


def _aims_at(autoscaler: Json, deployment: str) -> bool:
    target = autoscaler["target"]
    return bool(target.get("name") == deployment and target.get("kind", "Deployment") == "Deployment")
