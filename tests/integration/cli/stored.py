"""A real Prometheus that holds a history of the test's own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from e2e.bench.processes import free_port
from e2e.cluster import ensure_binary
from tests.integration.operator.harness import Prometheus, running


@contextmanager
def serve(folder: Path, lines: Sequence[str]) -> Iterator[Prometheus]:
    """Yield a Prometheus that serves samples in the OpenMetrics format, oldest first, each with its time."""
    (folder / "history.om").write_text("\n".join([*lines, "# EOF", ""]))
    command = [ensure_binary("promtool"), "tsdb", "create-blocks-from", "openmetrics", "-q"]
    subprocess.run([*map(str, command), str(folder / "history.om"), str(folder / "tsdb")], check=True, timeout=120)
    server = Prometheus(ensure_binary("prometheus"), folder, free_port(), "--storage.tsdb.retention.time=100d")
    with running(server):
        yield server
