"""The opaque state that travels between forecasts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class State:
    """Everything `advance` needs; opaque to callers, picklable, bounded in size."""

    ring: npt.NDArray[np.float32]
