"""A forecast as it is shown, wherever it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from presage.core.samples import FloatArray

EMPTY: FloatArray = np.empty(0, np.float64)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the forecast may drive scaling, as the condition `ForecastTrusted` says it."""

    trusted: bool
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class View:
    """A forecast and what it stands on.

    Attributes:
        name: What it is of.
        source: Where the load comes from.
        unit: Of the load, empty if not known.
        zone: IANA time zone of times shown, None for UTC.
        origin: Epoch second at which it begins.
        step: Seconds a slot.
        at: (h,) starts of the slots shown, epoch seconds.
        curves: Level -> (h,) load.
        account: As in `status.forecast`.
        verdict: Whether it may drive scaling; None where that is not known.
        before: (n,) load known before it, at the starts in `before_at`.
        before_at: (n,) epoch seconds.
        now: Epoch second and load that was seen last; None where only `before` is known.
        served: Load that the replicas there are serve; None where that is not known.
        warnings: What is odd about the input, one sentence each.
    """

    name: str
    source: str
    unit: str
    zone: str | None
    origin: float
    step: float
    at: FloatArray
    curves: Mapping[float, FloatArray]
    account: Mapping[str, Any]
    verdict: Verdict | None
    before: FloatArray = field(default_factory=lambda: EMPTY)
    before_at: FloatArray = field(default_factory=lambda: EMPTY)
    now: tuple[float, float] | None = None
    served: float | None = None
    warnings: Sequence[str] = ()

    @property
    def levels(self) -> list[float]:
        """The levels shown, ascending."""
        return sorted(self.curves)

    def moment(self, at: float) -> datetime:
        """Return an epoch second in the view's zone."""
        return datetime.fromtimestamp(at, ZoneInfo(self.zone) if self.zone else UTC)
