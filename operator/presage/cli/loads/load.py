"""A load as it was read, for the commands that work on one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from presage.core.samples import FloatArray, Grid


@dataclass(frozen=True, slots=True)
class Load:
    """A load on a regular grid.

    Attributes:
        name: What to call it, such as the file's name or the query.
        source: Where it came from: file or address.
        grid: Its values.
        rows: Samples that stand behind it.
        warnings: What is odd about the input, one sentence each.
    """

    name: str
    source: str
    grid: Grid
    rows: int
    warnings: tuple[str, ...]

    @property
    def step(self) -> int:
        """Width of a slot in seconds."""
        return round(self.grid.step)

    @property
    def start(self) -> float:
        """Epoch second of the first slot."""
        return self.grid.start

    @property
    def end(self) -> float:
        """Epoch second at which the last slot ends."""
        return self.grid.start + len(self.grid.values) * self.grid.step

    def middles(self) -> FloatArray:
        """Return (n,) the middle of each slot, epoch seconds."""
        return np.asarray(self.grid.start + (np.arange(len(self.grid.values)) + 0.5) * self.grid.step, np.float64)
