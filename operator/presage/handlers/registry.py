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


def build_registry(kinds: Iterable[AnyKind], observe: Observer, *, strict_certificates: bool) -> kopf.OperatorRegistry:
    """Return a registry that hands every event of every kind to `observe`.

    Args:
        kinds: All kinds.
        observe: Takes the events.
        strict_certificates: Whether the formal rules of RFC 5280 hold for kopf's own connection.
    """
    registry = kopf.OperatorRegistry()
    # A login that fails ends kopf, and whoever runs it says why and tries again.
    kopf.on.login(registry=registry, errors=kopf.ErrorsMode.PERMANENT)(build_login(strict=strict_certificates))
    for kind in kinds:
        _register(registry, kind, observe)
    return registry


def _register(registry: kopf.OperatorRegistry, kind: AnyKind, observe: Observer) -> None:
    resource = kind.resource

    @kopf.on.event(resource.group, resource.version, resource.plural, id=resource.plural, registry=registry)
    async def hand_over(type: str | None, body: kopf.Body, **_: Any) -> None:
        observe(kind, type, dict(body))


def build_login(*, strict: bool) -> Callable[..., kopf.ConnectionInfo | None]:
    """Return a login as the pod's service account, else by the kubeconfig.

    Args:
        strict: Whether the formal rules of RFC 5280 hold for the connection; see `presage.adapters.tls`.
    """

    class Connection(kopf.ConnectionInfo):
        def as_ssl_context(self) -> ssl.SSLContext:
            return set_strictness(super().as_ssl_context(), strict=strict)

    def login(**kwargs: Any) -> kopf.ConnectionInfo | None:
        info = kopf.login_with_service_account(**kwargs) or kopf.login_with_kubeconfig(**kwargs)
        return info and Connection(**{f.name: getattr(info, f.name) for f in dataclasses.fields(info)})

    return login
