"""The scaling scorer that stands outside this repository, where there is one."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from types import ModuleType

PATH = Path(__file__).parents[4] / os.environ.get("PRESAGE_SCALING_SCORER", "../shared/tools/scaling_sim.py")


def load_scorer() -> ModuleType | None:
    """Return the scorer's module; None where it is not installed."""
    if not PATH.is_file():
        return None
    spec = importlib.util.spec_from_file_location("scaling_sim", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
