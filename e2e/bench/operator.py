"""The operator as a process of its own, and what its own metrics say."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from e2e.bench.processes import fetch, free_port, running
from e2e.waiting import eventually


@dataclass(frozen=True)
class Scrape:
    """One look at the operator's metrics: values by series name and labels."""

    values: Mapping[tuple[str, frozenset[tuple[str, str]]], float]

    def total(self, name: str, **labels: str) -> float:
        """Return the sum of the series of a name that have these labels."""
        wanted = set(labels.items())
        return sum(value for (series, own), value in self.values.items() if series == name and wanted <= own)

    def count(self, name: str) -> int:
        """Return how many series a name has."""
        return sum(series == name for series, _ in self.values)

    def since(self, earlier: Scrape) -> Scrape:
        """Return the growth of every series."""
        return Scrape({key: value - earlier.values.get(key, 0.0) for key, value in self.values.items()})

    def quantile(self, histogram: str, level: float) -> float:
        """Return an upper bound of a quantile: the bucket's edge, interpolated within the bucket."""
        buckets = sorted(
            (float(dict(own)["le"]), value)
            for (name, own), value in self.values.items()
            if name == f"{histogram}_bucket"
        )
        if not buckets or buckets[-1][1] <= 0:
            return float("nan")
        rank, low, below = level * buckets[-1][1], 0.0, 0.0
        for edge, count in buckets:
            if count >= rank:
                share = (rank - below) / (count - below) if count > below else 1.0
                return low + (edge - low) * share if edge != float("inf") else float("inf")
            low, below = edge, count
        return float("inf")


class Operator:
    """A running operator.

    Attributes:
        pid: Its process id.
    """

    def __init__(self, pid: int, port: int, log: Path) -> None:
        self.pid, self._port, self._log = pid, port, log

    def scrape(self) -> Scrape:
        """Return its metrics now, all zero if it does not answer."""
        text = fetch(f"http://127.0.0.1:{self._port}/metrics") or ""
        families = text_string_to_metric_families(text)
        return Scrape({(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples})

    def active_at(self) -> float | None:
        """Return the epoch second at which it got the Lease, None before."""
        for line in self._log.read_text(errors="replace").splitlines():
            if '"lease.acquired"' in line:
                stamp = json.loads(line)["timestamp"]
                return datetime.fromisoformat(stamp).timestamp()
        return None

    def wait_until_active(self) -> float:
        """Return the epoch second at which it got the Lease.

        Raises:
            NotInTimeError: It does not within a minute.
        """
        active = eventually(self.active_at, bool, 60, f"the operator is active, see {self._log}")
        assert active is not None, "narrows the type"
        return active


@contextlib.contextmanager
def operating(kubeconfig: Path, namespace: str, log: Path, profile: Path | None = None) -> Iterator[Operator]:
    """Run the operator for the time of the block, with a profiler around it if a file for its result is given."""
    port = free_port()
    environment = {
        "KUBECONFIG": str(kubeconfig),
        "PRESAGE_NAMESPACE": namespace,
        "PRESAGE_POD_NAME": log.stem,
        "PRESAGE_HTTP_PORT": str(port),
        "PRESAGE_ALLOW_LOOPBACK": "true",
    }
    profiler = ["-m", "cProfile", "-o", str(profile)] if profile else []
    with running([sys.executable, *profiler, "-m", "presage", "operator"], log, environment) as pid:
        yield Operator(pid, port, log)
