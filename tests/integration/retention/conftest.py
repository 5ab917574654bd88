"""The real programs: Prometheus is built, VictoriaMetrics is Debian's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.cluster import ensure_binary
from e2e.cluster.debian import ensure_unpacked
from tests.integration.retention.servers import Functions


@pytest.fixture(scope="session")
def prometheus_binary() -> Path:
    return ensure_binary("prometheus")


@pytest.fixture(scope="session")
def promtool() -> Path:
    return ensure_binary("promtool")


@pytest.fixture(scope="session")
def victoria() -> Path:
    """The folder of VictoriaMetrics' programs."""
    return ensure_unpacked("victoria-metrics") / "usr/bin"


@pytest.fixture
def functions(request: pytest.FixtureRequest) -> Iterator[Functions]:
    exporter = Functions("20s", "40s", "1d", "2d")
    yield exporter
    exporter.stop()
