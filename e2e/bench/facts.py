"""What a reader has to know of a run: when, of which code, on which machine."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from e2e.bench.command import ROOT
from e2e.bench.report import describe_machine


def build_facts(code: str, before: str, took_s: float, environment: str, commands: Sequence[str]) -> dict[str, str]:
    """Return name -> text.

    Args:
        code: Folder of the code that was judged, seen from the repository's.
        before: The machine's load before the run.
        took_s: Seconds of the run.
        environment: Versions of what ran beside it.
        commands: As a person types them.
    """
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "code": _code_version(code),
        "machine": f"{_processor()}, {_memory_gib():.0f} GiB, {platform.system()} {platform.machine()}",
        "load before": before,
        "load after": f"{describe_machine()}; the run took {took_s:.0f} s",
        "environment": environment,
        **{f"command {n}": f"`{command}`" for n, command in enumerate(commands, 1)},
    }


def _code_version(folder: str) -> str:
    """Return the commit, and whether the code in this folder differs from it."""
    commit, changed = _git("rev-parse", "--short", "HEAD"), _git("status", "--porcelain", folder)
    return (f"commit {commit}" if commit else "not from git") + (", with changes not committed" if changed else "")


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or "unknown processor")


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
