"""Layers into images, by buildah with a storage of its own; no other container storage is touched.

An image is three layers: base, dependencies, code. Each is committed once under a tag made from its content, so a
change of code costs only the last.
"""

from __future__ import annotations

import fcntl
import gzip
import json
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from e2e.cluster import progress
from e2e.cluster.debian import ensure_debian
from e2e.images import layers
from e2e.images.roles import ENVIRONMENT, HOME, ROLES, USER_ID, Role

DEBIAN = ("buildah", "debootstrap", "ca-certificates")


@dataclass(frozen=True)
class ImageArchive:
    """A built image.

    Attributes:
        name: `localhost/presage-<role>:<tag>`; the tag is made from the content.
        path: docker-archive, for `ctr images import`.
        compressed_bytes: Sum of the layers, each gzipped: what a registry would hold.
        unpacked_bytes: Sum of the layers unpacked.
    """

    name: str
    path: Path
    compressed_bytes: int
    unpacked_bytes: int


def ensure_image(name: str) -> ImageArchive:
    """Return the image of a role, built if it is not there.

    Args:
        name: A key of `ROLES`.

    Raises:
        ClusterError: If a part fails; it says which and what to do.
        KeyError: If there is no such role.
    """
    role = ROLES[name]
    tag = layers.code_key(role).removeprefix("code-")[:12]
    archive = layers.cache_folder() / f"presage-{role.name}-{tag}.tar"
    facts = archive.with_suffix(".json")
    if not (archive.is_file() and facts.is_file()):
        ensure_debian(DEBIAN)
        with _lock():
            if not (archive.is_file() and facts.is_file()):
                _build(role, f"localhost/presage-{role.name}:{tag}", archive, facts)
    stored = json.loads(facts.read_text())
    return ImageArchive(**{**stored, "path": archive})


@contextmanager
def _lock() -> Iterator[None]:
    cache = layers.cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _build(role: Role, name: str, archive: Path, facts: Path) -> None:
    base = layers.ensure_folder(layers.base_key(), "base image", layers.make_base)
    packages_key, code_key = layers.packages_key(role), layers.code_key(role)
    packages = layers.ensure_folder(
        packages_key, f"{role.name} dependencies", lambda folder: layers.make_packages(role, base, folder)
    )
    code = layers.ensure_folder(code_key, f"{role.name} code", lambda folder: layers.make_code(role, base, folder))
    with progress.part(f"{role.name} image", "building", "built"):
        lowest = _ensure_layer("scratch", base, f"localhost/{layers.base_key()}")
        middle = _ensure_layer(lowest, packages, f"localhost/{packages_key}")
        _commit(middle, code, name, role)
        work = archive.with_suffix(f".{role.name}.part")
        work.unlink(missing_ok=True)
        _buildah("push", "--quiet", name, f"docker-archive:{work}:{name}")
    compressed, unpacked = measure(work)
    for old in archive.parent.glob(f"presage-{role.name}-*"):
        if old != work:
            old.unlink()
    facts.write_text(json.dumps(asdict(ImageArchive(name, Path(), compressed, unpacked)), default=str))
    work.rename(archive)
    shutil.rmtree(code, ignore_errors=True)


def measure(archive: Path) -> tuple[int, int]:
    """Return the bytes of an image's layers, gzipped and unpacked."""
    compressed = unpacked = 0
    with tarfile.open(archive) as outer:
        for member in outer:
            content = outer.extractfile(member) if member.isfile() and member.name.endswith(".tar") else None
            while content is not None and (block := content.read(1 << 22)):
                compressed += len(gzip.compress(block, 6))
                unpacked += len(block)
    return compressed, unpacked


def _ensure_layer(parent: str, content: Path, name: str) -> str:
    if not _buildah("images", "--quiet", "--filter", f"reference={name}").strip():
        _commit(parent, content, name, None)
    return name


def _commit(parent: str, content: Path, name: str, role: Role | None) -> None:
    container = _buildah("from", "--quiet", "--pull-never", parent).strip()
    try:
        _buildah("copy", "--quiet", container, f"{content}/", "/")
        if role is not None:
            words = ["--user", f"{USER_ID}:{USER_ID}", "--workingdir", HOME, "--cmd", ""]
            words += ["--entrypoint", json.dumps(role.entrypoint)]
            words += [word for key, value in ENVIRONMENT.items() for word in ("--env", f"{key}={value}")]
            _buildah("config", *words, container)
        _buildah("commit", "--quiet", container, name)
    finally:
        _buildah("rm", container)


def _buildah(*words: str) -> str:
    cache = layers.cache_folder()
    storage = ["--root", str(cache / "storage"), "--runroot", str(cache / "run"), "--storage-driver", "overlay"]
    return layers.run("buildah", ["buildah", *storage, *words], environment={"BUILDAH_ISOLATION": "chroot"})
