"""Documents: what a back end is given, as plain data; whoever writes them chooses the format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from presage.core.recording.marks import LABEL as PROFILE_LABEL
from presage.core.recording.marks import RETENTION_ATTRIBUTE
from presage.core.recording.retention.tiers import Retention, Tier

Json: TypeAlias = Mapping[str, object]

_OPERATOR = {"app.kubernetes.io/part-of": "presage", "app.kubernetes.io/component": "operator"}


@dataclass(frozen=True, slots=True)
class Document:
    """One file.

    Attributes:
        path: Relative, with forward slashes.
        purpose: What it is and where it goes, in lines.
        content: A mapping, or a list of mappings or of command-line arguments.
    """

    path: str
    purpose: tuple[str, ...]
    content: Json | Sequence[Json] | Sequence[str]


@dataclass(frozen=True, slots=True)
class Scraping:
    """How the series of functions and of presage itself are collected.

    Attributes:
        port: Name of the container port that functions serve their metrics on.
        path: Where they serve them.
        interval_s: Seconds between two scrapes.
        operator_namespace: presage's own namespace.
        targets: Addresses to scrape, `host:port`, instead of pods that are found through Kubernetes.
    """

    port: str = "metrics"
    path: str = "/metrics"
    interval_s: int = 30
    operator_namespace: str = "presage-system"
    targets: tuple[str, ...] = ()


def operator_labels() -> dict[str, str]:
    """Return the labels by which presage's own pods are found."""
    return dict(_OPERATOR)


def match_tier(retention: Retention, tier: Tier) -> str:
    """Return the regular expression of the label's values that a tier's server takes; empty is a series without it."""
    return f"{tier.name}|" if tier.name == retention.default else tier.name


def keep_tier(retention: Retention, tier: Tier) -> dict[str, object]:
    """Return the relabelling by which a server, or the way to it, keeps one tier's series and drops all others."""
    return {"source_labels": [RETENTION_ATTRIBUTE], "regex": match_tier(retention, tier), "action": "keep"}


def build_jobs(scraping: Scraping, metric_relabelling: Sequence[Json] = ()) -> list[Json]:
    """Return the jobs that scrape functions and presage's operator, whose canaries prove the tiers."""
    more = {"metric_relabel_configs": list(metric_relabelling)} if metric_relabelling else {}
    timing = {"scrape_interval": f"{scraping.interval_s}s", "scrape_timeout": f"{min(10, scraping.interval_s)}s"}
    if scraping.targets:
        static = [{"targets": list(scraping.targets)}]
        # Canaries carry names of their own, which the target's must not take the place of.
        job = {"job_name": "presage", "honor_labels": True, "metrics_path": scraping.path, **timing}
        return [{**job, "static_configs": static, **more}]
    functions = {
        "job_name": "presage-functions",
        "metrics_path": scraping.path,
        **timing,
        "kubernetes_sd_configs": [{"role": "pod", "selectors": [{"role": "pod", "label": PROFILE_LABEL}]}],
        "relabel_configs": _relabel_pods(scraping.port),
        **more,
    }
    selector = ",".join(f"{name}={value}" for name, value in _OPERATOR.items())
    place = {"names": [scraping.operator_namespace]}
    operator = {
        "job_name": "presage-operator",
        "honor_labels": True,
        **timing,
        "kubernetes_sd_configs": [
            {"role": "pod", "namespaces": place, "selectors": [{"role": "pod", "label": selector}]}
        ],
        "relabel_configs": _relabel_pods("http"),
        **more,
    }
    return [functions, operator]


def _relabel_pods(port: str) -> list[Json]:
    return [
        {"source_labels": ["__meta_kubernetes_pod_container_port_name"], "regex": port, "action": "keep"},
        {"source_labels": ["__meta_kubernetes_pod_phase"], "regex": "Pending|Running", "action": "keep"},
        {"source_labels": ["__meta_kubernetes_namespace"], "target_label": "namespace"},
        {"source_labels": ["__meta_kubernetes_pod_name"], "target_label": "pod"},
    ]
