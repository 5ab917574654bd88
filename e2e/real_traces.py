"""Real load traces for tests: read where they are, replaced by the built-in load where they are not."""

from __future__ import annotations

import os
from pathlib import Path

from e2e.demo.traces import Trace, generate, read_csv

ROOT = Path(__file__).resolve().parents[1]
DEFAULT_FOLDER = "../shared/traces"


def load_real_trace(name: str) -> Trace:
    """Return a real trace from ``PRESAGE_TRACES``, or the built-in load where there are none, saying so."""
    folder = ROOT / os.environ.get("PRESAGE_TRACES", DEFAULT_FOLDER)
    path = folder / f"{name}.csv"
    if path.is_file():
        return read_csv(path)
    print(f"\nno {name}.csv in PRESAGE_TRACES ({folder.resolve()}): the built-in load is played instead")
    return generate(15, seed=1)
