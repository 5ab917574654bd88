"""Prometheus Operator: one Prometheus object a tier, and PodMonitors that each of them alone selects."""

from __future__ import annotations

from presage.core.ownership import build_child_name
from presage.core.recording.marks import LABEL as PROFILE_LABEL
from presage.core.recording.marks import RETENTION_ATTRIBUTE
from presage.core.recording.retention.documents import Document, Json, Scraping, match_tier, operator_labels
from presage.core.recording.retention.tiers import Retention, Tier
from presage.core.resource_type import ResourceType

TIER_LABEL = "presage.dev/retention"
"""On a PodMonitor: the tier whose Prometheus selects it."""

POD_MONITORS = ResourceType("monitoring.coreos.com", "v1", "podmonitors", "PodMonitor")


def build_documents(retention: Retention, scraping: Scraping, *, profiles: bool) -> tuple[Document, ...]:
    """Return a Prometheus object and the PodMonitors of each tier.

    Args:
        retention: The tiers.
        scraping: How pods are scraped.
        profiles: Whether functions' pods get PodMonitors too: not where presage makes them itself.
    """
    return tuple(each for tier in retention.tiers for each in _build_tier(retention, tier, scraping, profiles=profiles))


def _build_tier(retention: Retention, tier: Tier, scraping: Scraping, *, profiles: bool) -> tuple[Document, ...]:
    server = Document(
        f"prometheus-{tier.name}.yml",
        (
            f"The server of tier {tier.name}. Add what your others have, such as storage and version.",
            "Its service account must be allowed to list and watch pods.",
        ),
        {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "Prometheus",
            "metadata": {"name": f"presage-{tier.name}"},
            "spec": {
                "retention": tier.name,
                "serviceAccountName": "prometheus",
                "podMonitorNamespaceSelector": {},
                "podMonitorSelector": {"matchLabels": {TIER_LABEL: tier.name}},
            },
        },
    )
    canary = Document(
        f"canary-{tier.name}.yml",
        (f"presage's own canary, which proves tier {tier.name}.",),
        {
            **_name_monitor(f"presage-canary-{tier.name}", scraping.operator_namespace, tier),
            "spec": {
                "selector": {"matchLabels": operator_labels()},
                "podMetricsEndpoints": [
                    {**_build_endpoint(retention, tier, "http", "/metrics", scraping), "honorLabels": True}
                ],
            },
        },
    )
    if not profiles:
        return server, canary
    functions = Document(
        f"functions-{tier.name}.yml",
        (f"Series of tier {tier.name} of all functions. Not needed where MetricProfiles have spec.retention:",
         "there presage makes a PodMonitor for each of them."),
        {
            **_name_monitor(f"presage-functions-{tier.name}", scraping.operator_namespace, tier),
            "spec": {
                "namespaceSelector": {"any": True},
                "selector": {"matchExpressions": [{"key": PROFILE_LABEL, "operator": "Exists"}]},
                "podMetricsEndpoints": [_build_endpoint(retention, tier, scraping.port, scraping.path, scraping)],
            },
        },
    )  # fmt: skip
    return server, canary, functions


def build_pod_monitor(retention: Retention, tier: Tier, profile: str, scraping: Scraping) -> tuple[str, Json]:
    """Return name and content of the PodMonitor of one MetricProfile's pods in one tier, without namespace and owner.

    The name is another one where the content is: a PodMonitor that is out of date is told by its name.

    Args:
        retention: All tiers.
        tier: One of them.
        profile: Name of the MetricProfile.
        scraping: How its pods are scraped.
    """
    spec = {
        "selector": {"matchLabels": {PROFILE_LABEL: profile}},
        "podMetricsEndpoints": [_build_endpoint(retention, tier, scraping.port, scraping.path, scraping)],
    }
    name = build_child_name(f"presage-{profile}-{tier.name}", spec)
    return name, {"metadata": {"labels": {TIER_LABEL: tier.name}}, "spec": spec}


def _name_monitor(name: str, namespace: str, tier: Tier) -> dict[str, object]:
    metadata = {"name": name, "namespace": namespace, "labels": {TIER_LABEL: tier.name}}
    return {"apiVersion": POD_MONITORS.api_version, "kind": POD_MONITORS.kind, "metadata": metadata}


def _build_endpoint(retention: Retention, tier: Tier, port: str, path: str, scraping: Scraping) -> dict[str, object]:
    keep = {"sourceLabels": [RETENTION_ATTRIBUTE], "regex": match_tier(retention, tier), "action": "keep"}
    return {"port": port, "path": path, "interval": f"{scraping.interval_s}s", "metricRelabelings": [keep]}
