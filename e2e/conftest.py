"""What the end-to-end tests share: the stage on the full cluster, and what is kept when a test fails."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from e2e.cluster import Cluster
from e2e.demo.gather import gather
from e2e.demo.stage import Stage

ROOT = Path(__file__).resolve().parents[1]
ARTEFACTS = ROOT / os.environ.get("PRESAGE_ARTEFACTS", "out/e2e")
FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember whether any phase of a test failed, for what gathers evidence after it."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


@pytest.fixture
def artefacts(request: pytest.FixtureRequest) -> Path:
    """Folder for what a test leaves behind, emptied before it."""
    folder: Path = ARTEFACTS / request.node.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def stage(request: pytest.FixtureRequest, artefacts: Path) -> Iterator[Stage]:
    """A stage on the full cluster, cleared afterwards; a failure leaves its evidence in the artefacts' folder."""
    found = Stage(ROOT, Cluster("full"))
    yield found
    if request.node.stash.get(FAILED, False) and found.cluster.is_up():
        print(f"\nevidence of the failure: {gather(found, artefacts / 'failure')}")
    found.clear()
