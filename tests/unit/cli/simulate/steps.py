"""A load of steps that repeat each day, and the command run on it in this process."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from presage.__main__ import main
from tests.unit.cli.loads.samples import START, write

TARGET = ("--per-pod", 10, "--max", 30)


def steps(days: float, step: int = 60) -> list[tuple[int, float]]:
    """Return times and loads: a high plateau from 9:00 to 15:00 UTC each day, with noise that is the same each time."""
    draw = np.random.default_rng(5)
    times = range(START, START + round(days * 86_400), step)
    return [(at, (180.0 if 9 <= at % 86_400 / 3_600 < 15 else 25.0) + float(draw.normal(0, 2))) for at in times]


def write_steps(path: Path, days: float, step: int = 60) -> Path:
    """Write the load to a CSV file."""
    return write(path, steps(days, step))


def simulate(*arguments: object) -> int:
    """Run the command; return its exit code."""
    return main(["simulate", *map(str, arguments)])
