"""Documents: what each back end is given. That the back ends take them is tested with the real ones."""

from __future__ import annotations

import re
from typing import Any

import pytest

from presage.core.recording.retention.build import build_documents
from presage.core.recording.retention.documents import Scraping
from presage.core.recording.retention.prometheus_operator import build_pod_monitor
from presage.core.recording.retention.tiers import Backend, Retention, Tier

TIERS = (Tier("2h", "http://short:1/", 1.0), Tier("15d", "http://long:1", 1.0))


def build(backend: Backend, scraping: Scraping | None = None, default: str = "", **more: bool) -> dict[str, Any]:
    found = build_documents(Retention(backend, TIERS, default), scraping or Scraping(), **more)
    assert len({document.path for document in found}) == len(found)
    assert all(document.purpose for document in found)
    return {document.path: document.content for document in found}


def routes(relabelling: list[dict[str, Any]], value: str) -> bool:
    """Return whether a series with this value of the label passes; empty = it has none. As Prometheus matches."""
    for rule in relabelling:
        assert rule["source_labels"] == ["presage_retention"]
        matched = re.fullmatch(f"(?:{rule['regex']})", value) is not None
        if matched != (rule["action"] == "keep"):
            return False
    return True


def test_plain_prometheus_keeps_one_tier_a_server() -> None:
    found = build("Prometheus", default="15d")
    for tier, kept in (("2h", {"2h"}), ("15d", {"15d", ""})):
        jobs = found[f"scrape-{tier}.yml"]["scrape_configs"]
        assert [job["job_name"] for job in jobs] == ["presage-functions", "presage-operator"]
        for job in jobs:
            values = {value for value in ("2h", "15d", "", "5d", "2hx") if routes(job["metric_relabel_configs"], value)}
            assert values == kept
        assert found[f"prometheus-{tier}.args.yml"] == [f"--storage.tsdb.retention.time={tier}"]
    assert not routes(found["other-jobs.metric-relabel.yml"], "2h")
    assert routes(found["other-jobs.metric-relabel.yml"], "")


def test_without_a_default_no_tier_takes_what_has_no_label() -> None:
    job = build("Prometheus")["scrape-15d.yml"]["scrape_configs"][0]
    assert not routes(job["metric_relabel_configs"], "")


def test_given_targets_are_scraped_as_they_are() -> None:
    (job,) = build("Prometheus", Scraping(targets=("a:1", "b:2")))["scrape-2h.yml"]["scrape_configs"]
    assert job["static_configs"] == [{"targets": ["a:1", "b:2"]}]
    assert "kubernetes_sd_configs" not in job


def test_victoriametrics_routes_by_vmagent() -> None:
    found = build("VictoriaMetrics", default="2h")
    assert "metric_relabel_configs" not in found["vmagent-scrape.yml"]["scrape_configs"][0], "it scrapes once for all"
    assert found["vmagent.args.yml"] == [
        "-promscrape.config=vmagent-scrape.yml",
        "-remoteWrite.url=http://short:1/api/v1/write",
        "-remoteWrite.urlRelabelConfig=vmagent-relabel-2h.yml",
        "-remoteWrite.url=http://long:1/api/v1/write",
        "-remoteWrite.urlRelabelConfig=vmagent-relabel-15d.yml",
    ]
    for tier, kept in (("2h", {"2h", ""}), ("15d", {"15d"})):
        assert {v for v in ("2h", "15d", "") if routes(found[f"vmagent-relabel-{tier}.yml"], v)} == kept
        assert found[f"victoria-metrics-{tier}.args.yml"] == [f"-retentionPeriod={tier}"]


def test_prometheus_operator_selects_monitors_by_tier() -> None:
    found = build("PrometheusOperator", Scraping(operator_namespace="ops"))
    assert sorted(found) == sorted(f"{n}-{t}.yml" for n in ("prometheus", "canary", "functions") for t in ("2h", "15d"))
    for tier in ("2h", "15d"):
        server, canary, functions = (found[f"{name}-{tier}.yml"] for name in ("prometheus", "canary", "functions"))
        assert server["spec"]["retention"] == tier
        wanted = server["spec"]["podMonitorSelector"]["matchLabels"].items()
        for monitor in (canary, functions):
            assert wanted <= monitor["metadata"]["labels"].items()
            (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
            (rule,) = endpoint["metricRelabelings"]
            assert rule == {"sourceLabels": ["presage_retention"], "regex": tier, "action": "keep"}
        assert canary["metadata"]["namespace"] == "ops"


def test_where_presage_makes_monitors_none_are_printed() -> None:
    assert not [path for path in build("PrometheusOperator", profiles=False) if path.startswith("functions")]


def test_a_monitor_of_a_profile_is_told_by_its_name() -> None:
    retention = Retention("PrometheusOperator", TIERS)
    name, body = build_pod_monitor(retention, TIERS[0], "checkout", Scraping())
    assert body["metadata"] == {"labels": {"presage.dev/retention": "2h"}}
    assert build_pod_monitor(retention, TIERS[0], "checkout", Scraping()) == (name, body)
    others = (
        build_pod_monitor(retention, TIERS[1], "checkout", Scraping()),
        build_pod_monitor(retention, TIERS[0], "checkout", Scraping(port="other")),
        build_pod_monitor(retention, TIERS[0], "cart", Scraping()),
    )
    assert len({name, *(other for other, _ in others)}) == 4
    long, _ = build_pod_monitor(retention, TIERS[0], "x" * 63, Scraping())
    assert len(long) <= 63


@pytest.mark.parametrize("backend", ["Other"])
def test_one_retention_for_all_needs_nothing(backend: Backend) -> None:
    assert build_documents(Retention(backend), Scraping()) == ()
