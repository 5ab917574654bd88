"""Whether retention is enforced: one verdict out of the tiers' states. It holds only where a canary proved it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from presage.core.conditions import Status
from presage.core.recording.retention.canary import State
from presage.core.recording.retention.tiers import Retention


@dataclass(frozen=True, slots=True)
class TierState:
    """State of one tier, and why."""

    state: State
    message: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the condition `RetentionEnforced` says."""

    status: Status
    reason: str
    message: str


def judge_retention(
    source: str, retention: Retention, wanted: Sequence[str], states: Mapping[str, TierState]
) -> Verdict:
    """Return whether the tiers that are wanted are enforced; the worst of them speaks.

    Args:
        source: Name of the MetricSource.
        retention: What it offers.
        wanted: Names of tiers.
        states: Of the tiers that it offers, as far as they are known.
    """
    if retention.backend == "Other":
        message = (
            f"MetricSource {source} has a back end with one retention for all series: {_name(wanted)} not enforced."
        )
        return Verdict("False", "BackendSingleRetention", message)
    if missing := [name for name in wanted if retention.find(name) is None]:
        message = f"No server of MetricSource {source} keeps {_name(missing)}: name another tier, or ask its owner."
        return Verdict("False", "TierMissing", message)
    known = {name: states.get(name, TierState("Waiting")) for name in wanted}
    if failed := [name for name, each in known.items() if each.state == "NotEnforced"]:
        return Verdict("False", "NotEnforced", f"{_name(failed)} not enforced: {known[failed[0]].message}.")
    if down := [name for name, each in known.items() if each.state == "SourceDown"]:
        return Verdict("Unknown", "SourceDown", f"{_name(down)} cannot be asked for: {known[down[0]].message}")
    if waiting := [name for name, each in known.items() if each.state == "Waiting"]:
        why = known[waiting[0]].message
        what = f"{_name(waiting)} not proven yet: {why}." if why else f"{_name(waiting)} not proven yet."
        return Verdict("Unknown", "Waiting", what)
    return Verdict("True", "Proven", f"Samples of {_name(wanted)} were gone in time.")


def _name(tiers: Sequence[str]) -> str:
    return f"tier{'s' if len(tiers) != 1 else ''} {', '.join(tiers)}"
