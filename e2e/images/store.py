"""buildah with a storage of its own below the cache, so that no other container storage is ever touched."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from e2e.cluster.errors import ClusterError
from e2e.images.cache import as_root, cache_folder, log_file, run

_EPOCH = "--timestamp=0"  # the same content gives the same layer, whenever it is built
_POLICY = '{"default": [{"type": "insecureAcceptAnything"}]}'  # images of our own storage are not signed


def buildah(*words: str, remedy: str = "") -> str:
    """Run a subcommand of buildah on our storage and return what it printed; each has its own log."""
    environment = {"BUILDAH_ISOLATION": "chroot"}
    prefix = as_root()
    if prefix:
        prefix += ["env", *(f"{name}={value}" for name, value in environment.items())]
    return run(
        f"buildah {words[0]}",
        [*prefix, "buildah", *_storage(_driver()), *words],
        environment=environment,
        remedy=remedy,
    )


def has_image(name: str) -> bool:
    """Tell whether the storage holds an image of exactly that name."""
    return name in images()


def images() -> list[str]:
    """Return the names of all images in the storage, without `localhost/`."""
    listed = json.loads(buildah("images", "--json") or "null") or []
    names = [name for image in listed for name in image.get("names") or []]
    return [name.removeprefix("localhost/").removesuffix(":latest") for name in names]


def remove_image(name: str) -> None:
    """Remove an image; one that others stand on stays."""
    try:
        buildah("rmi", f"localhost/{name}")
    except ClusterError:
        return


def remove_unnamed() -> None:
    """Remove images that have lost their name."""
    buildah("rmi", "--prune")


@contextmanager
def container(parent: str) -> Iterator[str]:
    """Give a working container on an image of the storage, or on `scratch`; it is removed afterwards."""
    buildah("rm", "--all")  # the builder is locked, so whatever is there was left by one that was stopped
    image = parent if parent == "scratch" else f"localhost/{parent}"
    name = buildah("from", "--quiet", "--pull-never", "--signature-policy", str(_policy()), image).strip()
    try:
        yield name
    finally:
        buildah("rm", name)


def add(name: str, folder: Path) -> None:
    """Copy a folder's content over a container's root, owned by root."""
    buildah("copy", "--quiet", "--chown", "0:0", name, f"{folder}/", "/")


def configure(name: str, *, user: int, folder: str, entrypoint: Sequence[str], environment: Mapping[str, str]) -> None:
    """Set what a container's image runs, as whom, where and with which environment."""
    words = ["--user", f"{user}:{user}", "--workingdir", folder, "--entrypoint", json.dumps(list(entrypoint))]
    words += [word for key, value in environment.items() for word in ("--env", f"{key}={value}")]
    buildah("config", "--cmd", "", *words, name)


def run_inside(name: str, argv: Sequence[str], user: int, remedy: str) -> None:
    """Run a command in a container as a user who may write nothing but /tmp; `remedy` says what to do if it fails."""
    buildah("run", "--user", f"{user}:{user}", name, "--", *argv, remedy=remedy)


def commit(name: str, destination: str) -> None:
    """Make an image of a container: a name in the storage, or `docker-archive:<path>:<name>`."""
    words = ["--quiet", "--format", "docker", _EPOCH, "--signature-policy", str(_policy())]
    buildah("commit", *words, name, destination)


def build(file: Path, context: Path, name: str, base: str) -> None:
    """Run a Dockerfile whose argument BASE names an image of the storage; its steps trust whom this machine trusts."""
    words = ["--pull=never", "--layers=false", "--network=host", "--volume=/etc/ssl/certs:/etc/ssl/certs:ro", _EPOCH]
    words += ["--format", "docker", "--signature-policy", str(_policy()), "--build-arg", f"BASE=localhost/{base}"]
    buildah("bud", *words, "--tag", f"localhost/{name}", "--file", str(file), str(context))


def _storage(driver: str) -> list[str]:
    cache = cache_folder()
    return ["--root", str(cache / "storage"), "--runroot", str(cache / "run"), "--storage-driver", driver]


@functools.cache
def _driver() -> str:
    """Return the fastest storage driver that works here: overlay does not on top of another overlay."""
    try:
        run("storage driver", [*as_root(), "buildah", *_storage("overlay"), "images", "--quiet"])
    except ClusterError:
        return "vfs"
    return "overlay"


def _policy() -> Path:
    path = log_file("buildah").parent.parent / "policy.json"
    if not path.is_file():
        work = path.with_suffix(f".{os.getpid()}")
        work.write_text(_POLICY)
        work.rename(path)
    return path
