"""What was recorded while a day was played: by which profile, ahead of the load or not, and at what cost (pure).

Bytes are those that Prometheus scraped of the telemetry page. CPU is what `presage.sdk` says of itself: counting and
keeping, rendering, looking at the document. Times are Unix seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from e2e.demo.accounting import FloatArray, Rises, measure_leads, smooth

LEAST_STEPS = 5
"""Steps in which all pods record by the highest level that a reference needs."""


@dataclass(frozen=True)
class LoadLevel:
    """A profile and the requests a second above which it is meant; 0 for the lowest."""

    profile: str
    above: float


@dataclass(frozen=True)
class Chosen:
    """A document that presage stored: when the API server said so, its generation, and its profile for the event."""

    at: float
    generation: int
    profile: str


@dataclass(frozen=True)
class InstanceStep:
    """One instance began to record by a generation, by its own clock."""

    pod: str
    at: float
    generation: int


@dataclass(frozen=True)
class Presence:
    """From when to when an instance was scraped."""

    first: float
    last: float


@dataclass(frozen=True)
class Cost:
    """Telemetry of all pods together, every ``step_seconds`` of the day.

    Attributes:
        step_seconds: Seconds between two entries, which are those between two scrapes.
        pods: Pods scraped.
        body_bytes: Bytes of one scrape of all of them.
        events: Orders recorded a second.
        record_cores: CPU of keeping measurements.
        page_cores: CPU of rendering the page and of looking at the document.
    """

    step_seconds: float
    pods: tuple[float, ...]
    body_bytes: tuple[float, ...]
    events: tuple[float, ...]
    record_cores: tuple[float, ...]
    page_cores: tuple[float, ...]

    @property
    def bytes_per_second(self) -> FloatArray:
        """Bytes scraped a second."""
        return np.asarray(np.divide(self.body_bytes, self.step_seconds))

    @property
    def cores(self) -> FloatArray:
        """CPU of telemetry, cores."""
        return np.asarray(np.add(self.record_cores, self.page_cores))


@dataclass(frozen=True)
class Recorded:
    """All that is kept of one day.

    Attributes:
        levels: Lowest first.
        chosen: What presage stored, in order.
        in_force: Index of the lowest level that any pod recorded by, for each second of the day.
        cost: What telemetry took.
        restarts: Restarts of the function's containers.
    """

    levels: tuple[LoadLevel, ...]
    chosen: tuple[Chosen, ...]
    in_force: tuple[int, ...]
    cost: Cost
    restarts: int


@dataclass(frozen=True)
class Reference:
    """What telemetry would have taken at the highest level all day, on the steps of the cost; (n,) each."""

    bytes_per_second: FloatArray
    cores: FloatArray


@dataclass(frozen=True)
class RecordingAccount:
    """Figures of one day.

    Attributes:
        shares: Share of the day by profile.
        rises: How profiles met the load: a rise is a second in which the load calls for a higher level.
        changes: Times another profile was chosen.
        bytes_per_second: Mean.
        cores: Mean.
        reference: The same at the highest level all day; None where no part of the day tells.
    """

    shares: Mapping[str, float]
    rises: Rises
    changes: int
    bytes_per_second: float
    cores: float
    reference: tuple[float, float] | None

    @property
    def bytes_ratio(self) -> float | None:
        """Bytes over those of the reference."""
        return self.bytes_per_second / self.reference[0] if self.reference else None

    @property
    def cores_ratio(self) -> float | None:
        """CPU over that of the reference."""
        return self.cores / self.reference[1] if self.reference else None


def find_in_force(
    levels: Sequence[LoadLevel],
    chosen: Sequence[Chosen],
    steps: Sequence[InstanceStep],
    present: Mapping[str, Presence],
    start: float,
    seconds: int,
) -> NDArray[np.int64]:
    """Return, for each second from ``start``, the lowest level that any instance present recorded by, (seconds,).

    An instance that had read nothing, or a document that was never seen, counts as the lowest level. A second without
    any instance counts as the one before it.
    """
    rank = {level.profile: index for index, level in enumerate(levels)}
    by_generation = {each.generation: rank.get(each.profile, 0) for each in chosen}
    found = np.full(seconds, -1)
    begins = start + np.arange(seconds)
    for pod, presence in present.items():
        own = sorted((each.at, by_generation.get(each.generation, 0)) for each in steps if each.pod == pod)
        times, ranks = [at for at, _ in own], [0, *(of for _, of in own)]
        level = np.array(ranks)[np.searchsorted(times, begins, side="right")]
        here = (begins + 1 > presence.first) & (begins <= presence.last)
        found = np.where(here & ((found < 0) | (level < found)), level, found)
    for second in range(1, seconds):
        if found[second] < 0:
            found[second] = found[second - 1]
    return np.asarray(np.maximum(found, 0))


def measure_level_rises(load: FloatArray, levels: Sequence[LoadLevel], in_force: NDArray[np.int64]) -> Rises:
    """Return how early or late profiles came for each rise of the load above a level's threshold."""
    smoothed = smooth(load)
    called_for = np.sum([smoothed > level.above for level in levels[1:]], axis=0, initial=0)
    return measure_leads(np.asarray(called_for, dtype=float), np.asarray(in_force, dtype=float))


def derive_reference(recorded: Recorded) -> Reference | None:
    """Return what the highest level would have taken all day; None where too little of the day was spent in it.

    Bytes: the median of one pod's page while all pods were at that level, times the pods there were. CPU: what one
    order, and what one pod's pages, took in that time, times the orders and the pods there were.
    """
    cost, top = recorded.cost, len(recorded.levels) - 1
    level = np.array(recorded.in_force)
    starts = np.minimum((np.arange(len(cost.pods)) * cost.step_seconds).astype(int), len(level) - 1)
    pods, events = np.array(cost.pods), np.array(cost.events)
    # The figures of a step are rates over some seconds before it: all of these must have been at the level.
    there = np.array([bool((level[max(0, s - 10) : s + 1] == top).all()) for s in starts]) & (pods > 0) & (events > 0)
    if there.sum() < LEAST_STEPS:
        return None
    page_bytes = float(np.median(np.array(cost.body_bytes)[there] / pods[there]))
    per_event = float(np.array(cost.record_cores)[there].sum() / events[there].sum())
    per_pod = float(np.array(cost.page_cores)[there].sum() / pods[there].sum())
    return Reference(page_bytes * pods / cost.step_seconds, per_event * events + per_pod * pods)


def account_recording(recorded: Recorded, load: FloatArray) -> RecordingAccount:
    """Return the figures of a day; load: requests sent in each second, (n,)."""
    level, cost = np.array(recorded.in_force), recorded.cost
    reference = derive_reference(recorded)
    chosen = [each.profile for each in recorded.chosen]
    return RecordingAccount(
        shares={each.profile: float((level == index).mean()) for index, each in enumerate(recorded.levels)},
        rises=measure_level_rises(load, recorded.levels, level),
        changes=sum(a != b for a, b in pairwise(chosen)),
        bytes_per_second=float(cost.bytes_per_second.mean()),
        cores=float(cost.cores.mean()),
        reference=None
        if reference is None
        else (float(reference.bytes_per_second.mean()), float(reference.cores.mean())),
    )


def build_recording_rows(own: RecordingAccount) -> list[tuple[str, str, str]]:
    """Return the table of what was recorded; the first row is the head."""
    always = "-" if own.reference is None else format_bytes(own.reference[0])
    always_cores = "-" if own.reference is None else f"{own.reference[1] * 1000:.1f} m"
    shares = ", ".join(f"{profile} {share * 100:.0f} %" for profile, share in own.shares.items())
    return [
        ("what was recorded", "by load", "always the most"),
        (f"telemetry scraped, mean ({shares})", format_bytes(own.bytes_per_second), always),
        ("CPU of telemetry, mean of all pods, cores", f"{own.cores * 1000:.1f} m", always_cores),
        (f"profile in force, against {own.rises.count} rises above a level (median)", own.rises.describe(), "-"),
        ("rises for which it was in force in time", f"{own.rises.ahead_share * 100:.0f} %", "-"),
        ("changes of profile", str(own.changes), "0"),
    ]


def describe_recording(own: RecordingAccount) -> str:
    """Return the head of the panel."""
    lead = f"the profile comes {own.rises.describe()} the load" if own.rises.count else "the load calls for one profile"
    if own.bytes_ratio is None or own.cores_ratio is None:
        return f"recording: {lead}"
    return (
        f"recording: {lead}; {own.bytes_ratio * 100:.0f} % of the bytes and {own.cores_ratio * 100:.0f} % of the CPU "
        "of recording the most all day"
    )


def format_bytes(per_second: float) -> str:
    """Return a rate in kilobytes or bytes."""
    return f"{per_second / 1000:.1f} kB/s" if per_second >= 1000 else f"{per_second:.0f} B/s"
