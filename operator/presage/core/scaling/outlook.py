"""What a forecast says about a span of time, as time moves on from its origin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Outlook:
    """A forecast on the clock.

    Attributes:
        start: Epoch second at which the first forecast slot starts (= the end of the newest slot known).
        step_s: Seconds a slot.
        upper: `(h,)` load at the quantile that drives scaling.
        median: `(h,)` load at the 0.5 quantile.
    """

    start: float
    step_s: float
    upper: NDArray[np.float64]
    median: NDArray[np.float64]

    @property
    def end(self) -> float:
        """Epoch second at which the last forecast slot ends."""
        return self.start + len(self.upper) * self.step_s


def find_peak(outlook: Outlook | None, since: float, until: float) -> float | None:
    """Return the highest `upper` load of any slot that meets [since, until].

    A span that ends beyond the horizon is answered by the part that is covered; None means that not even `since` is
    covered: the forecast has run out (or there is none).
    """
    if outlook is None or not outlook.start <= since < outlook.end:
        return None
    first = int((since - outlook.start) // outlook.step_s)
    last = int((until - outlook.start) // outlook.step_s)
    return float(np.max(outlook.upper[first : max(first, last) + 1]))
