"""What an image archive holds, and how large its layers are."""

from __future__ import annotations

import json
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path

_BLOCK = 1 << 20


@dataclass(frozen=True)
class Measured:
    """Sizes of an archive's image.

    Attributes:
        digest: sha256 of the image's configuration, which names all of its layers: the image's id.
        compressed_bytes: Sum of the layers, each gzipped: what a registry would hold.
        unpacked_bytes: Sum of the layers unpacked.
    """

    digest: str
    compressed_bytes: int
    unpacked_bytes: int


def measure(archive: Path, known: Path) -> Measured:
    """Return the sizes of the one image in a docker-archive.

    Args:
        archive: The archive.
        known: JSON file of gzipped sizes by layer, so that a layer is compressed once in its life; updated.
    """
    sizes: dict[str, int] = json.loads(known.read_text()) if known.is_file() else {}
    compressed = unpacked = 0
    with tarfile.open(archive) as outer:
        manifest = json.loads(_read(outer, "manifest.json"))[0]
        for layer in manifest["Layers"]:
            member = outer.getmember(layer)
            if layer not in sizes:
                sizes[layer] = _gzipped(outer, member)
            compressed += sizes[layer]
            unpacked += member.size
    wanted = {layer: sizes[layer] for layer in sorted(sizes)}
    known.write_text(json.dumps(wanted, indent=1))
    return Measured(f"sha256:{Path(manifest['Config']).stem}", compressed, unpacked)


def _read(outer: tarfile.TarFile, name: str) -> bytes:
    stream = outer.extractfile(name)
    if stream is None:
        raise tarfile.ReadError(f"{name} is no file")
    return stream.read()


def _gzipped(outer: tarfile.TarFile, member: tarfile.TarInfo) -> int:
    stream = outer.extractfile(member)
    if stream is None:
        raise tarfile.ReadError(f"{member.name} is no file")
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    total = 0
    while block := stream.read(_BLOCK):
        total += len(packer.compress(block))
    return total + len(packer.flush())
