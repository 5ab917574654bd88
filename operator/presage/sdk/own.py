"""What the SDK says of itself, and how it says that something is wrong: one line in the log for each kind."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterable

from presage.core.recording.marks import GENERATION_METRIC, PROFILE_ATTRIBUTE, PROFILE_SINCE_METRIC
from presage.sdk.plans import EventState

MAX_KINDS = 64
"""Different messages that are logged; all further ones are only counted."""

_LOG = logging.getLogger("presage.sdk")


class OwnState:
    """Counts of what went wrong and what it cost.

    Attributes:
        generation: Of the document in force; 0: none was read.
        metric_profile: Name of its MetricProfile.
        since: Epoch second since which it is in force.
        watch_s: CPU seconds of looking at the file and of swapping profiles.
        record_s: CPU seconds of keeping measurements, of metrics that ended.
        overflowing: Lookups beyond a cap of attribute sets, in tables that ended.
        export_s: CPU seconds of collecting and exporting.
    """

    def __init__(self) -> None:
        self.generation = 0
        self.metric_profile = ""
        self.since = time.time()
        self.watch_s = 0.0
        self.export_s = 0.0
        self.record_s = 0.0
        self.overflowing = 0
        self._lock = threading.Lock()
        self._warned: set[str] = set()
        self._refused: Counter[str] = Counter()
        self._dropped: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()

    def refuse(self, kind: str, text: str) -> None:
        """Count a document that cannot be used."""
        self._add(self._refused, kind, 1)
        self.warn(f"the document is not used, what is in force stays: {text}")

    def drop(self, points: dict[str, int]) -> None:
        """Count points that were not exported, by tier."""
        for tier, number in points.items():
            self._add(self._dropped, tier, number)

    def fail(self, problem: BaseException) -> None:
        """Count a failure inside the SDK, by its type."""
        kind = type(problem).__name__
        self._add(self._failures, kind, 1)
        self.warn(f"something was not recorded: {kind}: {str(problem)[:200]}")

    def warn(self, text: str) -> None:
        """Log a message, the first time that it comes."""
        with self._lock:
            if text in self._warned or len(self._warned) >= MAX_KINDS:
                return
            self._warned.add(text)
        _LOG.warning("%s", text)

    def keep_of(self, before: EventState, after: EventState) -> None:
        """Add up what metrics and tables that end have counted of themselves."""
        self.record_s += sum(
            live.metric.spent for name, live in before.live.items() if after.live.get(name) is not live
        )
        ended = (table for key, table in before.tables.items() if after.tables.get(key) is not table)
        self.overflowing += sum(table.overflowing for table in ended)

    def points(
        self, states: Iterable[EventState], counting_s: float
    ) -> Iterable[tuple[str, str, bool, dict[str, str], int | float]]:
        """Yield the SDK's own metrics.

        Args:
            states: What is in force, of each event type.
            counting_s: Seconds that counting events has cost.
        """
        found_states = list(states)
        live = [live for state in found_states for live in list(state.live.values())]
        record_s = counting_s + self.record_s + sum(each.metric.spent for each in live)
        tables = (table for state in found_states for table in list(state.tables.values()))
        overflowing = self.overflowing + sum(table.overflowing for table in tables)
        labels = {PROFILE_ATTRIBUTE: self.metric_profile} if self.metric_profile else {}
        yield GENERATION_METRIC, "1", True, labels, self.generation
        yield PROFILE_SINCE_METRIC, "s", True, labels, self.since
        for part, seconds in (("record", record_s), ("watch", self.watch_s), ("export", self.export_s)):
            yield "presage_sdk_seconds", "s", False, {"part": part}, seconds
        if overflowing:
            yield "presage_sdk_overflow", "1", False, {}, overflowing
        for name, label, found in (
            ("presage_sdk_refused_documents", "reason", self._refused),
            ("presage_sdk_dropped_points", "tier", self._dropped),
            ("presage_sdk_failures", "type", self._failures),
        ):
            for kind, number in list(found.items()):
                yield name, "1", False, {label: kind}, number

    def _add(self, counts: Counter[str], kind: str, number: int) -> None:
        with self._lock:
            counts[kind if kind in counts or len(counts) < MAX_KINDS else "other"] += number
