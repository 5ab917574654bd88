"""What is asked of a metrics source and what it answers, in plain data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from presage.core.source import SourceSpec


@dataclass(frozen=True, slots=True)
class Source:
    """A metrics source to ask: its name, the generation of its settings, and the settings."""

    name: str
    generation: int
    spec: SourceSpec


Flaw = Literal["", "NotANumber", "Negative", "TooLarge", "NotACounter"]
"""Why a value is no load; empty if it is one."""

LARGEST_LOAD = float(np.finfo(np.float32).max)


def find_flaw(value: float) -> Flaw:
    """Return why `value` cannot be a load."""
    if math.isnan(value):
        return "NotANumber"
    if value < 0:
        return "Negative"
    return "TooLarge" if value > LARGEST_LOAD else ""


@dataclass(frozen=True, slots=True)
class TickSample:
    """One answer to a tick query. None = no series, or none with enough samples.

    Attributes:
        load: Load now.
        newest_at: Epoch second of the newest raw sample.
        targets: Hosts and pod names of the scraped instances that contribute.
        flaw: Why what came instead of a load is none; there is no load then.
        values: Of each of the targets that said a finite number, if `InstanceValues` were asked for; else empty.
    """

    load: float | None
    newest_at: float | None
    targets: frozenset[str]
    flaw: Flaw = ""
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class History:
    """A load's history: `values` (n,) per slot, NaN where missing; slot 0 starts at epoch second `start`."""

    values: NDArray[np.float32]
    start: float


@dataclass(frozen=True, slots=True)
class LabelValues:
    """Values that a label has now in the series of a load, as the source gives them, and the load of each."""

    loads: Mapping[str, float]
