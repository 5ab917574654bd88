"""`presage bundle`: what helps others to find a fault, in one file and without secrets."""

from __future__ import annotations

import io
import os
import sys
import tarfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from presage.adapters.kubeconfig_reader import ClusterReader, ReaderError
from presage.cli.collect import Collector
from presage.cli.gather import gather_installation
from presage.core.bundle import compose
from presage.runtime.kinds import KINDS


def bundle(namespace: str | None, context: str | None, output: str | None) -> int:
    """Write the bundle; print its name and what is not in it; return the exit code.

    Args:
        namespace: The operator's; None to look for it.
        context: Context of the kubeconfig; None for the current one.
        output: File to write, which must not exist; None for a name with the time in it.
    """
    now = datetime.now(UTC)
    place = Path(output or f"presage-bundle-{now:%Y%m%dT%H%M%SZ}.tar.gz")
    if place.exists():
        return _fail(f"{place} is there already: give another name with -o", 2)
    if not place.parent.is_dir():
        return _fail(f"there is no folder {place.parent}", 2)
    try:
        reader = ClusterReader(context)
        installation = gather_installation(reader, namespace, KINDS, _tell)
    except ReaderError as error:
        return _fail(str(error), error.exit_code)
    collector = Collector(reader, installation, _tell)
    collector.collect(KINDS)
    about = {"presage": version("presage"), "created": now.isoformat(), "namespace": installation.namespace}
    files = compose(collector.parts, collector.omissions, about)
    try:
        _write(place, pack(files, place.name.removesuffix(".tar.gz"), now.timestamp()))
    except OSError as error:
        return _fail(f"cannot write {place}: {error.strerror}", 1)
    print(f"{place}: {len(files)} files, {place.stat().st_size / 1024:.0f} KiB. Look through it before you send it.")
    for omission in collector.omissions:
        print(f"  left out {omission.what}: {omission.why}")
    return 0


def pack(files: Mapping[str, bytes], folder: str, now: float) -> bytes:
    """Return the files as a compressed archive with one folder in it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size, entry.mtime, entry.mode = len(content), now, 0o600
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def _write(place: Path, content: bytes) -> None:
    """Write a new file that only its owner reads; half a file is never left behind."""
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except OSError:
        place.unlink(missing_ok=True)
        raise


def _tell(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} reading {what}", file=sys.stderr)


def _fail(message: str, code: int) -> int:
    print(f"presage bundle: {message}", file=sys.stderr)
    return code
