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
    packed = _git(root, "archive", commit, str(CHART))
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    return PreviousChart(folder / CHART, origin)


def _find_commit(root: Path) -> tuple[str, str]:
    versions = _ask(root, "log", "--format=%H", "-n", "2", "--", str(CHART)).split()
    edited = bool(_ask(root, "status", "--porcelain", "--", str(CHART)))
    earlier = versions[0 if edited else 1 :][:1]
    if earlier:
        return earlier[0], _ask(root, "log", "-1", "--format=commit %h (%cs): %s", earlier[0])
    tags = _ask(root, "tag", "--sort=-creatordate").split()
    if tags:
        return tags[0], f"tag {tags[0]}: this clone holds no earlier chart"
    return "HEAD", "the last commit: this clone holds no earlier chart and no tag, so it is the present one"


def _ask(root: Path, *words: str) -> str:
    return _git(root, *words).decode().strip()


def _git(root: Path, *words: str) -> bytes:
    """Run git; the tests need root, and the clone may be another user's."""
    argv = ["git", "-c", "safe.directory=*", *words]
    return subprocess.run(argv, cwd=root, capture_output=True, check=True).stdout
