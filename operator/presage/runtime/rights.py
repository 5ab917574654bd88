"""The rights the operator's account needs: rules of the ClusterRole, and rights in its own namespace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from presage.core.installation.facts import Right
from presage.reconcile.kind import AnyKind, PolicyRule

# What the runtime itself needs for any kind.
_RUNTIME_RULES = (PolicyRule(("events.k8s.io",), ("events",), ("create",)),)
_LEASES = "coordination.k8s.io", "leases"


def list_cluster_rules(kinds: Iterable[AnyKind]) -> tuple[PolicyRule, ...]:
    """Return the ClusterRole's rules: reading each kind, writing its status, and what the kinds ask for besides."""
    rules = []
    for kind in kinds:
        resource = kind.resource
        rules.append(PolicyRule((resource.group,), (resource.plural,), ("get", "list", "watch")))
        rules.append(PolicyRule((resource.group,), (f"{resource.plural}/status",), ("patch",)))
        if kind.undo is not None:  # for the finalizer
            rules.append(PolicyRule((resource.group,), (resource.plural,), ("patch",)))
        rules.extend(kind.rules)
    return tuple(dict.fromkeys((*rules, *_RUNTIME_RULES)))


def list_rights(
    kinds: Iterable[AnyKind], *, namespace: str, lease: str, secrets: Iterable[str] = ()
) -> tuple[Right, ...]:
    """Return every single right the operator's account needs.

    Args:
        kinds: All kinds.
        namespace: The operator's own.
        lease: Name of its Lease.
        secrets: Names of the Secrets there that objects name.
    """
    everywhere = (right for rule in list_cluster_rules(kinds) for right in _split(rule))
    at_home = (
        Right("create", *_LEASES, namespace),
        Right("get", *_LEASES, namespace, lease),
        Right("update", *_LEASES, namespace, lease),
        *(Right("get", "", "secrets", namespace, name) for name in sorted(set(secrets))),
    )
    return tuple(dict.fromkeys((*everywhere, *at_home)))


def _split(rule: PolicyRule) -> Iterator[Right]:
    for group in rule.groups:
        for resource in rule.resources:
            for verb in rule.verbs:
                yield Right(verb, group, resource)
