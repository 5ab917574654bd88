"""kopf's registry: one event handler a kind, derived from the KindDefinitions.

Only `on.event` is used: it writes nothing to our objects (no annotations, no finalizers) and costs no task an object.
Exceptions in such handlers are logged and dropped by kopf, so they do nothing that can fail.
"""

from __future__ import annotations

import dataclasses
import ssl
from collections.abc import Iterable
from typing import Any

import kopf

from presage.reconcile.kind import AnyKind
from presage.runtime.intake import Intake


def build_registry(
    kinds: Iterable[AnyKind], intake: Intake, *, strict_certificates: bool = True
) -> kopf.OperatorRegistry:
    """Return a registry that hands every event of every kind to `intake`.

    Args:
        kinds: All kinds.
        intake: Takes the events.
        strict_certificates: False drops the formal certificate rules that Python 3.13 added, for kopf's own connection.
    """
    registry = kopf.OperatorRegistry()
    kopf.on.login(registry=registry, errors=kopf.ErrorsMode.TEMPORARY, backoff=5)(
        login if strict_certificates else login_relaxed
    )
    for kind in kinds:
        _register(registry, kind, intake)
    return registry


def _register(registry: kopf.OperatorRegistry, kind: AnyKind, intake: Intake) -> None:
    resource = kind.resource

    @kopf.on.event(resource.group, resource.version, resource.plural, id=resource.plural, registry=registry)
    async def observe(type: str | None, body: kopf.Body, **_: Any) -> None:
        intake.observe(kind, type, dict(body))


def login(**kwargs: Any) -> kopf.ConnectionInfo | None:
    """Log kopf in as the pod's service account, else by the kubeconfig."""
    return kopf.login_with_service_account(**kwargs) or kopf.login_with_kubeconfig(**kwargs)


def login_relaxed(**kwargs: Any) -> kopf.ConnectionInfo | None:
    """Log in likewise, without Python's strict certificate rules."""
    info = login(**kwargs)
    return info and RelaxedConnection(**{f.name: getattr(info, f.name) for f in dataclasses.fields(info)})


class RelaxedConnection(kopf.ConnectionInfo):
    """Verifies chain and host name as kubectl does, not the formal rules that Python 3.13 added."""

    def as_ssl_context(self) -> ssl.SSLContext:
        """Return kopf's own context with that one flag taken away."""
        context = super().as_ssl_context()
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        return context
