"""A real Prometheus for the demo: configuration, days of history as blocks, start, queries.

Beside our own cluster it runs as a recorded process of the cluster tool; `prometheus_pod` runs it elsewhere. It finds
the function's pods through the Kubernetes API, and scrapes each of them once a second, and what they record every other
second. The history is written as blocks before it first starts, as a counter of one pod that is no more; queries prove
that it is there.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from e2e.cluster import Cluster, ensure_binary
from e2e.demo.accounting import FloatArray
from e2e.demo.errors import UNREACHABLE, DemoError

NAME = "demo-prometheus"
PORT = 9090
METRIC = "http_requests_total"
TELEMETRY_JOB = "telemetry"
TELEMETRY_SECONDS = 2
"""Seconds between two scrapes of what the function records; the load's counter is scraped every second."""
FLAGS = (
    "--web.enable-lifecycle",
    "--storage.tsdb.retention.time=7d",
    "--query.lookback-delta=5s",
    "--scrape.discovery-reload-interval=100ms",
    "--enable-feature=extra-scrape-metrics",  # the bytes of each scrape
    "--log.level=warn",
)


def render_config(
    kubeconfig: Path | None, demo_namespace: str, operator_namespace: str, *, unscraped: Sequence[str] = ()
) -> str:
    """Return Prometheus' configuration as JSON, which is YAML too.

    Args:
        kubeconfig: with which it finds pods; None = with its service account.
        demo_namespace: of the function.
        operator_namespace: of presage.
        unscraped: names of the function's pods that are left out.
    """
    access = {} if kubeconfig is None else {"kubeconfig_file": str(kubeconfig)}

    def job(name: str, namespace: str, label: str, value: str, interval: str, path: str = "/metrics") -> dict[str, Any]:
        source = f"__meta_kubernetes_pod_label_{label}"
        return {
            "job_name": name,
            "honor_labels": True,
            "scrape_interval": interval,
            "scrape_timeout": interval,
            "metrics_path": path,
            "kubernetes_sd_configs": [{"role": "pod", "namespaces": {"names": [namespace]}, **access}],
            "relabel_configs": [
                {"source_labels": [source], "regex": value, "action": "keep"},
                {"source_labels": ["__meta_kubernetes_pod_phase"], "regex": "Pending|Running", "action": "keep"},
                {"source_labels": ["__meta_kubernetes_pod_container_port_name"], "regex": "http", "action": "keep"},
                {"source_labels": ["__meta_kubernetes_namespace"], "target_label": "namespace"},
                {"source_labels": ["__meta_kubernetes_pod_name"], "target_label": "pod"},
            ],
        }

    order = job("order", demo_namespace, "app", "order", "1s")
    telemetry = job(TELEMETRY_JOB, demo_namespace, "app", "order", f"{TELEMETRY_SECONDS}s", "/telemetry")
    if unscraped:
        left_out = {"source_labels": ["pod"], "regex": "|".join(unscraped), "action": "drop"}
        for each in (order, telemetry):
            each["relabel_configs"].append(left_out)
    return json.dumps(
        {
            "storage": {"tsdb": {"out_of_order_time_window": "10m"}},
            "scrape_configs": [
                order,
                telemetry,
                job("presage", operator_namespace, "app_kubernetes_io_name", "presage", "1s"),
            ],
        },
        indent=1,
    )


def render_openmetrics(labels: dict[str, str], times: Sequence[int], values: FloatArray) -> str:
    """Return one counter's samples as OpenMetrics text."""
    shown = ",".join(f'{name}="{value}"' for name, value in labels.items())
    family = METRIC.removesuffix("_total")
    lines = [f"{METRIC}{{{shown}}} {value:.3f} {when}" for when, value in zip(times, values, strict=True)]
    return "\n".join([f"# TYPE {family} counter", *lines, "# EOF"]) + "\n"


class PrometheusServer(ABC):
    """A Prometheus that the demo starts, wherever it runs.

    Attributes:
        url: Where presage asks it.
        kubeconfig: With which it finds pods; None = with its service account.
        start_seconds: Within which everything can be ready for a load, history included.
    """

    start_seconds = 15
    url: str
    kubeconfig: Path | None

    def provide(self) -> None:
        """See that it can be started at once; takes its time, unlike what comes after it.

        Raises:
            DemoError: its images cannot be given to the nodes.
        """
        for program in ("prometheus", "promtool"):
            ensure_binary(program)

    @abstractmethod
    def prepare(self, config: str) -> None:
        """Put a configuration in place, without any data."""

    @abstractmethod
    def import_history(self, openmetrics: str) -> None:
        """Hand over samples; it must not run yet.

        Raises:
            DemoError: they are refused.
        """

    @abstractmethod
    def start(self) -> None:
        """Start it; return when it answers."""

    @abstractmethod
    def remove(self) -> None:
        """Stop it and remove what it stored."""

    @abstractmethod
    def get(self, path: str, parameters: dict[str, str]) -> dict[str, Any]:
        """Return the answer to one GET.

        Raises:
            DemoError: it does not answer or refuses the query.
        """

    def query(self, promql: str, at: float | None = None) -> list[dict[str, Any]]:
        """Return the result of an instant query.

        Raises:
            DemoError: Prometheus does not answer or refuses the query.
        """
        return self._ask("query", {"query": promql, "time": f"{at if at is not None else time.time():.3f}"})

    def query_range(self, promql: str, start: float, end: float, step: float) -> list[dict[str, Any]]:
        """Return the result of a range query.

        Raises:
            DemoError: as for ``query``.
        """
        return self._ask(
            "query_range", {"query": promql, "start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step:g}"}
        )

    def value(self, promql: str, at: float | None = None) -> float | None:
        """Return the value of a query that gives one series, None where there is none."""
        result = self.query(promql, at)
        return float(result[0]["value"][1]) if result else None

    def _ask(self, path: str, parameters: dict[str, str]) -> list[dict[str, Any]]:
        result = self.get(f"/api/v1/{path}", parameters)["data"]["result"]
        if not isinstance(result, list):
            raise DemoError(f"{parameters['query']}: not a vector")
        return result


class Prometheus(PrometheusServer):
    """The demo's Prometheus in a folder of the cluster's state."""

    def __init__(self, cluster: Cluster, port: int = PORT) -> None:
        self._cluster = cluster
        self.kubeconfig = cluster.kubeconfig
        self._folder = cluster.state / NAME
        self._address = f"{cluster.host_ip}:{port}"
        self.url = f"http://{self._address}"

    def prepare(self, config: str) -> None:
        """Write an empty data folder and the configuration."""
        self.remove()
        (self._folder / "data").mkdir(parents=True)
        (self._folder / "prometheus.yml").write_text(config)

    def import_history(self, openmetrics: str) -> None:
        """Write samples as blocks; Prometheus must not run yet.

        Raises:
            DemoError: promtool refused them.
        """
        source = self._folder / "history.om"
        source.write_text(openmetrics)
        argv = [ensure_binary("promtool"), "tsdb", "create-blocks-from", "openmetrics", source, self._folder / "data"]
        done = subprocess.run([str(each) for each in argv], capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise DemoError(f"promtool could not write the history: {done.stderr.strip() or done.stdout.strip()}")

    def start(self) -> None:
        """Start it; return when it answers."""
        argv = [
            str(ensure_binary("prometheus")),
            f"--config.file={self._folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self._folder / 'data'}",
            f"--web.listen-address={self._address}",
            *FLAGS,
        ]
        self._cluster.start(NAME, argv, ready=self._is_ready, timeout=30)

    def reload(self, config: str) -> None:
        """Give the running server another configuration.

        Raises:
            DemoError: it refuses it or does not answer.
        """
        (self._folder / "prometheus.yml").write_text(config)
        try:
            with urllib.request.urlopen(f"{self.url}/-/reload", data=b"", timeout=10):  # noqa: S310 - our own address
                pass
        except OSError as error:
            raise DemoError(f"Prometheus at {self.url} does not take the new configuration: {error}") from error

    def stop(self) -> None:
        """Stop it; what it stored stays."""
        self._cluster.stop(NAME)

    def remove(self) -> None:
        """Stop it and remove what it stored."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=1) as answer:  # noqa: S310 - our own address
                return bool(answer.status == 200)
        except OSError:
            return False

    def get(self, path: str, parameters: dict[str, str]) -> dict[str, Any]:
        """Return the answer to one GET."""
        url = f"{self.url}{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own address
                document: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError as error:
            raise DemoError(f"Prometheus refused {parameters['query']}: {error.read()[:200]!r}") from error
        except OSError as error:
            raise DemoError(f"Prometheus at {self.url} does not answer: {error}", UNREACHABLE) from error
        return document


def prove_history(prometheus: PrometheusServer, load_query: str, expected: Sequence[tuple[float, float]]) -> str:
    """Check the stored history at some moments against what was written; return a line that says so.

    Args:
        prometheus: the running server.
        load_query: the query by which the load is read.
        expected: (Unix seconds, requests a second) to be found.

    Raises:
        DemoError: a sample is absent or differs by more than 2 % and 1 request a second.
    """
    for when, want in expected:
        got = prometheus.value(load_query, when)
        if got is None or abs(got - want) > max(1.0, 0.02 * want):
            raise DemoError(f"history at {when:.0f}: {load_query} gives {got}, {want:.1f} was written")
    return f"{len(expected)} moments of the history queried and found as written"
