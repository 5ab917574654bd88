"""Processes of the bench: each ends with the block that started it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path


class BenchError(Exception):
    """The bench cannot go on; the message says what failed and where to look."""


def free_port() -> int:
    """Return a TCP port nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def fetch(url: str, timeout_s: float = 10.0) -> str | None:
    """Return what is served at our own address, None if nothing is."""
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=timeout_s) as answer:  # noqa: S310
        return str(answer.read().decode())
    return None


@contextlib.contextmanager
def running(argv: Sequence[str | Path], log: Path, env: Mapping[str, str] | None = None) -> Iterator[int]:
    """Run a program for the time of the block; gives its process id."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(word) for word in argv], stdout=output, stderr=output, env={**os.environ, **(env or {})}
        )
    try:
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
