"""The cache of images, names made from content, and commands that fail with a message a person can act on."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from e2e.cluster.errors import ClusterError

REPOSITORY = Path(__file__).resolve().parents[2]


def cache_folder() -> Path:
    """Return the folder of everything cached for images."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "presage", "images")


def digest(*parts: bytes | str | Path) -> str:
    """Return a short hash of texts and of the contents of files."""
    hashed = hashlib.sha256()
    for part in parts:
        content = part.read_bytes() if isinstance(part, Path) else part.encode() if isinstance(part, str) else part
        hashed.update(len(content).to_bytes(8, "big") + content)
    return hashed.hexdigest()[:16]


@contextmanager
def scratch(name: str) -> Iterator[Path]:
    """Give an empty folder on the cache's disk, which is gone afterwards."""
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=cache) as folder:
        root = Path(folder) / "root"
        root.mkdir(mode=0o755)
        yield root


def remove_leftovers() -> None:
    """Remove the scratch folders of builders that were stopped; call it only while no other builder runs."""
    for path in cache_folder().glob(".*"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)


def remove_tree(path: Path) -> None:
    """Remove a file, a link or a folder with all in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def log_file(name: str) -> Path:
    """Return the log file of one part; its folder exists."""
    logs = cache_folder() / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    return logs / f"{name}.log"


def as_root() -> list[str]:
    """Return what has to stand before a command that needs root.

    Raises:
        ClusterError: Neither root nor sudo.
    """
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        raise ClusterError("images", "root is needed to build images", remedy="run as root or install sudo")
    return ["sudo"]


def run(part: str, argv: Sequence[str], *, environment: Mapping[str, str] | None = None, remedy: str = "") -> str:
    """Run a command, keep all it said in the part's log, and return its standard output.

    Args:
        part: Names the log and the error.
        argv: Program and arguments.
        environment: Set in addition to the caller's own.
        remedy: What a person should do; running the command by hand when empty.

    Raises:
        ClusterError: The command failed; the error shows the log's last lines.
    """
    log = log_file(part.replace(" ", "-"))
    done = subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        env={**os.environ, **(environment or {})},
    )
    log.write_text(f"$ {shlex.join(argv)}\n{done.stdout}{done.stderr}")
    if done.returncode != 0:
        raise ClusterError(
            part,
            f"{Path(argv[0]).name} ended with exit code {done.returncode}",
            log=log,
            remedy=remedy or f"run by hand: {shlex.join(argv)}",
        )
    return done.stdout
