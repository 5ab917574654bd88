"""Sizes of an archive's layers."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest

from e2e.images import archive

LAYERS = {"one.tar": b"a" * 50_000, "two.tar": bytes(range(256)) * 300}


def write_archive(path: Path) -> None:
    manifest = [{"Config": "feed.json", "RepoTags": ["localhost/x:1"], "Layers": list(LAYERS)}]
    files = {**LAYERS, "feed.json": b"{}", "other.tar": b"not a layer", "manifest.json": json.dumps(manifest).encode()}
    with tarfile.open(path, "w") as outer:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            outer.addfile(info, io.BytesIO(data))


def test_layers_are_counted_and_nothing_else(tmp_path: Path) -> None:
    write_archive(tmp_path / "x.tar")
    got = archive.measure(tmp_path / "x.tar", tmp_path / "sizes.json")
    assert got.digest == "sha256:feed"
    assert got.unpacked_bytes == sum(map(len, LAYERS.values()))
    assert got.compressed_bytes == pytest.approx(sum(len(gzip.compress(data, 6)) for data in LAYERS.values()), abs=4)


def test_a_known_layer_is_not_compressed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_archive(tmp_path / "x.tar")
    first = archive.measure(tmp_path / "x.tar", tmp_path / "sizes.json")
    monkeypatch.delattr(archive, "_gzipped")
    assert archive.measure(tmp_path / "x.tar", tmp_path / "sizes.json") == first
