"""The operator as a process of its own, a real Prometheus, and a target whose load the test sets."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from kubernetes import client

from e2e.bench.processes import free_port
from e2e.waiting import eventually
from presage.resources.base import GROUP, VERSION

ROOT = Path(__file__).parents[3]


class Exporter:
    """A scrape target: one counter that grows at `rate` per second."""

    def __init__(self) -> None:
        self.rate = 0.0
        self._count, self._at = 0.0, time.monotonic()
        exporter = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = exporter.render()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def render(self) -> bytes:
        now = time.monotonic()
        self._count += self.rate * (now - self._at)
        self._at = now
        return f'# TYPE orders_total counter\norders_total{{route="/order"}} {self._count}\n'.encode()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Counters(Exporter):
    """A scrape target with a counter for each of `rates`, by its series; one that is taken out is exported no more."""

    def __init__(self) -> None:
        self.rates: dict[str, float] = {}
        self._counts: dict[str, float] = {}
        self._then = time.monotonic()
        super().__init__()

    def render(self) -> bytes:
        now = time.monotonic()
        for series, rate in self.rates.items():
            self._counts[series] = self._counts.get(series, 0.0) + rate * (now - self._then)
        self._then = now
        shown = tuple(self.rates)
        types = dict.fromkeys(f"# TYPE {series.partition('{')[0]} counter" for series in shown)
        return "\n".join((*types, *(f"{series} {self._counts[series]}" for series in shown), "")).encode()


class Prometheus:
    """A real Prometheus that scrapes each second, and further targets that files tell, if a pattern names any."""

    def __init__(self, binary: Path, folder: Path, target_port: int, *options: str, files: str = "") -> None:
        self._binary, self._folder, self._options = binary, folder, options
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        told = {"job_name": "told", "file_sd_configs": [{"files": [files], "refresh_interval": "1s"}]}
        target = {"job_name": "target", "static_configs": [{"targets": [f"127.0.0.1:{target_port}"]}]}
        settings = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "scrape_configs": [target, told] if files else [target],
        }
        (folder / "prometheus.yml").write_text(json.dumps(settings))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        arguments = [f"--config.file={self._folder}/prometheus.yml", f"--storage.tsdb.path={self._folder}/tsdb"]
        arguments += [f"--web.listen-address=127.0.0.1:{self.port}", *self._options]
        with (self._folder / "prometheus.log").open("ab") as log:
            self._process = subprocess.Popen([str(self._binary), *arguments], stdout=log, stderr=log)
        eventually(self._ready, bool, 30, "Prometheus is ready")

    def _ready(self) -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/-/ready", timeout=1) as answer:  # noqa: S310
            return bool(answer.status == 200)
        return False

    def stop(self) -> None:
        end(self._process)
        self._process = None


class Operator:
    """`presage operator` as users run it, outside a pod."""

    module = ("presage", "operator")

    def __init__(self, kubeconfig: Path, namespace: str, folder: Path, name: str, **more: str) -> None:
        self.port, self.name = free_port(), name
        self._environment = {
            **os.environ,
            "KUBECONFIG": str(kubeconfig),
            "PRESAGE_NAMESPACE": namespace,
            "PRESAGE_POD_NAME": name,
            "PRESAGE_HTTP_PORT": str(self.port),
            "PRESAGE_ALLOW_LOOPBACK": "true",
            **more,
        }
        self.log = folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, within_s: float = 40) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *self.module], env=self._environment, cwd=ROOT, stdout=log, stderr=log
            )
        eventually(lambda: self.get("/healthz")[0], lambda status: status == 200, within_s, f"{self.name} answers")

    @property
    def pid(self) -> int:
        """Its process id, once it was started."""
        assert self._process is not None
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether the process that was started last still lives."""
        return self._process is not None and self._process.poll() is None

    def lines(self) -> list[dict[str, Any]]:
        """Return the log; a line that is no JSON, as of a traceback, fails the test."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def told(self) -> list[str | None]:
        """Return each trouble that was logged, None where one was over."""
        return [line.get("trouble") for line in self.lines() if line["event"] in ("trouble", "trouble.over")]

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=2) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    @property
    def leads(self) -> bool:
        return "presage_leader 1.0" in self.get("/metrics")[1]

    def kill(self) -> None:
        """End it as a crash would."""
        end(self._process, signal.SIGKILL)
        self._process = None

    def stop(self) -> int | None:
        """End it as the kubelet would; return the exit code."""
        code = end(self._process)
        self._process = None
        return code


def end(process: subprocess.Popen[bytes] | None, number: int = signal.SIGTERM) -> int | None:
    if process is None:
        return None
    process.send_signal(number)
    try:
        return process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


class Shop:
    """One namespace with a Deployment and its MetricProfile."""

    def __init__(self, api: client.ApiClient, namespace: str, source: str) -> None:
        self.namespace, self._source = namespace, source
        self.apps, self.scaling = client.AppsV1Api(api), client.AutoscalingV2Api(api)
        self.objects = client.CustomObjectsApi(api)

    def create_target(self, name: str = "shop", replicas: int = 2) -> None:
        template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "c", "image": "none"}]}}
        spec = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template}
        self.apps.create_namespaced_deployment(self.namespace, {"metadata": {"name": name}, "spec": spec})

    def create_profile(
        self,
        name: str = "shop",
        load: dict[str, Any] | None = None,
        further: Sequence[dict[str, Any]] = (),
        found: dict[str, Any] | None = None,
        **scaling: Any,
    ) -> None:
        """Create a MetricProfile of the exporter's counter, or of another load, and of further event types.

        Or of none but those that are `found` from a label.
        """
        load = load or {"counter": {"metric": "orders_total", "windowSeconds": 4}}
        given = [{"name": "order", "load": load}, *further]
        body = {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": "MetricProfile",
            "metadata": {"name": name},
            "spec": {
                "target": {"name": "shop"},
                "sourceRef": {"name": self._source},
                **({"eventTypes": given} if found is None else {"eventTypesFrom": found}),
                "forecast": {
                    "stepSeconds": 1,
                    "historySeconds": 20,
                    "horizonSeconds": 10,
                    "seasonsSeconds": [10],
                },
                "scaling": {
                    "minReplicas": 1,
                    "maxReplicas": 20,
                    "perPod": "10",
                    "decisionPeriodSeconds": 1,
                    "stabilizationWindowSeconds": 3,
                    "maxDownPercent": 50,
                    "downPeriodSeconds": 1,
                    "leadTimeSeconds": 2,
                    "maxSampleAgeSeconds": 5,
                    **scaling,
                },
            },
        }
        self.objects.create_namespaced_custom_object(GROUP, VERSION, self.namespace, "metricprofiles", body)

    def profile(self, name: str = "shop") -> dict[str, Any]:
        found = self.objects.get_namespaced_custom_object(GROUP, VERSION, self.namespace, "metricprofiles", name)
        return dict(found)

    def condition(self, kind: str, name: str = "shop") -> tuple[str, str]:
        """Return status and reason of one condition; empty ones if it is not there."""
        conditions = (self.profile(name).get("status") or {}).get("conditions", [])
        found = next((c for c in conditions if c["type"] == kind), {"status": "", "reason": ""})
        return found["status"], found["reason"]

    def wait_for(self, kind: str, wanted: tuple[str, str], within_s: float = 20, name: str = "shop") -> None:
        """Wait until a condition has this status and reason."""
        eventually(lambda: self.condition(kind, name), lambda found: found == wanted, within_s, f"{kind} is {wanted}")

    def replicas(self, name: str = "shop") -> int:
        return int(self.apps.read_namespaced_deployment(name, self.namespace).spec.replicas)

    def reasons(self) -> set[str]:
        """Return the reasons of presage's events here."""
        return {reason for reason, _ in self.events()}

    def events(self) -> list[tuple[str, str]]:
        """Return reason and note of each of presage's events here."""
        # Raw: the client's model refuses events without eventTime, which other controllers still write.
        found = self.objects.list_namespaced_custom_object("events.k8s.io", "v1", self.namespace, "events")
        own = (e for e in found["items"] if e.get("reportingController") == "presage.dev/operator")
        return [(e["reason"], e.get("note", "")) for e in own]


@contextlib.contextmanager
def create_source(
    api: client.ApiClient, url: str, *, tenant: tuple[str, str] | None = None, **limits: int
) -> Iterator[str]:
    """Give the name of a MetricSource that is there for as long as the block lasts; `tenant` is forced on queries."""
    objects, name = client.CustomObjectsApi(api), f"source-{uuid.uuid4().hex[:8]}"
    spec: dict[str, Any] = {"url": url, "checkPeriodSeconds": 5, "limits": {"timeoutSeconds": 2, **limits}}
    if tenant is not None:
        spec["tenantLabel"] = dict(zip(("name", "value"), tenant, strict=True))
    body = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "MetricSource", "metadata": {"name": name}, "spec": spec}
    objects.create_cluster_custom_object(GROUP, VERSION, "metricsources", body)
    try:
        yield name
    finally:
        with contextlib.suppress(client.ApiException):  # it may have gone with its CRD
            objects.delete_cluster_custom_object(GROUP, VERSION, "metricsources", name)


@contextlib.contextmanager
def running(*parts: Any) -> Iterator[None]:
    """Start parts in order, stop them in reverse."""
    with contextlib.ExitStack() as stack:
        for part in parts:
            stack.callback(part.stop)  # also of one that started and is not well
            part.start()
        yield
