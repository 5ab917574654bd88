"""A scorer, run as its own process in an environment of its own."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from e2e.bench.command import ROOT
from e2e.bench.processes import BenchError
from e2e.images.cache import digest

LOCK = ROOT / "requirements/bench.txt"


@dataclass(frozen=True)
class Tool:
    """How to run a scorer: its script, the traces, a Python that has what it needs, a folder for what it writes."""

    script: Path
    traces: Path
    python: Path
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    _running: set[int] = field(default_factory=set)

    def versions(self) -> str:
        """Return the versions of Python and of what counts."""
        names = "numpy", "scipy", "statsmodels", "scikit-learn"
        code = f"import sys,json,importlib.metadata as m;print(sys.version.split()[0],*[m.version(n) for n in {names}])"
        python, *found = self.call(["-c", code]).split()
        return ", ".join([f"Python {python}", *(f"{n} {v}" for n, v in zip(names, found, strict=True))])

    def call(self, argv: Sequence[object], log_name: str = "scorer.log") -> str:
        """Run a program of the environment to its end; return what it printed. Its children end with it.

        Raises:
            BenchError: It failed.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, **self.environment, "PYTHONPATH": str(ROOT / "operator")}
        log = self.folder / log_name
        with log.open("w") as errors:
            process = subprocess.Popen(
                [str(word) for word in (self.python, *argv)],
                stdout=subprocess.PIPE, stderr=errors, text=True, env=environment, cwd=ROOT, start_new_session=True,
            )  # fmt: skip
            self._running.add(process.pid)
            try:
                text, _ = process.communicate()
            except BaseException:
                _kill(process.pid)
                process.wait()
                raise
            finally:
                self._running.discard(process.pid)
        if process.returncode != 0:
            last = "\n".join(log.read_text().splitlines()[-15:])
            raise BenchError(f"{shlex.join(map(str, argv))} ended with exit code {process.returncode}:\n{last}")
        return text

    def stop(self) -> None:
        """End all programs that run in other threads, with their children."""
        for group in tuple(self._running):
            _kill(group)


def _kill(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def render_command(argv: Sequence[object]) -> str:
    """Return a scorer's command as a person types it in the repository's folder, with paths seen from there."""
    words = [os.path.relpath(word, ROOT) if isinstance(word, Path) else str(word) for word in argv]
    return f"PYTHONPATH=operator python {shlex.join(words)}"


def environment_python(lock: Path = LOCK) -> Path:
    """Return the Python of the scorers' environment, which is made if it is not there.

    Raises:
        BenchError: It could not be made.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "presage", "bench")
    folder = cache / digest(lock, sys.version)
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".env-", dir=cache) as scratch:
            made = Path(scratch) / "env"
            _uv("venv", "--python", sys.executable, made)
            _uv("pip", "install", "--python", made / "bin/python", "--require-hashes", "-r", lock)
            shutil.move(made, folder)
    return folder / "bin/python"


def _uv(*words: object) -> None:
    argv: list[Any] = [Path(sys.executable).with_name("uv"), *words]
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchError(f"the scorer's environment could not be made: {shlex.join(map(str, argv))}\n{done.stderr}")
