"""Container images of ours: an archive with one static program, and loading archives into containerd."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from pathlib import Path

from e2e.cluster.containers import run_ctr
from e2e.cluster.errors import ClusterError

_NOBODY = "65535:65535"


def write_single_program(archive: Path, name: str, program: Path, user: str = _NOBODY) -> None:
    """Write a docker archive whose image holds one static program and nothing else.

    The same program gives the same bytes.

    Args:
        archive: File to write.
        name: Image name with tag.
        program: Program to put in; becomes the entry point `/<its name>`.
        user: User and group id it runs as.
    """
    layer = _tar({program.name: (program.read_bytes(), 0o755)})
    config = {
        "architecture": _architecture(),
        "os": "linux",
        "config": {"Entrypoint": [f"/{program.name}"], "User": user},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    text = json.dumps(config).encode()
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    files = {"config.json": text, "layer.tar": layer, "manifest.json": json.dumps(manifest).encode()}
    archive.write_bytes(_tar({key: (data, 0o644) for key, data in files.items()}))


def _architecture() -> str:
    machine = os.uname().machine
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def _tar(files: dict[str, tuple[bytes, int]]) -> bytes:
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w") as archive:
        for name, (data, mode) in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), mode
            archive.addfile(entry, io.BytesIO(data))
    return output.getvalue()


def digest(archive: Path) -> str:
    """Return the SHA-256 of a file."""
    with archive.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class Images:
    """Images of our containerd, and which archive each came from.

    Args:
        ctr: containerd's command-line program.
        notes: File that keeps the digest of the loaded archive by image name.
    """

    def __init__(self, ctr: Path, notes: Path) -> None:
        self._ctr = ctr
        self._notes = notes

    def load(self, archive: Path, name: str) -> bool:
        """Load an archive unless the very same one is loaded; tell whether it had to be.

        Raises:
            ClusterError: The archive cannot be read, or holds no image of that name.
        """
        if not archive.is_file():
            raise ClusterError("images", f"there is no archive {archive}", remedy="build the image first")
        known = self._known()
        found = digest(archive)
        if known.get(name) == found and self._present(name):
            return False
        self._run("images", "import", "--local", str(archive))
        if not self._present(name):
            raise ClusterError("images", f"{archive} holds no image named {name}")
        self._notes.write_text(json.dumps({**known, name: found}))
        return True

    def _known(self) -> dict[str, str]:
        try:
            return dict(json.loads(self._notes.read_text()))
        except (FileNotFoundError, json.JSONDecodeError):
            return {}

    def _present(self, name: str) -> bool:
        return name in self._run("images", "list", "--quiet", f"name=={name}").split()

    def _run(self, *words: str) -> str:
        return run_ctr(self._ctr, *words)
