"""What decides whether a program is built anew, and which cache entries stay."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from e2e.cluster import builds
from e2e.cluster.builds import BINARIES, Binary, cache_key, parse_go_version, prune
from e2e.cluster.errors import ClusterError

GO = "go version go1.26.8 linux/amd64"
TOOL = Binary("tool", "mod", "example.org/tool", ("a", "b"), ("-s",))
SOURCES = {"go.mod": b"module x", "go.sum": b"h1:"}


@pytest.mark.parametrize(
    ("binary", "sources", "go"),
    [
        pytest.param(replace(TOOL, package="example.org/other"), SOURCES, GO, id="package"),
        pytest.param(replace(TOOL, tags=("a",)), SOURCES, GO, id="tags"),
        pytest.param(replace(TOOL, ldflags=("-w",)), SOURCES, GO, id="ldflags"),
        pytest.param(TOOL, {**SOURCES, "go.mod": b"module y"}, GO, id="go.mod"),
        pytest.param(TOOL, {**SOURCES, "go.sum": b"h2:"}, GO, id="go.sum"),
        pytest.param(TOOL, {**SOURCES, "main.go": b"package main"}, GO, id="own code"),
        pytest.param(TOOL, SOURCES, GO.replace("1.26.8", "1.26.9"), id="go version"),
        pytest.param(TOOL, SOURCES, GO.replace("amd64", "arm64"), id="processor"),
    ],
)
def test_key_changes_with(binary: Binary, sources: dict[str, bytes], go: str) -> None:
    assert cache_key(binary, sources, go) != cache_key(TOOL, SOURCES, GO)


def test_key_does_not_depend_on_the_order_of_files() -> None:
    assert cache_key(TOOL, dict(reversed(SOURCES.items())), GO) == cache_key(TOOL, SOURCES, GO)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param(GO, (1, 26, 8), id="released"),
        pytest.param("go version go1.27-devel_abc linux/arm64", (1, 27, 0), id="development"),
        pytest.param("module x\n\ngo 1.26.0\n", (1, 26, 0), id="go.mod"),
        pytest.param("module x.go/y\n\ngo 1.9\n", (1, 9, 0), id="module name with go"),
    ],
)
def test_go_version(text: str, want: tuple[int, ...]) -> None:
    assert parse_go_version(text) == want


def test_go_version_refuses_other_text() -> None:
    with pytest.raises(ValueError, match="no Go version"):
        parse_go_version("command not found")


@pytest.mark.parametrize("binary", BINARIES.values(), ids=BINARIES.keys())
def test_every_program_has_a_pinned_module(binary: Binary) -> None:
    sources = builds.module_sources(binary.module)
    assert {"go.mod", "go.sum"} <= set(sources)
    if binary.package != ".":
        tools = (builds.MODULES / binary.module / "tools.go").read_text()
        assert f'"{binary.package}"' in tools


def test_unknown_program_is_named_with_the_known_ones() -> None:
    with pytest.raises(ClusterError) as caught:
        builds.ensure_binary("docker")
    assert "etcd" in caught.value.remedy


def test_absent_go_says_where_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    builds.go_version.cache_clear()
    with pytest.raises(ClusterError, match="not on PATH") as caught:
        builds.go_version("etcd")
    builds.go_version.cache_clear()
    assert "1.26" in caught.value.remedy


def test_old_go_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    go = tmp_path / "go"
    go.write_text("#!/bin/sh\necho go version go1.21.3 linux/amd64\n")
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    builds.go_version.cache_clear()
    with pytest.raises(ClusterError, match="too old"):
        builds.go_version("etcd")
    builds.go_version.cache_clear()


def test_prune_keeps_the_entries_used_last(tmp_path: Path) -> None:
    for age, name in enumerate("ctr-" + digit * 16 for digit in "abcd"):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    other = tmp_path / ("ctr-tool-" + "a" * 16)
    other.mkdir()
    prune(tmp_path, "ctr", keep=2)
    assert sorted(path.name[:5] for path in tmp_path.iterdir() if path != other) == ["ctr-a", "ctr-b"]
    assert other.exists()
