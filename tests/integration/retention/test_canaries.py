"""Canaries on the real programs: a tier is proven where it holds, and shown where it does not.

Prometheus has short blocks here. VictoriaMetrics keeps a day at least: its canaries are written with old times.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client

from e2e.bench.processes import free_port
from e2e.cluster import Cluster
from e2e.waiting import eventually
from presage.resources.base import GROUP, VERSION
from tests.integration.operator.harness import Operator, running
from tests.integration.operator.surroundings import new_operator
from tests.integration.retention.servers import Server, prometheus, render, victoria_metrics, vmagent

BLOCK_S = 10


@pytest.fixture
def operator(api: client.ApiClient, cluster: Cluster, crds: None, tmp_path: Path) -> Iterator[Operator]:
    with new_operator(api, cluster, tmp_path) as started:
        yield started


class Source:
    """A MetricSource with tiers."""

    def __init__(self, api: client.ApiClient, backend: str, url: str, *tiers: dict[str, Any]) -> None:
        self._objects, self.name = client.CustomObjectsApi(api), f"tiers-{uuid.uuid4().hex[:8]}"
        spec = {"url": url, "checkPeriodSeconds": 1, "retention": {"backend": backend, "tiers": list(tiers)}}
        body = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "MetricSource", "metadata": {"name": self.name}}
        self._objects.create_cluster_custom_object(GROUP, VERSION, "metricsources", {**body, "spec": spec})

    def status(self) -> dict[str, Any]:
        found = self._objects.get_cluster_custom_object(GROUP, VERSION, "metricsources", self.name)
        return dict(found.get("status") or {})

    def tier(self, name: str) -> dict[str, Any]:
        return next((each for each in self.status().get("retention") or () if each["tier"] == name), {})

    def condition(self) -> tuple[str, str]:
        conditions = self.status().get("conditions") or ()
        found = (c for c in conditions if c["type"] == "RetentionEnforced")
        return next(((c["status"], c["reason"]) for c in found), ("", ""))

    def wait(self, wanted: tuple[str, str], within_s: float) -> None:
        eventually(lambda: (self.condition(), self.status().get("retention")), lambda found: found[0] == wanted,
                   within_s, f"RetentionEnforced is {wanted}", each_s=1)  # fmt: skip

    def delete(self) -> None:
        self._objects.delete_cluster_custom_object(GROUP, VERSION, "metricsources", self.name)


@contextlib.contextmanager
def new_tiers(api: client.ApiClient, backend: str, url: str, *tiers: dict[str, Any]) -> Iterator[Source]:
    source = Source(api, backend, url, *tiers)
    try:
        yield source
    finally:
        source.delete()


def tier(server: Server, name: str, granularity_s: int) -> dict[str, Any]:
    return {"name": name, "url": server.url, "granularitySeconds": granularity_s}


def epoch(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_prometheus(api: client.ApiClient, operator: Operator, prometheus_binary: Path, tmp_path: Path) -> None:
    """Two tiers hold, and outlive a restart; a server that keeps everything, and one that keeps too little, do not."""
    target = ("--targets", f"127.0.0.1:{operator.port}", "--interval", "1s")
    folder = render(tmp_path / "right", "--backend", "Prometheus", "--tiers", "20s,40s", *target)
    wrong = render(tmp_path / "wrong", "--backend", "Prometheus", "--tiers", "30s,300s", *target)
    short, long = (prometheus(prometheus_binary, folder, name, block=f"{BLOCK_S}s") for name in ("20s", "40s"))
    keeps_all = prometheus(prometheus_binary, wrong, "30s", keeps="15d", block=f"{BLOCK_S}s")
    loses = prometheus(prometheus_binary, wrong, "300s", keeps="10s", block=f"{BLOCK_S}s")
    granularity_s = BLOCK_S + int(1.5 * BLOCK_S) + 60
    with running(short, long, keeps_all, loses), contextlib.ExitStack() as sources:
        tiers = (tier(short, "20s", granularity_s), tier(long, "40s", granularity_s))
        right = sources.enter_context(new_tiers(api, "Prometheus", long.url, *tiers))
        kept = sources.enter_context(new_tiers(api, "Prometheus", keeps_all.url, tier(keeps_all, "30s", 30)))
        lost = sources.enter_context(new_tiers(api, "Prometheus", loses.url, tier(loses, "300s", 30)))
        right.wait(("Unknown", "Waiting"), 20)
        eventually(lambda: right.tier("40s"), lambda found: "canaryAt" in found, 20, "a canary is taken")
        began = {name: epoch(right.tier(name)["canaryAt"]) for name in ("20s", "40s")}
        kept.wait(("False", "NotEnforced"), 100)
        assert kept.tier("30s")["fault"] == "KeptTooLong"
        right.wait(("True", "Proven"), 150)
        for name, began_at in began.items():
            lived = epoch(right.tier(name)["provenAt"]) - began_at
            print(f"tier {name}: a sample was gone after at most {lived:.0f} s")
            assert lived >= int(name.removesuffix("s")) - 2
        lost.wait(("False", "NotEnforced"), 60)
        assert lost.tier("300s")["fault"] == "LostEarly"
        operator.kill()
        operator.start()
        eventually(lambda: operator.leads, bool, 40, "it leads again")
        time.sleep(5)
        assert right.condition() == ("True", "Proven")
        short.stop()
        right.wait(("Unknown", "SourceDown"), 30)


def test_series_that_another_server_keeps_longer(
    api: client.ApiClient, operator: Operator, prometheus_binary: Path, tmp_path: Path
) -> None:
    """A job that does not drop them makes all retention of the short tier vain."""
    target = ("--targets", f"127.0.0.1:{operator.port}", "--interval", "1s")
    folder = render(tmp_path / "d", "--backend", "Prometheus", "--tiers", "20s,40s", *target)
    sieve = folder / "scrape-40s.yml"
    sieve.write_text(sieve.read_text().replace("regex: 40s", "regex: .*"))
    short, long = (prometheus(prometheus_binary, folder, name) for name in ("20s", "40s"))
    with running(short, long), new_tiers(
        api, "Prometheus", long.url, tier(short, "20s", 60), tier(long, "40s", 60)
    ) as source:  # fmt: skip
        source.wait(("False", "NotEnforced"), 30)
        assert source.tier("20s")["fault"] == "KeptElsewhere"
        assert source.tier("40s").get("fault") is None


def test_victoriametrics(api: client.ApiClient, operator: Operator, victoria: Path, tmp_path: Path) -> None:
    """A day and two days are proven in minutes; a node that keeps a week instead of a day is shown."""
    ports = {name: free_port() for name in ("1d", "2d", "wrong")}
    target = ("--targets", f"127.0.0.1:{operator.port}", "--interval", "1s")

    def address(name: str, tier: str) -> str:
        return f"{tier}=http://127.0.0.1:{ports[name]}"

    right_tiers = f"{address('1d', '1d')},{address('2d', '2d')}"
    folder = render(tmp_path / "right", "--backend", "VictoriaMetrics", "--tiers", right_tiers, *target)
    wrong = render(tmp_path / "wrong", "--backend", "VictoriaMetrics", "--tiers", address("wrong", "1d"), *target)
    binary = victoria / "victoria-metrics"
    short, long = (victoria_metrics(binary, folder, name, ports[name]) for name in ("1d", "2d"))
    week = victoria_metrics(binary, wrong, "1d", ports["wrong"], keeps="7d")
    agents = vmagent(victoria / "vmagent", folder), vmagent(victoria / "vmagent", wrong)
    with running(short, long, week, *agents), contextlib.ExitStack() as sources:
        tiers = (tier(short, "1d", 60), tier(long, "2d", 60))
        right = sources.enter_context(new_tiers(api, "VictoriaMetrics", long.url, *tiers))
        kept = sources.enter_context(new_tiers(api, "VictoriaMetrics", week.url, tier(week, "1d", 30)))
        began = time.monotonic()
        right.wait(("True", "Proven"), 200)
        print(f"a day and two days were proven after {time.monotonic() - began:.0f} s")
        kept.wait(("False", "NotEnforced"), 120)
        assert kept.tier("1d")["fault"] == "KeptTooLong"
