"""Programs built from pinned Go modules, kept in a cache outside the repository.

Each program is a row of `BINARIES`. Its cache folder is named by a hash of all it is made from (module files,
package, tags, linker flags, Go version), so an entry never goes stale and never has to be checked. An entry
appears by rename: whoever sees it sees all of it. A file lock keeps two builders off the same program.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from e2e.cluster import progress
from e2e.cluster.errors import ClusterError

MODULES = Path(__file__).parent / "gomod"
KEPT_ENTRIES = 2
"""Cache entries kept per program: the one in use, and the one before, for going back and forth."""

_DEAD_BUILD_SECONDS = 24 * 3600
_KUBE_VERSION = "-X k8s.io/component-base/version"
_KUBE_FLAGS = (
    "-s",
    "-w",
    f"{_KUBE_VERSION}.gitVersion=v1.36.3",
    f"{_KUBE_VERSION}.gitMajor=1",
    f"{_KUBE_VERSION}.gitMinor=36",
)
_SMALL = ("-s", "-w")


@dataclass(frozen=True)
class Binary:
    """How one program is built.

    Attributes:
        name: File name of the program.
        module: Folder under `gomod` whose go.mod pins everything.
        package: Go package of its main function.
        tags: Go build tags.
        ldflags: Linker flags; small (no symbol table) unless said otherwise.
    """

    name: str
    module: str
    package: str
    tags: tuple[str, ...] = ()
    ldflags: tuple[str, ...] = _SMALL


def _kubernetes(name: str) -> Binary:
    return Binary(name, "kubernetes", f"k8s.io/kubernetes/cmd/{name}", ldflags=_KUBE_FLAGS)


def _containerd(name: str) -> Binary:
    version = "-X github.com/containerd/containerd/v2/version.Version=v2.3.7"
    package = f"github.com/containerd/containerd/v2/cmd/{name}"
    return Binary(name, "containerd", package, ("no_btrfs", "no_devmapper", "no_zfs"), (*_SMALL, version))


def _prometheus(name: str) -> Binary:
    version = "-X github.com/prometheus/common/version.Version=3.8.1"
    package = f"github.com/prometheus/prometheus/cmd/{name}"
    return Binary(name, "prometheus", package, ("remove_all_sd", "enable_kubernetes_sd"), (*_SMALL, version))


BINARIES: Mapping[str, Binary] = {
    binary.name: binary
    for binary in (
        # In the order in which they are of use: a control plane first.
        _kubernetes("kube-apiserver"),
        Binary("etcd", "etcd", "go.etcd.io/etcd/server/v3"),
        _kubernetes("kube-controller-manager"),
        _kubernetes("kube-scheduler"),
        _kubernetes("kubectl"),
        Binary("kwok", "kwok", "sigs.k8s.io/kwok/cmd/kwok"),
        _prometheus("prometheus"),
        _prometheus("promtool"),
        _containerd("containerd"),
        _containerd("containerd-shim-runc-v2"),
        _containerd("ctr"),
        _kubernetes("kubelet"),
        _kubernetes("kube-proxy"),
        Binary("helm", "helm", "helm.sh/helm/v4/cmd/helm"),
        Binary("coredns", "coredns", "."),
        Binary("pause", "pause", "."),
        Binary("kubeconform", "kubeconform", "github.com/yannh/kubeconform/cmd/kubeconform"),
    )
}
"""Every program of the cluster tool, by name."""


def cache_root() -> Path:
    """Return the folder of cached programs, which may not exist yet."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "presage" / "bin"


def cache_key(binary: Binary, sources: Mapping[str, bytes], go: str) -> str:
    """Return the hash of all that a program is made from.

    Args:
        binary: How it is built.
        sources: The module's files by name: go.mod, go.sum and its own Go code.
        go: Output of `go version`, which carries system and processor too.
    """
    digest = hashlib.sha256()
    parts = [binary.package, " ".join(binary.tags), " ".join(binary.ldflags), go]
    for name in sorted(sources):
        parts += [name, hashlib.sha256(sources[name]).hexdigest()]
    for text in parts:
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()[:16]


def module_sources(module: str) -> dict[str, bytes]:
    """Return the files of a module that decide what is built; tools.go only names requirements."""
    folder = MODULES / module
    names = ["go.mod", "go.sum", *sorted(path.name for path in folder.glob("*.go") if path.name != "tools.go")]
    return {name: (folder / name).read_bytes() for name in names}


def parse_go_version(text: str) -> tuple[int, ...]:
    """Return the version numbers in `go version` or in the `go` line of a go.mod, such as (1, 26, 8).

    Raises:
        ValueError: The text holds no version.
    """
    found = re.search(r"\bgo ?(\d+)\.(\d+)(?:\.(\d+))?", text)
    if not found:
        raise ValueError(f"no Go version in {text!r}")
    return tuple(int(number or 0) for number in found.groups())


@functools.cache
def go_version(module: str) -> str:
    """Return what `go version` prints in a module's folder, where Go may choose a newer tool chain by itself.

    Raises:
        ClusterError: Go is absent or older than the module asks for.
    """
    folder = MODULES / module
    needed = parse_go_version((folder / "go.mod").read_text())
    remedy = f"install Go {'.'.join(map(str, needed))} or newer from https://go.dev/dl, with its bin folder on PATH"
    go = shutil.which("go")
    if go is None:
        raise ClusterError("go", "the Go compiler is not on PATH", remedy=remedy)
    done = subprocess.run(
        [go, "version"], cwd=folder, capture_output=True, text=True, env=_go_environment(), check=False
    )
    text = done.stdout.strip()
    try:
        found = parse_go_version(text)
    except ValueError:
        raise ClusterError("go", f"`go version` failed: {done.stderr.strip()}", remedy=remedy) from None
    if found < needed:
        raise ClusterError("go", f"{text} is too old for module {module}", remedy=remedy)
    return text


def ensure_binary(name: str) -> Path:
    """Return the path of a program, building it first when the cache has none.

    Raises:
        ClusterError: The name is unknown, Go is absent or too old, or the build failed.
    """
    binary = BINARIES.get(name)
    if binary is None:
        raise ClusterError(name, "no such program", remedy="one of: " + ", ".join(BINARIES))
    return _ensure(binary, go_version(binary.module))


def ensure_binaries(names: Iterable[str]) -> dict[str, Path]:
    """Return the paths of several programs by name, building what is absent."""
    return {name: ensure_binary(name) for name in names}


def _ensure(binary: Binary, go: str) -> Path:
    root = cache_root()
    folder = root / f"{binary.name}-{cache_key(binary, module_sources(binary.module), go)}"
    program = folder / binary.name
    if not program.exists():
        root.mkdir(parents=True, exist_ok=True)
        with _locked(root / f".{binary.name}.lock", binary.name):
            if not program.exists():
                _build(binary, root, folder)
    os.utime(folder)
    prune(root, binary.name, keep=KEPT_ENTRIES)
    return program


def _build(binary: Binary, root: Path, folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=".build-", dir=root) as scratch:
        entry = Path(scratch) / "entry"
        entry.mkdir()
        log = root / f"{binary.name}.log"
        argv = ["go", "build", "-trimpath", "-tags", ",".join(binary.tags), "-ldflags", " ".join(binary.ldflags)]
        argv += ["-o", str(entry / binary.name), binary.package]
        with progress.part(binary.name, "building", "built"), log.open("wb") as output:
            done = subprocess.run(
                argv, cwd=MODULES / binary.module, env=_go_environment(), stdout=output, stderr=output, check=False
            )
            if done.returncode != 0:
                raise ClusterError(
                    binary.name,
                    f"go build failed with exit code {done.returncode}",
                    log=log,
                    remedy="see the last lines; a download error means that the Go module proxy is not reachable "
                    "(go env GOPROXY), 'no space left' that the disk is full",
                )
        log.unlink(missing_ok=True)
        entry.rename(folder)


def _go_environment() -> dict[str, str]:
    """Return the caller's environment with all that could change a build set by us."""
    fixed = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly -buildvcs=false", "GOWORK": "off"}
    return {**os.environ, **fixed}


def prune(root: Path, name: str, *, keep: int) -> None:
    """Remove all but the `keep` entries of a program that were used last, and what dead builders left."""
    pattern = re.compile(re.escape(name) + r"-[0-9a-f]{16}")
    entries = [path for path in root.iterdir() if pattern.fullmatch(path.name)]
    entries.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    dead = [path for path in root.glob(".build-*") if path.stat().st_mtime < time.time() - _DEAD_BUILD_SECONDS]
    for path in entries[keep:] + dead:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _locked(path: Path, name: str) -> Iterator[None]:
    with path.open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with progress.part(name, "waiting for another builder", "free"):
                fcntl.flock(stream, fcntl.LOCK_EX)
        yield
