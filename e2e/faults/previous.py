"""The chart as it was before: taken from the repository's history."""

from __future__ import annotations

import io
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from e2e.demo.stage import CHART


@dataclass(frozen=True)
class PreviousChart:
    """An earlier chart; `origin` tells a person where it comes from."""

    path: Path
    origin: str


def export_previous_chart(root: Path, folder: Path) -> PreviousChart:
    """Write the newest chart that differs from the present one into a folder.

    Where the clone does not hold so much history, it is that of the newest tag, and where there is none, that of the
    last commit; `origin` says so.

    Args:
        root: the repository's folder.
        folder: an empty one.

    Raises:
        subprocess.CalledProcessError: this is no clone at all.
    """
    commit, origin = _find_commit(root)
    packed = subprocess.run(["git", "archive", commit, str(CHART)], cwd=root, capture_output=True, check=True)
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return PreviousChart(folder / CHART, origin)


def _find_commit(root: Path) -> tuple[str, str]:
    versions = _git(root, "log", "--format=%H", "-n", "2", "--", str(CHART)).split()
    edited = bool(_git(root, "status", "--porcelain", "--", str(CHART)).strip())
    earlier = versions[0 if edited else 1 :][:1]
    if earlier:
        return earlier[0], _git(root, "log", "-1", "--format=commit %h (%cs): %s", earlier[0]).strip()
    tags = _git(root, "tag", "--sort=-creatordate").split()
    if tags:
        return tags[0], f"tag {tags[0]}: this clone holds no earlier chart"
    return "HEAD", "the last commit: this clone holds no earlier chart and no tag, so it is the present one"


def _git(root: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True).stdout
