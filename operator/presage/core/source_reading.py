"""What is asked of a metrics source and what it answers, in plain data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from presage.core.source import SourceSpec


@dataclass(frozen=True, slots=True)
class Source:
    """A metrics source to ask: its name, the generation of its settings, and the settings."""

    name: str
    generation: int
    spec: SourceSpec


@dataclass(frozen=True, slots=True)
class TickSample:
    """One answer to a tick query. None = no series, or none with enough samples.

    Attributes:
        load: Load now.
        newest_at: Epoch second of the newest raw sample.
        targets: Hosts and pod names of the scraped instances that contribute.
    """

    load: float | None
    newest_at: float | None
    targets: frozenset[str]


@dataclass(frozen=True, slots=True)
class History:
    """A load's history: `values` (n,) per slot, NaN where missing; slot 0 starts at epoch second `start`."""

    values: NDArray[np.float32]
    start: float
