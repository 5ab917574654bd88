"""Which tiers a MetricProfile asks for: those of all metrics that its functions may record."""

from __future__ import annotations

from collections.abc import Iterable

from presage.core.recording.catalogue import merge_catalogues
from presage.core.recording.retention.tiers import find_tiers
from presage.core.recording.spec import RecordingSpec
from presage.core.recording.types import DEBUG, MINIMAL, RecordingProfile


def find_wanted(spec: RecordingSpec, catalogue: Iterable[RecordingProfile] = ()) -> tuple[str, ...]:
    """Return the names of the tiers that a profile asks for, sorted.

    Functions record Minimal before they are told anything, and what levels, `critical` and escalation call for after.

    Args:
        spec: What is to be recorded.
        catalogue: The installation's own profiles.
    """
    events = (*spec.event_types, *([spec.found] if spec.found is not None else []))
    named = {MINIMAL} | {level.profile for event in events for level in event.levels}
    if any(event.critical for event in events):
        named.add(DEBUG)
    if spec.escalation is not None and spec.active:
        named.add(spec.escalation.profile)
    known = merge_catalogues(catalogue, spec.profiles)
    return find_tiers(known[name] for name in sorted(named & known.keys()))
