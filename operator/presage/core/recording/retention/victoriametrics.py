"""VictoriaMetrics: a vmagent scrapes once and sends each tier's series to a single node of its own."""

from __future__ import annotations

from presage.core.recording.retention.documents import Document, Scraping, build_jobs, keep_tier
from presage.core.recording.retention.tiers import Retention, Tier


def build_documents(retention: Retention, scraping: Scraping) -> tuple[Document, ...]:
    """Return what vmagent is given, and for each tier its relabelling and its node's arguments."""
    scrapes = Document(
        "vmagent-scrape.yml",
        ("Jobs of vmagent.",),
        {"scrape_configs": build_jobs(scraping)},
    )
    arguments = ["-promscrape.config=vmagent-scrape.yml"]
    for tier in retention.tiers:
        url = tier.url or f"http://victoria-metrics-{tier.name}:8428"
        arguments += [f"-remoteWrite.url={url.rstrip('/')}/api/v1/write"]
        arguments += [f"-remoteWrite.urlRelabelConfig={_name_relabelling(tier)}"]
    agent = Document(
        "vmagent.args.yml",
        ("Arguments of vmagent, besides its own; each address is followed by its relabelling. Paths are relative.",),
        arguments,
    )
    return (scrapes, agent, *(each for tier in retention.tiers for each in _build_tier(retention, tier)))


def _name_relabelling(tier: Tier) -> str:
    return f"vmagent-relabel-{tier.name}.yml"


def _build_tier(retention: Retention, tier: Tier) -> tuple[Document, Document]:
    relabelling = Document(
        _name_relabelling(tier),
        (f"What vmagent sends to the node of tier {tier.name}.",),
        [keep_tier(retention, tier)],
    )
    arguments = Document(
        f"victoria-metrics-{tier.name}.args.yml",
        (f"Arguments of the single node of tier {tier.name}, besides its own.",),
        [f"-retentionPeriod={tier.name}"],
    )
    return relabelling, arguments
