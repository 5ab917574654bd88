"""What containers leave when their cluster is stopped hard: shims, mounts, control groups, links to logs.

Everything is found by our own socket, folder or name, never by what it looks like.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from e2e.cluster import processes
from e2e.cluster.errors import ClusterError

_MOUNTS = Path("/proc/self/mountinfo")
_CGROUPS = Path("/sys/fs/cgroup")
CNI_RESULTS = Path("/var/lib/cni/results")
_SHIM = "containerd-shim-runc-v2"
KUBE_GROUP = "kubepods"
"""Control group that every kubelet makes at the root."""


def shims(socket: Path) -> list[int]:
    """Return the ids of shims that serve a containerd socket."""
    found = []
    for pid in processes.all_pids():
        words = processes.arguments(pid)
        if words and Path(words[0]).name == _SHIM and str(socket) in words:
            found.append(pid)
    return found


def end_containers(socket: Path, timeout: float = 10.0) -> None:
    """End all containers of one containerd, which must be stopped already, and their shims.

    Raises:
        ClusterError: Some would not end.
    """
    deadline = time.monotonic() + timeout
    while roots := shims(socket):
        if time.monotonic() > deadline:
            raise ClusterError("containers", f"shims do not end: {roots}", remedy="reboot, then `down` again")
        stats = {pid: processes.process_stat(pid) for pid in processes.all_pids()}
        parents = {pid: stat.parent for pid, stat in stats.items() if stat}
        for pid in [*processes.descendants(parents, set(roots)), *roots]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def parse_mounts(text: str, folders: Iterable[Path]) -> list[str]:
    """Return the mount points below any of `folders` in a mountinfo listing, the last mounted first."""
    prefixes = tuple(f"{folder}/" for folder in folders)
    points = [_unescape(line.split()[4]) for line in text.splitlines()]
    return [point for point in reversed(points) if point.startswith(prefixes)]


def _unescape(field: str) -> str:
    """Undo the octal escapes of /proc mount lists."""
    for code, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        field = field.replace(code, char)
    return field


def unmount(folders: Iterable[Path]) -> None:
    """Unmount everything below the folders.

    Raises:
        ClusterError: Something stays mounted.
    """
    wanted = list(folders)
    for _ in range(3):
        points = parse_mounts(_MOUNTS.read_text(), wanted)
        if not points:
            return
        subprocess.run(["umount", "-l", *points], capture_output=True, check=False)
    if points := parse_mounts(_MOUNTS.read_text(), wanted):
        raise ClusterError("mounts", f"{len(points)} stay, such as {points[0]}", remedy=f"umount -l {points[0]}")


def control_groups() -> list[Path]:
    """Return the control groups of kubelets, in every hierarchy."""
    return [*_CGROUPS.glob(KUBE_GROUP), *_CGROUPS.glob(f"*/{KUBE_GROUP}")]


def busy_control_groups() -> list[Path]:
    """Return those control groups of kubelets that hold processes: another kubelet's pods."""
    lists = (path for group in control_groups() for path in group.rglob("cgroup.procs"))
    return [path.parent for path in lists if _text(path)]


def remove_control_groups(timeout: float = 2.0) -> None:
    """Remove empty control groups of kubelets; the kernel refuses to remove any that is in use.

    A group stays busy for a moment after its last process has ended, hence the repetition.
    """
    deadline = time.monotonic() + timeout
    while groups := control_groups():
        for group in groups:
            for folder, _, _ in os.walk(group, topdown=False):
                with suppress(OSError):
                    Path(folder).rmdir()
        if time.monotonic() > deadline:
            return
        time.sleep(0.05)


def remove_links(folder: Path, target: Path) -> None:
    """Remove the links in `folder` that lead below `target`, and the folder when that empties it."""
    if not folder.is_dir():
        return
    for link in folder.iterdir():
        if link.is_symlink() and str(link.readlink()).startswith(f"{target}/"):
            link.unlink()
    _remove_empty(folder)


def remove_network_results(run: Path, folder: Path = CNI_RESULTS) -> None:
    """Remove what the CNI library noted about pods whose network namespace was below `run`."""
    if not folder.is_dir():
        return
    for note in folder.iterdir():
        if _network_namespace(note).startswith(f"{run}/"):
            note.unlink()
    _remove_empty(folder)
    _remove_empty(folder.parent)


def _network_namespace(note: Path) -> str:
    try:
        return str(json.loads(note.read_text()).get("netns", ""))
    except (OSError, ValueError, AttributeError):
        return ""


def remove_tree(folder: Path) -> None:
    """Remove a folder of ours with all in it, mounts excepted: those must be gone before."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        shutil.rmtree(folder)


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
