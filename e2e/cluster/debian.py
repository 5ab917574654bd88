"""Debian packages the cluster tool runs, installed only when missing."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from e2e.cluster import progress
from e2e.cluster.builds import cache_root
from e2e.cluster.errors import ClusterError

PART = "debian packages"
_LOCK_SECONDS = 300  # another apt may be at work
_updated = False


def parse_installed(listing: str) -> set[str]:
    """Return the installed packages in lines of `dpkg-query -f '${Package} ${db:Status-Abbrev}'`."""
    rows = (line.split() for line in listing.splitlines())
    return {row[0] for row in rows if len(row) == 2 and row[1] == "ii"}


def missing(packages: Iterable[str]) -> list[str]:
    """Return those of `packages` that are not installed, in their order.

    Raises:
        ClusterError: The machine has no dpkg.
    """
    wanted = list(packages)
    if shutil.which("dpkg-query") is None:
        raise ClusterError(PART, "dpkg is not here", remedy="use Debian or a system like it: " + " ".join(wanted))
    argv = ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Abbrev}\n", *wanted]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)  # exit 1 only says that one is unknown
    installed = parse_installed(done.stdout)
    return [name for name in wanted if name not in installed]


def ensure_debian(packages: Sequence[str]) -> None:
    """Install the packages that are missing; asks for root by sudo when it must.

    Raises:
        ClusterError: There is no dpkg, no right to install, or the installation failed.
    """
    absent = missing(packages)
    if not absent:
        return
    root = [] if os.geteuid() == 0 else ["sudo"]
    if root and shutil.which("sudo") is None:
        raise ClusterError(PART, "root is needed to install", remedy="as root: apt-get install " + " ".join(absent))
    with progress.part("apt-get " + " ".join(absent), "installing", "installed"):
        _update_once(root)
        _apt(root, ["install", "--no-install-recommends", *absent])


def ensure_unpacked(package: str) -> Path:
    """Return a folder with a package's files, without installing it: no service starts, and no root is needed.

    Raises:
        ClusterError: There is no apt, or the package cannot be fetched or unpacked.
    """
    root = cache_root().parent / "debian"
    folder = root / package
    if folder.exists():
        return folder
    root.mkdir(parents=True, exist_ok=True)
    with (root / f".{package}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            with progress.part(package, "fetching", "unpacked"), tempfile.TemporaryDirectory(dir=root) as scratch:
                _run(["apt-get", "-qq", "download", package], Path(scratch))
                (archive,) = Path(scratch).glob("*.deb")
                _run(["dpkg-deb", "-x", str(archive), str(Path(scratch, "files"))], Path(scratch))
                Path(scratch, "files").rename(folder)
    return folder


def _run(argv: list[str], folder: Path) -> None:
    done = subprocess.run(argv, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        problem = f"{argv[0]} failed: {done.stderr.strip()[-500:]}"
        raise ClusterError(PART, problem, remedy="apt-get update, then run by hand: " + " ".join(argv))


def _update_once(root: list[str]) -> None:
    global _updated
    if not _updated:
        _apt(root, ["update"])
        _updated = True


def _apt(root: list[str], words: list[str]) -> None:
    argv = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-y"]
    argv += ["-o", f"DPkg::Lock::Timeout={_LOCK_SECONDS}", *words]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        problem = f"apt-get {words[0]} failed: {' / '.join(said[-3:])[:500]}"
        raise ClusterError(PART, problem, remedy="run by hand: " + " ".join(argv))
