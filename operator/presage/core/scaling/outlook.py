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


@dataclass(frozen=True, slots=True)
class Peak:
    """The highest load within a span, and the epoch second at which its slot starts."""

    load: float
    at: float


def find_peak(outlook: Outlook | None, since: float, until: float) -> Peak | None:
    """Return the highest `upper` load of any slot that meets [since, until].

    A span that ends beyond the horizon is answered by the part that is covered; None means that not even `since` is
    covered: the forecast has run out (or there is none).
    """
    if outlook is None or not outlook.start <= since < outlook.end:
        return None
    first, span = _cut(outlook, outlook.upper, since, until)
    highest = int(np.argmax(span))
    return Peak(float(span[highest]), outlook.start + (first + highest) * outlook.step_s)


def find_spread(outlook: Outlook | None, since: float, until: float) -> float:
    """Return how far `upper` lies above `median` at most in [since, until]; 0 where the forecast has run out."""
    if outlook is None or not outlook.start <= since < outlook.end:
        return 0.0
    return float(_cut(outlook, outlook.upper - outlook.median, since, until)[1].max())


def _cut(outlook: Outlook, values: NDArray[np.float64], since: float, until: float) -> tuple[int, NDArray[np.float64]]:
    """Return the first slot that meets [since, until], and the values of all that do."""
    first = int((since - outlook.start) // outlook.step_s)
    last = int((until - outlook.start) // outlook.step_s)
    return first, values[first : max(first, last) + 1]
