"""What the end-to-end tests share: the stage on the full cluster, and what is kept when a test fails."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from e2e.demo.gather import gather
from e2e.demo.ground import find_ground
from e2e.demo.stage import Stage
from e2e.faults.scene import Scene

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


@pytest.fixture(scope="session")
def shared_stage() -> Iterator[Stage]:
    """The stage on the full cluster or the user's, cleared when the last test is done."""
    found = Stage(ROOT, find_ground(os.environ.get("PRESAGE_CLUSTER", "")))
    yield found
    found.clear()


@pytest.fixture
def stage(request: pytest.FixtureRequest, artefacts: Path, shared_stage: Stage) -> Iterator[Stage]:
    """The shared stage; a failure leaves its evidence in the artefacts' folder."""
    yield shared_stage
    if request.node.stash.get(FAILED, False) and shared_stage.ground.is_up():
        print(f"\nevidence of the failure: {gather(shared_stage, artefacts / 'failure')}")


@pytest.fixture(scope="session")
def shared_scene(shared_stage: Stage) -> Iterator[Scene]:
    """One load for all faults; it is opened when a test asks for a moment of it."""
    found = Scene(shared_stage, ARTEFACTS)
    yield found
    found.close()


@pytest.fixture
def scene(request: pytest.FixtureRequest, stage: Stage, shared_scene: Scene) -> Iterator[Scene]:
    """The shared scene; a test that fails may leave it broken, so the next one begins a new day."""
    yield shared_scene
    if request.node.stash.get(FAILED, False):
        shared_scene.close()
