"""What the decision must reach and should reach on real traces, beside what it did; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from e2e.bench.scaling_scores import OURS, Replay, Standing, at, stand

ALL_TRACES = 13
STARTUPS_S, OBJECTIVES = (60, 180, 600), (0.005, 0.001)


@dataclass(frozen=True)
class Asked:
    """On how many traces to hold at least, at which cost at most."""

    holds: int
    cost: float

    def met_by(self, found: Standing) -> bool:
        """Return whether this is reached, by the figures as they are, not as they are rounded."""
        return found.holds >= self.holds and found.cost <= self.cost

    def __str__(self) -> str:
        return f"{self.holds}/{ALL_TRACES}, ≤ {self.cost:.2f}"


MUST = {
    (60, 0.005): Asked(12, 1.35), (60, 0.001): Asked(11, 1.50),
    (180, 0.005): Asked(12, 1.45), (180, 0.001): Asked(10, 1.50),
    (600, 0.005): Asked(11, 1.42), (600, 0.001): Asked(7, 1.42),
}  # fmt: skip
AIM = {
    (60, 0.005): Asked(13, 1.28), (60, 0.001): Asked(12, 1.35),
    (180, 0.005): Asked(12, 1.25), (180, 0.001): Asked(11, 1.35),
    (600, 0.005): Asked(12, 1.28), (600, 0.001): Asked(9, 1.38),
}  # fmt: skip


@dataclass(frozen=True)
class Level:
    """One row: a start-up time and an objective over all traces.

    Attributes:
        startup_s: Seconds until a pod serves.
        objective: Share of the load that may go unserved.
        found: How presage stands.
        replays: What it rests on.
    """

    startup_s: int
    objective: float
    found: Standing
    replays: Sequence[Replay]

    @property
    def name(self) -> str:
        """Return start-up time and objective as text."""
        return f"{self.startup_s} s, {self.objective:.1%}"

    @property
    def must(self) -> Asked | None:
        """Return what has to be reached; None on a part of the traces, of which nothing is asked."""
        return MUST.get((self.startup_s, self.objective)) if self._whole else None

    @property
    def aim(self) -> Asked | None:
        """Return what should be reached; None on a part of the traces."""
        return AIM.get((self.startup_s, self.objective)) if self._whole else None

    @property
    def verdict(self) -> str:
        """Return `pass` or `falls short` by the must, `-` where there is none."""
        return "-" if self.must is None else "pass" if self.must.met_by(self.found) else "falls short"

    @property
    def aim_verdict(self) -> str:
        """Return `reached` or `not reached` by the aim, `-` where there is none."""
        return "-" if self.aim is None else "reached" if self.aim.met_by(self.found) else "not reached"

    @property
    def _whole(self) -> bool:
        return self.found.of == ALL_TRACES


def judge_levels(replays: Sequence[Replay]) -> list[Level]:
    """Return a row for each start-up time and objective that was replayed."""
    startups = dict.fromkeys(each.startup_s for each in replays)
    found = []
    for startup_s in startups:
        mine = at(replays, startup_s)
        found += [Level(startup_s, each, stand(mine, OURS, each), mine) for each in mine[0].ours]
    return found
