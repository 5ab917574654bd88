"""The cache: what is found again, what is kept, and what a stopped build leaves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from e2e.cluster.errors import ClusterError
from e2e.images import cache, content
from e2e.images.__main__ import render
from e2e.images.build import ImageArchive, find_image, layers_to_keep
from e2e.images.roles import ROLES

ROLE = ROLES["dataplane"]
FACTS = {"name": "localhost/presage-dataplane:1", "digest": "sha256:1", "compressed_bytes": 2, "unpacked_bytes": 3}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cache.cache_folder().mkdir(parents=True)
    return cache.cache_folder()


def test_an_image_of_the_sources_as_they_are_is_found(folder: Path) -> None:
    path = folder / f"presage-dataplane-{content.code_key(ROLE)}.tar"
    path.with_suffix(".json").write_text(json.dumps(FACTS))
    assert find_image(ROLE) is None  # facts without an archive
    path.touch()
    assert find_image(ROLE) == ImageArchive("localhost/presage-dataplane:1", path, 2, 3, "sha256:1")


def test_an_image_of_other_sources_is_not_found(folder: Path) -> None:
    path = folder / "presage-dataplane-000000000000.tar"
    path.touch()
    path.with_suffix(".json").write_text(json.dumps(FACTS))
    assert find_image(ROLE) is None


def test_layers_used_last_are_kept_by_kind() -> None:
    used = {f"base-{n}": float(n) for n in range(3)} | {f"packages-a-{n}": float(n) for n in range(6)}
    assert layers_to_keep(used) == {f"base-{n}" for n in (1, 2)} | {f"packages-a-{n}" for n in (2, 3, 4, 5)}


def test_a_stopped_build_leaves_nothing_that_is_used(folder: Path) -> None:
    with cache.scratch("base") as root:
        (root / "half").touch()
    assert list(folder.iterdir()) == []
    (folder / ".base-killed" / "root").mkdir(parents=True)
    (folder / "base-1").mkdir()
    cache.remove_leftovers()
    assert [path.name for path in folder.iterdir()] == ["base-1"]


def test_a_failed_command_names_part_log_and_remedy() -> None:
    with pytest.raises(ClusterError) as caught:
        cache.run("some part", ["sh", "-c", "echo why >&2; exit 3"])
    report = caught.value.report()
    assert "some part: sh ended with exit code 3" in report
    assert "| why" in report
    assert "run by hand: sh -c" in report


def test_the_table_says_what_is_not_built() -> None:
    assert render("operator", None).split(maxsplit=1) == ["localhost/presage-operator", "not built"]
    image = ImageArchive("localhost/presage-operator:1", Path("x.tar"), 2_000_000, 3_000_000, "sha256:1")
    assert render("operator", image).split() == ["localhost/presage-operator:1", "2", "MB", "3", "MB", "x.tar"]
