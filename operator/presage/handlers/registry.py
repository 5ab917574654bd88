"""kopf's registry: one event handler a kind, derived from the KindDefinitions.

Only `on.event` is used: it writes nothing to our objects (no annotations, no finalizers) and costs no task an object.
Exceptions in such handlers are logged and dropped by kopf, so they do nothing that can fail.
"""

from __future__ import annotations

import dataclasses
import ssl
from collections.abc import Callable, Iterable
from typing import Any

import kopf

from presage.adapters.tls import set_strictness
from presage.reconcile.kind import AnyKind
from presage.reconcile.ports import Json

Observer = Callable[[AnyKind, str | None, Json], object]
"""Takes an event: kind, change (None for the first listing), object."""


def build_registry(
    kinds: Iterable[AnyKind], observe: Observer, *, strict_certificates: bool = True
) -> kopf.OperatorRegistry:
    """Return a registry that hands every event of every kind to `observe`.

    Args:
        kinds: All kinds.
        observe: Takes the events.
        strict_certificates: Whether the formal rules of RFC 5280 hold for kopf's own connection.
    """
    registry = kopf.OperatorRegistry()
    # A login that fails ends kopf, and whoever runs it says why and tries again.
    kopf.on.login(registry=registry, errors=kopf.ErrorsMode.PERMANENT)(login if strict_certificates else login_relaxed)
    for kind in kinds:
        _register(registry, kind, observe)
    return registry


def _register(registry: kopf.OperatorRegistry, kind: AnyKind, observe: Observer) -> None:
    resource = kind.resource

    @kopf.on.event(resource.group, resource.version, resource.plural, id=resource.plural, registry=registry)
    async def hand_over(type: str | None, body: kopf.Body, **_: Any) -> None:
        observe(kind, type, dict(body))


def login(**kwargs: Any) -> kopf.ConnectionInfo | None:
    """Log kopf in as the pod's service account, else by the kubeconfig."""
    return _with_own_rules(StrictConnection, **kwargs)


def login_relaxed(**kwargs: Any) -> kopf.ConnectionInfo | None:
    """Log in likewise, without the formal rules for certificates."""
    return _with_own_rules(RelaxedConnection, **kwargs)


def _with_own_rules(connection: type[kopf.ConnectionInfo], **kwargs: Any) -> kopf.ConnectionInfo | None:
    info = kopf.login_with_service_account(**kwargs) or kopf.login_with_kubeconfig(**kwargs)
    return info and connection(**{f.name: getattr(info, f.name) for f in dataclasses.fields(info)})


class StrictConnection(kopf.ConnectionInfo):
    """Verifies certificates strictly on every Python; see `presage.adapters.tls`."""

    def as_ssl_context(self) -> ssl.SSLContext:
        """Return kopf's own context with the rules of ours."""
        return set_strictness(super().as_ssl_context(), strict=True)


class RelaxedConnection(kopf.ConnectionInfo):
    """Verifies chain and host name as kubectl does, not the formal rules."""

    def as_ssl_context(self) -> ssl.SSLContext:
        """Return kopf's own context with the rules of ours."""
        return set_strictness(super().as_ssl_context(), strict=False)
