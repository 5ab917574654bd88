"""kopf's settings, each with the reason it differs from the default."""

from __future__ import annotations

from collections.abc import Iterable

import kopf

PREFIX = "presage.dev"


class NoDiffBase(kopf.DiffBaseStorage):
    """Compares nothing: without change handlers, kopf's copy of each object at each event is for nobody."""

    def build(self, *, body: kopf.Body, extra_fields: Iterable[kopf.FieldSpec] | None = None) -> kopf.BodyEssence:
        """Return an empty essence."""
        return kopf.BodyEssence()

    def fetch(self, *, body: kopf.Body) -> kopf.BodyEssence | None:
        """Return None: nothing was stored."""
        return None

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: kopf.BodyEssence) -> None:
        """Store nothing."""


def build_settings() -> kopf.OperatorSettings:
    """Return settings for an operator that only listens."""
    settings = kopf.OperatorSettings()
    # Streams that freeze silently must end by themselves.
    settings.watching.server_timeout = 300
    settings.watching.client_timeout = 310
    settings.watching.connect_timeout = 30
    settings.watching.inactivity_timeout = 70
    settings.networking.request_timeout = 30
    # Short: what lasts longer ends kopf, which is told once and started anew.
    settings.networking.error_backoffs = (0.5, 1, 2)
    settings.watching.reconnect_backoff = 1
    settings.execution.max_workers = 4
    settings.queueing.worker_limit = None
    # kopf takes its finalizer off every object none of its own handlers needs it for: it must not be that of
    # runtime/deletion.py. Nothing of ours is stored on objects by kopf; named, so that a later handler cannot surprise.
    settings.persistence.finalizer = f"{PREFIX}/kopf"
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix=PREFIX, v1=False)
    settings.persistence.diffbase_storage = NoDiffBase()
    # Log lines are no events; ours go through our own writer.
    settings.posting.enabled = False
    settings.posting.loggers = False
    settings.posting.reporting_component = "presage"
    # Watching CRDs and namespaces would need rights that nothing else needs.
    settings.scanning.disabled = True
    return settings
