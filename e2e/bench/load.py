"""Load for the bench: real exporters, and a real Prometheus that scrapes them and holds days of history.

The load is steady, with the noise and the daily shape that real ones have, and small enough that one replica does: what
an idle object costs is measured on an object that has something to decide, and nothing to change.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import math
import random
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from e2e.bench.processes import BenchError, fetch, free_port, running
from e2e.cluster import ensure_binary
from e2e.cluster.progress import part
from e2e.waiting import eventually

METRIC = "queue_waiting"
EXPORTERS = 4
SCRAPE_S = 5
_HISTORY_DAYS = 9
_HISTORY_STEP_S = 300
_DAY_S = 86_400


def load_at(number: int, when: float, noise: float) -> float:
    """Return the load of one object at epoch second `when`: 20 … 40 over a day, and a tenth of noise."""
    return (30 - 10 * math.cos(2 * math.pi * (when + 600 * number) / _DAY_S)) * (1 + 0.1 * noise)


def render_scrape(numbers: range, when: float, rng: random.Random) -> str:
    """Return the exposition of some objects' loads."""
    lines = [f'{METRIC}{{route="/{n}"}} {load_at(n, when, rng.uniform(-1, 1)):.4f}' for n in numbers]
    return "\n".join([f"# TYPE {METRIC} gauge", *lines]) + "\n"


def render_history(objects: int, until: float, rng: random.Random) -> Iterator[str]:
    """Yield OpenMetrics lines of all objects' loads over the past days, labelled as if scraped."""
    yield f"# TYPE {METRIC} gauge\n"
    times = range(int(until) - _HISTORY_DAYS * _DAY_S, int(until), _HISTORY_STEP_S)
    for n in range(objects):
        labels = f'{{instance="history",job="bench",route="/{n}"}}'
        yield "".join(f"{METRIC}{labels} {load_at(n, t, rng.uniform(-1, 1)):.4f} {t}\n" for t in times)
    yield "# EOF\n"


@contextlib.contextmanager
def exporting(objects: int) -> Iterator[list[int]]:
    """Serve the loads of all objects on several ports; gives the ports."""
    servers = []
    for index in range(EXPORTERS):
        numbers, rng = range(index, objects, EXPORTERS), random.Random(index)  # noqa: S311 - noise, no secret

        class Handler(http.server.BaseHTTPRequestHandler):
            own, noise = numbers, rng

            def do_GET(self) -> None:
                body = render_scrape(self.own, time.time(), self.noise).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
    try:
        yield [server.server_port for server in servers]
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


@contextlib.contextmanager
def prometheus(folder: Path, objects: int) -> Iterator[str]:
    """Run exporters and Prometheus with history for the time of the block; gives its address."""
    with exporting(objects) as ports, contextlib.ExitStack() as stack:
        folder.mkdir(parents=True)
        with part("days of history", "writing", "written"):
            _import_history(folder, objects)
        targets = [f"127.0.0.1:{port}" for port in ports]
        scrape = {"job_name": "bench", "static_configs": [{"targets": targets}]}
        interval = f"{SCRAPE_S}s"
        config = {"global": {"scrape_interval": interval, "scrape_timeout": interval}, "scrape_configs": [scrape]}
        (folder / "prometheus.yml").write_text(json.dumps(config))
        url = f"http://127.0.0.1:{free_port()}"
        argv = [
            str(ensure_binary("prometheus")),
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={url.removeprefix('http://')}",
            "--storage.tsdb.retention.time=30d",
            "--log.level=warn",
        ]
        stack.enter_context(running(argv, folder / "prometheus.log"))
        eventually(lambda: fetch(f"{url}/-/ready"), bool, 30, f"Prometheus is ready, see {folder}/prometheus.log")
        eventually(lambda: _count(url, METRIC), lambda scraped: scraped >= objects, 30, "every load is scraped")
        found = _count(url, f"{METRIC} offset 8d")
        if found < objects:
            raise BenchError(f"the history of {objects - found} objects is not in Prometheus")
        yield url


def _import_history(folder: Path, objects: int) -> None:
    source = folder / "history.om"
    with source.open("w") as output:
        output.writelines(render_history(objects, time.time() - 2 * SCRAPE_S, random.Random(0)))  # noqa: S311 - noise
    argv = [ensure_binary("promtool"), "tsdb", "create-blocks-from", "openmetrics", source, folder / "data"]
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        raise BenchError(f"promtool could not write the history: {done.stderr.strip() or done.stdout.strip()}")
    source.unlink()


def _count(url: str, selector: str) -> int:
    """Return how many series a selector has."""
    answer = fetch(f"{url}/api/v1/query?query=count({selector.replace(' ', '%20')})")
    result = json.loads(answer)["data"]["result"] if answer else []
    return int(result[0]["value"][1]) if result else 0


def count_requests(url: str) -> float:
    """Return how many queries Prometheus has answered, by its own count."""
    lines = (fetch(f"{url}/metrics") or "").splitlines()
    asked = [x for x in lines if x.startswith("prometheus_http_requests_total") and '"/api/v1/query' in x]
    return sum(float(line.rsplit(" ", 1)[1]) for line in asked)
