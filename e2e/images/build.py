"""Layers into images.

An image is three layers: base, dependencies, code. The first two are kept in the storage under a name made from
their content, so a change of code costs only the last.
"""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from e2e.cluster import progress
from e2e.cluster.debian import ensure_debian
from e2e.cluster.errors import ClusterError
from e2e.images import content, store
from e2e.images.archive import measure
from e2e.images.base import base_key, make_base
from e2e.images.cache import as_root, cache_folder, remove_leftovers, remove_tree, run, scratch
from e2e.images.roles import ENVIRONMENT, HOME, ROLES, USER_ID, Role

DEBIAN = ("buildah", "debootstrap", "debian-archive-keyring", "ca-certificates")
KEPT = {"base-": 2, "packages-": 4}
"""Layers kept in the storage by kind: those in use, and as many from before for going back and forth."""


@dataclass(frozen=True)
class ImageArchive:
    """A built image.

    Attributes:
        name: `localhost/presage-<role>:<tag>`; the tag is made from the content.
        path: docker-archive, for `ctr images import`.
        compressed_bytes: Sum of the layers, each gzipped: what a registry would hold.
        unpacked_bytes: Sum of the layers unpacked.
        digest: Id of the image, `sha256:…`.
    """

    name: str
    path: Path
    compressed_bytes: int
    unpacked_bytes: int
    digest: str


def ensure_image(role: str) -> ImageArchive:
    """Return the image of a role, built if it is not there.

    Args:
        role: A key of `ROLES`.

    Raises:
        ClusterError: A part failed; it says which and what to do.
        KeyError: There is no such role.
    """
    wanted = ROLES[role]
    found = find_image(wanted)
    if found is None:
        ensure_debian(DEBIAN)
        with locked():
            found = find_image(wanted) or _build(wanted)
    return found


def find_image(role: Role) -> ImageArchive | None:
    """Return the image of the sources as they are now, or None when it has to be built."""
    path = _archive(role, content.code_key(role))
    try:
        stored = json.loads(path.with_suffix(".json").read_text())
    except FileNotFoundError:
        return None
    return ImageArchive(**stored, path=path) if path.is_file() else None


def _archive(role: Role, tag: str) -> Path:
    return cache_folder() / f"presage-{role.name}-{tag}.tar"


@contextmanager
def locked() -> Iterator[None]:
    """Keep other builders off the storage."""
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with progress.part("images", "waiting for another builder", "free"):
                fcntl.flock(file, fcntl.LOCK_EX)
        remove_leftovers()  # of builds that were stopped
        yield


def _build(role: Role) -> ImageArchive:
    tag = content.code_key(role)
    name, archive = f"localhost/presage-{role.name}:{tag}", _archive(role, tag)
    base = _ensure_base()
    packages = content.packages_key(role)
    _ensure_layer(
        packages, base_key(), f"{role.name} dependencies", lambda root: content.make_packages(role, base, root)
    )
    work = archive.with_suffix(".part")
    work.unlink(missing_ok=True)
    with progress.part(f"{role.name} image", "building", "built"), scratch("code") as root:
        content.make_code(role, base, root)
        if content.code_key(role) != tag:  # somebody edits: the tag would lie
            return _build(role)
        with store.container(packages) as container:
            store.add(container, root)
            store.configure(container, user=USER_ID, folder=HOME, entrypoint=role.entrypoint, environment=ENVIRONMENT)
            check(role, container)
            store.commit(container, f"docker-archive:{work}:{name}")
        if as_root():
            run("archive", [*as_root(), "chmod", "0644", str(work)])
        measured = measure(work, cache_folder() / "layer-sizes.json")
    if measured.compressed_bytes > role.limit_bytes:
        problem = f"{measured.compressed_bytes / 1e6:.0f} MB gzipped, over the limit of {role.limit_bytes / 1e6:.0f} MB"
        raise ClusterError(
            f"{role.name} image", problem, remedy="drop a dependency, or what is unused of it (roles.py)"
        )
    facts = {"name": name, **asdict(measured)}
    archive.with_suffix(".json").write_text(json.dumps(facts))
    work.rename(archive)
    _prune(role, archive)
    return ImageArchive(**facts, path=archive)


def _ensure_base() -> Path:
    """Return the unpacked base layer, which compiles the others; it is in the storage too."""
    key = base_key()
    folder = cache_folder() / key
    if not folder.is_dir():
        with progress.part("base image", "building", "built"), scratch("base") as root:
            make_base(root)
            root.rename(folder)

    def fill(root: Path) -> None:
        shutil.copytree(folder, root, symlinks=True, dirs_exist_ok=True)

    _ensure_layer(key, "scratch", "base layer", fill)
    return folder


def _ensure_layer(name: str, parent: str, label: str, fill: Callable[[Path], None]) -> None:
    """Hold a layer in the storage; made on `parent` by `fill` when it is not there."""
    if not store.has_image(name):
        with progress.part(label, "building", "built"), scratch("layer") as root:
            fill(root)
            with store.container(parent) as container:
                store.add(container, root)
                store.commit(container, f"localhost/{name}")
    used = cache_folder() / "used"
    used.mkdir(exist_ok=True)
    (used / name).touch()


def check(role: Role, container: str) -> None:
    """Import what the role runs, in the image and as its user, who may not write."""
    program = f"import getpass, importlib; getpass.getuser(); [importlib.import_module(n) for n in {role.checked!r}]"
    remedy = "mend the import that failed; if a dependency lacks a file, see what is left out (content.py, roles.py)"
    store.run_inside(container, ["python3", "-W", "ignore", "-c", program], USER_ID, remedy)


def _prune(role: Role, newest: Path) -> None:
    """Remove older archives of the role, and layers that have not been used for long."""
    cache = cache_folder()
    for old in cache.glob(f"presage-{role.name}-*"):
        if old.stem != newest.stem:
            old.unlink()
    used = {path.name: path.stat().st_mtime for path in (cache / "used").iterdir()}
    keep = layers_to_keep(used)
    for name in sorted(store.images(), reverse=True):  # dependencies before the base they stand on
        if name not in keep:
            store.remove_image(name)
    store.remove_unnamed()
    for path in [path for kind in KEPT for path in (*cache.glob(f"{kind}*"), *(cache / "used").glob(f"{kind}*"))]:
        if path.name not in keep:
            remove_tree(path)


def layers_to_keep(used: Mapping[str, float]) -> set[str]:
    """Return the layers used last of each kind, given when each was used."""
    newest = sorted(used, key=lambda name: used[name], reverse=True)
    return {name for kind, count in KEPT.items() for name in [n for n in newest if n.startswith(kind)][:count]}
