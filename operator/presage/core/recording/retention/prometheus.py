"""Plain Prometheus: one server a tier, each of which scrapes the same targets and keeps its own tier's series."""

from __future__ import annotations

from presage.core.recording.marks import RETENTION_ATTRIBUTE
from presage.core.recording.retention.documents import Document, Scraping, build_jobs, keep_tier
from presage.core.recording.retention.tiers import Retention, Tier


def build_documents(retention: Retention, scraping: Scraping) -> tuple[Document, ...]:
    """Return, for each tier, a file of scrape configurations and the server's arguments; and what other jobs need."""
    found = [each for tier in retention.tiers for each in _build_tier(retention, tier, scraping)]
    return (*found, _build_other_jobs())


def _build_tier(retention: Retention, tier: Tier, scraping: Scraping) -> tuple[Document, Document]:
    jobs = build_jobs(scraping, [keep_tier(retention, tier)])
    scrapes = Document(
        f"scrape-{tier.name}.yml",
        (
            f"Jobs of the Prometheus server of tier {tier.name}; name this file in its configuration:",
            f"  scrape_config_files: [scrape-{tier.name}.yml]",
        ),
        {"scrape_configs": jobs},
    )
    arguments = Document(
        f"prometheus-{tier.name}.args.yml",
        (f"Arguments of the Prometheus server of tier {tier.name}, besides its own.",),
        [f"--storage.tsdb.retention.time={tier.name}"],
    )
    return scrapes, arguments


def _build_other_jobs() -> Document:
    return Document(
        "other-jobs.metric-relabel.yml",
        (
            "Put this into metric_relabel_configs of every other job that scrapes these functions or presage:",
            "else their series are kept a second time, for as long as that server keeps everything.",
        ),
        [{"source_labels": [RETENTION_ATTRIBUTE], "regex": ".+", "action": "drop"}],
    )
