"""All documents that one back end needs."""

from __future__ import annotations

from presage.core.recording.retention import prometheus, prometheus_operator, victoriametrics
from presage.core.recording.retention.documents import Document, Scraping
from presage.core.recording.retention.tiers import Retention


def build_documents(retention: Retention, scraping: Scraping, *, profiles: bool = True) -> tuple[Document, ...]:
    """Return what gives each tier a server of its own; nothing for a back end with one retention for everything.

    Args:
        retention: Back end and tiers.
        scraping: How series are collected.
        profiles: Whether functions are scraped by these documents; not where presage makes the objects itself.
    """
    if retention.backend == "Prometheus":
        return prometheus.build_documents(retention, scraping)
    if retention.backend == "PrometheusOperator":
        return prometheus_operator.build_documents(retention, scraping, profiles=profiles)
    if retention.backend == "VictoriaMetrics":
        return victoriametrics.build_documents(retention, scraping)
    return ()
