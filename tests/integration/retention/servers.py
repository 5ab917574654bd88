"""The real programs that keep series, started with the arguments and files that `presage retention render` writes."""

from __future__ import annotations

import contextlib
import json
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from e2e.bench.processes import free_port
from e2e.waiting import eventually
from presage.__main__ import main
from tests.integration.operator.harness import Exporter, end


class Functions(Exporter):
    """What functions export: a series of each tier, and one without a tier."""

    def __init__(self, *tiers: str) -> None:
        self._tiers = tiers
        super().__init__()

    def render(self) -> bytes:
        rows = "".join(f'presage_order_events_total{{presage_retention="{tier}"}} 7\n' for tier in self._tiers)
        return f"# TYPE presage_order_events_total counter\n{rows}# TYPE other gauge\nother 1\n".encode()


class Server:
    """One program with an HTTP API."""

    def __init__(self, argv: Sequence[str], folder: Path, name: str, port: int, ready: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._argv, self._folder, self._name, self._ready_path = list(argv), folder, name, ready
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self._folder / f"{self._name}.log").open("ab") as log:
            self._process = subprocess.Popen(self._argv, cwd=self._folder, stdout=log, stderr=log)
        eventually(self._ready, bool, 30, f"{self._name} is ready")

    def _ready(self) -> bool:
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(self.url + self._ready_path, timeout=1) as answer,  # noqa: S310
        ):
            return bool(answer.status == 200)
        return False

    def stop(self) -> None:
        end(self._process)
        self._process = None

    def query(self, query: str) -> list[dict[str, Any]]:
        """Return the result of an instant query, now."""
        address = f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': query, 'nocache': 1})}"
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return found

    def tiers(self, metric: str = "presage_order_events_total") -> set[str]:
        """Return the tiers whose series are here; empty is a series without one."""
        return {entry["metric"].get("presage_retention", "") for entry in self.query(metric)}


def render(folder: Path, *arguments: str) -> Path:
    """Write the documents as a user does."""
    assert main(["retention", "render", *arguments, "-o", str(folder)]) == 0
    return folder


def read_arguments(file: Path) -> list[str]:
    found: list[str] = yaml.safe_load(file.read_text())
    return found


def prometheus(binary: Path, folder: Path, tier: str, *, keeps: str = "", block: str = "10s") -> Server:
    """Return the server of one tier, with blocks that are short.

    Args:
        binary: The program.
        folder: Of the documents.
        tier: The tier.
        keeps: A retention of its own instead of that of the documents, as of a server that was set up wrong.
        block: Length of its blocks.
    """
    port = free_port()
    (folder / f"prometheus-{tier}.yml").write_text(f"scrape_config_files: [scrape-{tier}.yml]\n")
    arguments = [f"--storage.tsdb.retention.time={keeps}"] if keeps else []
    arguments = arguments or read_arguments(folder / f"prometheus-{tier}.args.yml")
    arguments += [f"--config.file=prometheus-{tier}.yml", f"--storage.tsdb.path=tsdb-{tier}"]
    arguments += [f"--storage.tsdb.min-block-duration={block}", f"--storage.tsdb.max-block-duration={block}"]
    argv = [str(binary), *arguments, f"--web.listen-address=127.0.0.1:{port}"]
    return Server(argv, folder, f"prometheus-{tier}", port, "/-/ready")


def victoria_metrics(binary: Path, folder: Path, tier: str, port: int, *, keeps: str = "") -> Server:
    """Return the single node of one tier; `keeps` as of `prometheus`."""
    own = [f"-retentionPeriod={keeps}"] if keeps else read_arguments(folder / f"victoria-metrics-{tier}.args.yml")
    argv = [str(binary), *own, f"-storageDataPath=data-{tier}", f"-httpListenAddr=127.0.0.1:{port}"]
    return Server(argv, folder, f"victoria-metrics-{tier}", port, "/health")


def vmagent(binary: Path, folder: Path) -> Server:
    """Return the agent that scrapes and sends to each node."""
    port = free_port()
    own = [f"-httpListenAddr=127.0.0.1:{port}", "-remoteWrite.tmpDataPath=vmagent-data"]
    return Server([str(binary), *read_arguments(folder / "vmagent.args.yml"), *own], folder, "vmagent", port, "/health")
