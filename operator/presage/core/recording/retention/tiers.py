"""Tiers: how long series are kept, where, and how exactly a back end can hold to it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from presage.core.recording.types import RecordingProfile
from presage.core.units import parse_duration

Backend = Literal["Prometheus", "PrometheusOperator", "VictoriaMetrics", "Other"]
"""What keeps the series; `Other` is all that has one retention for all of them, as far as presage knows."""

TIER_NAME = re.compile(r"[1-9][0-9]{0,4}[smhdw]")
LONG_TIER_NAME = re.compile(r"[1-9][0-9]{0,4}[dw]")
"""What VictoriaMetrics can keep: its shortest retention is a day."""

_LEAST_BLOCK_S = 2 * 3600
_LONGEST_BLOCK_S = 31 * 86_400
_COMPACTION_S = 60
_VICTORIA_METRICS_S = 600


@dataclass(frozen=True, slots=True)
class Tier:
    """One tier and the server that keeps it.

    Attributes:
        name: Such as `15d`; also the value of the label.
        url: Base address of the server; empty where only documents are made.
        granularity_s: Seconds past the tier by which a sample is gone at the latest.
    """

    name: str
    url: str
    granularity_s: float

    @property
    def seconds(self) -> int:
        """How long a sample is kept at least."""
        return parse_tier(self.name)


@dataclass(frozen=True, slots=True)
class Retention:
    """The servers of one metrics source.

    Attributes:
        backend: What they are.
        tiers: One server each; empty for `Other`.
        default: Name of the tier that also takes series without the label; empty if none does.
    """

    backend: Backend
    tiers: tuple[Tier, ...] = ()
    default: str = ""

    def find(self, name: str) -> Tier | None:
        """Return the tier of that name."""
        return next((tier for tier in self.tiers if tier.name == name), None)


def parse_tier(name: str) -> int:
    """Return the seconds that a tier's name stands for.

    Raises:
        ValueError: If it is not a whole number and one of s, m, h, d and w.
    """
    if TIER_NAME.fullmatch(name) is None:
        raise ValueError(
            f'{name[:32]!r} is not a tier: write a whole number and one unit, such as "2h", "15d" or "52w"'
        )
    return parse_duration(name)


def find_granularity(backend: Backend, tier_s: float) -> float:
    """Return the seconds past its tier by which a sample is gone at the latest, if the server's settings are default.

    Prometheus deletes whole blocks, once the newest block ends a retention after them. A block spans at most a tenth
    of the retention (2 h at least, 31 d at most); the newest one ends up to one and a half of the smallest block ago,
    since the head is cut only then. VictoriaMetrics no longer shows a sample that is too old, at once; its clock and
    cache are allowed ten minutes.

    Args:
        backend: What keeps the series.
        tier_s: Seconds of the tier.

    Source: Prometheus, `tsdb.BeyondTimeRetention`, `Head.compactable` and the flag storage.tsdb.max-block-duration.
    """
    if backend == "VictoriaMetrics":
        return _VICTORIA_METRICS_S
    block = max(_LEAST_BLOCK_S, min(_LONGEST_BLOCK_S, tier_s / 10))
    return block + 1.5 * _LEAST_BLOCK_S + _COMPACTION_S


def find_tiers(profiles: Iterable[RecordingProfile]) -> tuple[str, ...]:
    """Return the names of all tiers that the metrics of some profiles are kept in, sorted by name."""
    return tuple(sorted({metric.retention for profile in profiles for metric in profile.metrics.values()}))
