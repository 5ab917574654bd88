"""What the kernel says of processes."""

from __future__ import annotations

import os
from pathlib import Path

NICE = 16  # place of the nice value in `status_of`


def status_of(pid: int) -> list[str]:
    """Return what the kernel says of a process from its state on; nothing if it is gone or only waits to be buried."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
    return [] if fields[0] == "Z" else fields


def children(parent: int | None = None) -> set[int]:
    """Return the ids of a process's living children; of this one, unless another is given."""
    pids = [int(entry.name) for entry in Path("/proc").glob("[0-9]*")]
    return {pid for pid in pids if status_of(pid)[1:2] == [str(parent or os.getpid())]}
