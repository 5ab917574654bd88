"""The base layer: mirrors, and what is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.images.base import parse_mirrors, remove


@pytest.mark.parametrize(
    ("listing", "want"),
    [
        pytest.param("", [], id="none"),
        pytest.param("Debian http://a/debian/\nDebian http://a/debian/\n", ["http://a/debian/"], id="once each"),
        pytest.param("Ubuntu http://b/ubuntu/\n http://c/\nDebian http://a/\n", ["http://a/"], id="only Debian's"),
    ],
)
def test_mirrors_of_apt(listing: str, want: list[str]) -> None:
    assert parse_mirrors(listing) == want


def test_a_pattern_removes_folders_files_and_links_but_not_what_links_lead_to(tmp_path: Path) -> None:
    (tmp_path / "a" / "tests" / "tests").mkdir(parents=True)
    (tmp_path / "a" / "tests" / "tests" / "x.py").touch()
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "y.py").touch()
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "tests").symlink_to(tmp_path / "kept")
    remove(tmp_path, "**/tests")
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")) == [
        "a",
        "b",
        "kept",
        "kept/y.py",
    ]


def test_a_pattern_that_matches_nothing_is_no_error(tmp_path: Path) -> None:
    remove(tmp_path, "usr/share/man")
