"""All kinds. A new kind costs one line here."""

from __future__ import annotations

from presage.reconcile import metricprofile, metricsource
from presage.reconcile.kind import AnyKind

KINDS: tuple[AnyKind, ...] = (
    metricsource.DEFINITION,
    metricprofile.DEFINITION,
)
