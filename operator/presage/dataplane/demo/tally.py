"""What became of each request, counted by the second of the replay in which it was sent (pure).

Every request sent ends in exactly one of ok, rejected, late and failed; ``behind`` counts, beside these, the requests
that were sent too long after they were due, so that a generator that cannot keep its schedule says so.
"""

from __future__ import annotations

import json
from enum import IntEnum
from typing import TypedDict


class Outcome(IntEnum):
    """Fate of one request: 200 in time, 503, no answer in time, or no valid answer at all."""

    OK = 0
    REJECTED = 1
    LATE = 2
    FAILED = 3


class TallyDocument(TypedDict):
    """The counts as JSON: ``seconds`` rows of each list belong to second i of the replay."""

    startEpoch: float
    seconds: int
    done: bool
    sent: list[int]
    ok: list[int]
    rejected: list[int]
    late: list[int]
    failed: list[int]
    behind: list[int]


class Tally:
    """Counts of a replay of ``seconds`` whole seconds; what is sent after the end is counted in the last one."""

    def __init__(self, start_epoch: float, seconds: int) -> None:
        """Start at zero.

        Args:
            start_epoch: Unix seconds at which second 0 begins.
            seconds: length of the replay, at least 1.
        """
        self._start_epoch = start_epoch
        self._sent = [0] * seconds
        self._behind = [0] * seconds
        self._fates = {outcome: [0] * seconds for outcome in Outcome}
        self.done = False

    def _second(self, offset: float) -> int:
        return min(max(int(offset), 0), len(self._sent) - 1)

    def record_sent(self, offset: float, *, behind: bool) -> None:
        """Count a request sent ``offset`` seconds after the start."""
        self._sent[self._second(offset)] += 1
        self._behind[self._second(offset)] += behind

    def record_outcome(self, offset: float, outcome: Outcome) -> None:
        """Count the fate of the request that was sent at ``offset``."""
        self._fates[outcome][self._second(offset)] += 1

    def document(self) -> TallyDocument:
        """Return all counts so far."""
        return {
            "startEpoch": self._start_epoch,
            "seconds": len(self._sent),
            "done": self.done,
            "sent": self._sent,
            "ok": self._fates[Outcome.OK],
            "rejected": self._fates[Outcome.REJECTED],
            "late": self._fates[Outcome.LATE],
            "failed": self._fates[Outcome.FAILED],
            "behind": self._behind,
        }

    def render_json(self) -> str:
        """Return the counts as JSON text."""
        return json.dumps(self.document())

    def render_metrics(self) -> str:
        """Return the totals as Prometheus text."""
        lines = [
            "# HELP loadgen_requests_total Requests sent, by what became of them.",
            "# TYPE loadgen_requests_total counter",
        ]
        lines += [
            f'loadgen_requests_total{{outcome="{outcome.name.lower()}"}} {sum(counts)}'
            for outcome, counts in self._fates.items()
        ]
        lines += [
            "# HELP loadgen_sent_total Requests sent.",
            "# TYPE loadgen_sent_total counter",
            f"loadgen_sent_total {sum(self._sent)}",
            "# HELP loadgen_behind_total Requests sent later than they were due by more than the limit.",
            "# TYPE loadgen_behind_total counter",
            f"loadgen_behind_total {sum(self._behind)}",
        ]
        return "\n".join(lines) + "\n"
