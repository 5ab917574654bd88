"""Builders of plain data for tests: valid by default, one change at a time."""

from __future__ import annotations

from presage.core.scaling.policy import ScalingPolicy
from presage.core.source import SourceLimits, SourceSpec


def policy(**changes: object) -> ScalingPolicy:
    """Return a policy of 2..20 replicas at 50 per pod."""
    values: dict[str, object] = {
        "mode": "Auto",
        "via": "Auto",
        "min_replicas": 2,
        "max_replicas": 20,
        "per_pod": 50.0,
        "headroom": 0.1,
        "unmet_load": 0.005,
        "tolerance": 0.1,
        "stabilization_s": 300.0,
        "max_down": 0.2,
        "down_period_s": 60.0,
        "decision_period_s": 15.0,
        "lead_time_s": None,
        "max_sample_age_s": 60.0,
    }
    return ScalingPolicy(**{**values, **changes})  # type: ignore[arg-type]  # a test that misspells a field fails at once


def source(**changes: object) -> SourceSpec:
    """Return a source without credentials that every namespace may use, with the limits of the CRD."""
    values: dict[str, object] = {
        "url": "http://prom/base",
        "bearer_token": None,
        "basic_auth": None,
        "ca": None,
        "verify": True,
        "namespaces": None,
        "tenant_label": None,
        "tenant_value": None,
        "limits": SourceLimits(timeout_s=10, max_bytes=8_388_608, max_series=10_000, max_concurrency=4),
        "check_period_s": 30,
    }
    return SourceSpec(**{**values, **changes})  # type: ignore[arg-type]  # as above
