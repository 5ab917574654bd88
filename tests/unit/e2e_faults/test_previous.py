from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from e2e.demo.stage import CHART, CRD_STEP, CRDS
from e2e.faults.previous import export_previous_chart

ROOT = Path(__file__).parents[3]


def git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


def write_chart(root: Path, version: str) -> None:
    (root / CHART).mkdir(parents=True, exist_ok=True)
    (root / CHART / "Chart.yaml").write_text(f"version: {version}\n")


def commit(root: Path, subject: str) -> None:
    git(root, "add", "--all")
    git(root, "commit", "--allow-empty", "-m", subject)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "clone"
    folder.mkdir()
    git(folder, "init", "-q")
    write_chart(folder, "1")
    commit(folder, "first chart")
    return folder


def exported(root: Path, tmp_path: Path) -> tuple[str, str]:
    found = export_previous_chart(root, tmp_path / "out")
    return (found.path / "Chart.yaml").read_text().strip(), found.origin


def test_the_chart_before_the_last_change_of_it(root: Path, tmp_path: Path) -> None:
    write_chart(root, "2")
    commit(root, "second chart")
    (root / "other").write_text("")
    commit(root, "no chart")
    version, origin = exported(root, tmp_path)
    assert version == "version: 1"
    assert origin.endswith("first chart")


def test_an_edited_chart_has_the_last_commit_before_it(root: Path, tmp_path: Path) -> None:
    write_chart(root, "edited")
    version, origin = exported(root, tmp_path)
    assert (version, origin.endswith("first chart")) == ("version: 1", True)


def test_a_clone_of_one_commit_says_so(root: Path, tmp_path: Path) -> None:
    version, origin = exported(root, tmp_path)
    assert version == "version: 1"
    assert "holds no earlier chart and no tag" in origin


def test_a_tag_stands_in_for_a_history_that_is_not_there(root: Path, tmp_path: Path) -> None:
    git(root, "tag", "v1")
    assert exported(root, tmp_path) == ("version: 1", "tag v1: this clone holds no earlier chart")


def test_the_readme_gives_the_steps_that_the_test_takes() -> None:
    readme = (ROOT / "README.md").read_text()
    assert f"kubectl {' '.join(CRD_STEP)} crds/" in readme
    assert "helm upgrade presage charts/presage" in readme
    assert "helm rollback presage" in readme
    assert f"kubectl delete crd {' '.join(CRDS)}" in readme
