"""CSV files of made-up loads, and the command run on them in this process."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from presage.__main__ import main

START = 1_700_006_400  # midnight, UTC


def rows(days: float, step: int = 300, noise: float = 3.0, start: int = START) -> list[tuple[int, float]]:
    """Return times and loads: a daily wave with noise that is the same each time."""
    draw = np.random.default_rng(7)
    times = range(start, start + round(days * 86_400), step)
    return [(t, float(max(0.0, 100 + 60 * math.sin(math.tau * t / 86_400) + draw.normal(0, noise)))) for t in times]


def write(path: Path, samples: list[tuple[int, float]]) -> Path:
    """Write a CSV file."""
    path.write_text("timestamp,value\n" + "".join(f"{at},{value:.6g}\n" for at, value in samples), encoding="utf-8")
    return path


def backtest(*arguments: object) -> int:
    """Run the command; return its exit code."""
    return main(["backtest", *map(str, arguments)])
