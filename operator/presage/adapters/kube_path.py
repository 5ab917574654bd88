"""Paths of the Kubernetes API, built here and only here, with every part quoted; and the types presage itself uses."""

from __future__ import annotations

from urllib.parse import quote

from presage.core.resource_type import ResourceType

SECRETS = ResourceType("", "v1", "secrets", "Secret")
LEASES = ResourceType("coordination.k8s.io", "v1", "leases", "Lease")
PODS = ResourceType("", "v1", "pods", "Pod")
EVENTS = ResourceType("events.k8s.io", "v1", "events", "Event")
WEBHOOKS = ResourceType(
    "admissionregistration.k8s.io",
    "v1",
    "mutatingwebhookconfigurations",
    "MutatingWebhookConfiguration",
    namespaced=False,
)
ACCESS_REVIEWS = ResourceType(
    "authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", namespaced=False
)


def api_path(
    resource: ResourceType, name: str | None = None, namespace: str | None = None, subresource: str | None = None
) -> str:
    """The URL path of a collection, of one object or of a subresource of it.

    Args:
        resource: the collection.
        name: the object; None for the collection.
        namespace: its namespace; None for a cluster-scoped object, or to address all namespaces at once.
        subresource: such as `scale` or `status`; needs a name.

    Raises:
        ValueError: if the namespace does not fit the scope, or a part that is needed is missing or empty.
    """
    if namespace is not None and not resource.namespaced:
        raise ValueError(f"{resource.plural} are cluster-scoped and take no namespace")
    if name is not None and resource.namespaced and namespace is None:
        raise ValueError(f"one of the {resource.plural} is addressed by namespace and name")
    if subresource is not None and name is None:
        raise ValueError(f"subresource {subresource} needs the name of an object")
    parts = ["apis", resource.group, resource.version] if resource.group else ["api", resource.version]
    if namespace is not None:
        parts += ["namespaces", _part(namespace)]
    parts.append(resource.plural)
    parts += [_part(part) for part in (name, subresource) if part is not None]
    return "/" + "/".join(parts)


def _part(text: str) -> str:
    """Quote one part of a path; "." and ".." would climb, and an empty part would address the collection."""
    if text in ("", ".", ".."):
        raise ValueError(f"{text!r} is not a name")
    return quote(text, safe="")
