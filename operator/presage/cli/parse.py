"""Objects as the API server returns them → facts about an installation. Pure; what is missing reads as empty."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from presage.adapters.kube_json import at
from presage.core.installation.facts import (
    Definition,
    Known,
    LeaseRecord,
    Managed,
    Observation,
    Operator,
    Pod,
    Policy,
    Server,
)
from presage.core.units import parse_time
from presage.reconcile.kind import AnyKind
from presage.resources.differences import find_differences
from presage.runtime.settings import PREFIX, Settings

Json = Mapping[str, Any]

_SUFFIX = re.compile(r"_[0-9a-f]{8}$")  # what the Lease adds to a pod's name


def parse_server(version: Json, ahead_s: float | None, uncertainty_s: float) -> Server:
    """Read the answer of /version; providers write minors such as `30+`."""
    numbers = (re.match(r"\d+", str(version.get(part, ""))) for part in ("major", "minor"))
    major, minor = (int(number[0]) if number else 0 for number in numbers)
    return Server(major, minor, str(version.get("gitVersion", "of unknown version")), ahead_s, uncertainty_s)


def parse_definitions(found: Iterable[Json], kinds: Iterable[AnyKind], group: str) -> tuple[Definition, ...]:
    """Compare the CRDs of our group on the cluster with those of this version."""
    present = {str(at(crd, "metadata", "name")): crd for crd in found if at(crd, "spec", "group") == group}
    shipped = {kind.model.meta.crd_name: kind for kind in kinds}
    ours = [
        _parse_definition(name, kind, present[name]) if name in present else Definition(name, found=False)
        for name, kind in shipped.items()
    ]
    return (*ours, *(Definition(name, shipped=False) for name in sorted(present.keys() - shipped.keys())))


def _parse_definition(name: str, kind: AnyKind, crd: Json) -> Definition:
    conditions = at(crd, "status", "conditions") or ()
    return Definition(
        name,
        established=any(each.get("type") == "Established" and each.get("status") == "True" for each in conditions),
        deleting=at(crd, "metadata", "deletionTimestamp") is not None,
        differences=find_differences(kind.model, crd),
    )


def parse_operator(deployment: Json, pods: Known[tuple[Pod, ...]]) -> Operator:
    """Read the operator's Deployment."""
    pod = at(deployment, "spec", "template", "spec") or {}
    containers = pod.get("containers") or [{}]
    return Operator(
        namespace=str(at(deployment, "metadata", "namespace") or ""),
        name=str(at(deployment, "metadata", "name") or ""),
        version=str((at(deployment, "metadata", "labels") or {}).get("app.kubernetes.io/version", "")),
        image=str(containers[0].get("image", "")),
        replicas=int(at(deployment, "spec", "replicas") or 0),
        account=str(pod.get("serviceAccountName") or "default"),
        pods=pods,
    )


def parse_lease_name(deployment: Json | None) -> str:
    """Return the name of the operator's Lease, as its environment sets it."""
    containers = at(deployment or {}, "spec", "template", "spec", "containers") or ()
    for variable in (each for container in containers for each in container.get("env") or ()):
        if variable.get("name") == f"{PREFIX}LEASE_NAME" and variable.get("value"):
            return str(variable["value"])
    return str(Settings.model_fields["lease_name"].default)


def parse_pod(pod: Json) -> Pod:
    """Read one pod of the operator."""
    conditions = at(pod, "status", "conditions") or ()
    statuses = at(pod, "status", "containerStatuses") or ()
    return Pod(
        name=str(at(pod, "metadata", "name") or ""),
        ready=any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions),
        restarts=sum(int(each.get("restartCount") or 0) for each in statuses),
        trouble=_find_trouble(conditions, statuses),
        deleting=at(pod, "metadata", "deletionTimestamp") is not None,
    )


def _find_trouble(conditions: Sequence[Json], statuses: Sequence[Json]) -> str:
    for path in (("state", "waiting", "reason"), ("lastState", "terminated", "reason")):
        for status in statuses:
            if at(status, *path):
                return str(at(status, *path))
    scheduled = next((each for each in conditions if each.get("type") == "PodScheduled"), {})
    return str(scheduled.get("reason") or "") if scheduled.get("status") == "False" else ""


def parse_lease(lease: Json, seen_at: float) -> LeaseRecord:
    """Read a Lease; the API server's own time of the last renewal stands among its managed fields."""
    written = [
        moment
        for entry in at(lease, "metadata", "managedFields") or ()
        if "f:renewTime" in (at(entry, "fieldsV1", "f:spec") or {})
        and (moment := parse_time(entry.get("time"))) is not None
    ]
    return LeaseRecord(
        namespace=str(at(lease, "metadata", "namespace") or ""),
        name=str(at(lease, "metadata", "name") or ""),
        holder=_SUFFIX.sub("", str(at(lease, "spec", "holderIdentity") or "")),
        duration_s=float(at(lease, "spec", "leaseDurationSeconds") or 0),
        renewed_at=parse_time(at(lease, "spec", "renewTime")),
        written_at=max(written, default=None),
        seen_at=seen_at,
    )


def parse_managed(body: Json, kind: str, now: float) -> Managed:
    """Read an object of one of our kinds."""
    conditions = tuple(
        Observation(*(str(each.get(key, "")) for key in ("type", "status", "reason", "message")))
        for each in at(body, "status", "conditions") or ()
    )
    deleting = parse_time(at(body, "metadata", "deletionTimestamp"))
    return Managed(
        kind=kind,
        namespace=str(at(body, "metadata", "namespace") or ""),
        name=str(at(body, "metadata", "name") or ""),
        current=at(body, "status", "observedGeneration") == at(body, "metadata", "generation"),
        conditions=conditions,
        deleting_s=None if deleting is None else now - deleting,
        finalizers=tuple(at(body, "metadata", "finalizers") or ()),
    )


def parse_policies(policies: Iterable[Json], bindings: Iterable[Json]) -> tuple[Policy, ...]:
    """Match admission policies with what binds them."""
    actions: dict[str, set[str]] = {}
    for binding in bindings:
        name = str(at(binding, "spec", "policyName"))
        actions.setdefault(name, set()).update(at(binding, "spec", "validationActions") or ())
    return tuple(_parse_policy(policy, actions) for policy in policies)


def _parse_policy(policy: Json, actions: Mapping[str, set[str]]) -> Policy:
    name = str(at(policy, "metadata", "name"))
    warnings = at(policy, "status", "typeChecking", "expressionWarnings") or ()
    return Policy(
        name=name,
        bound=name in actions,
        denies="Deny" in actions.get(name, ()) and at(policy, "spec", "failurePolicy") != "Ignore",
        warnings=tuple(f"{each.get('fieldRef')}: {' '.join(str(each.get('warning')).split())}" for each in warnings),
    )


def list_secrets(sources: Iterable[Json]) -> set[str]:
    """Return the names of the Secrets that objects refer to: whatever stands under a key that ends in `SecretRef`."""
    return {name for source in sources for name in _find_references(source.get("spec"))}


def _find_references(node: Any) -> Iterable[str]:
    if isinstance(node, Mapping):
        for key, child in node.items():
            if str(key).endswith("SecretRef") and isinstance(child, Mapping) and child.get("name"):
                yield str(child["name"])
            else:
                yield from _find_references(child)
    elif isinstance(node, list | tuple):
        for child in node:
            yield from _find_references(child)
