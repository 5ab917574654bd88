"""One MetricProfile, as the runtime knows it."""

from __future__ import annotations

from presage.reconcile.kind import ObjectKey
from presage.runtime.kinds import KINDS

PROFILE = next(kind for kind in KINDS if kind.name == "MetricProfile")
KEY = ObjectKey("MetricProfile", "team", "shop")
