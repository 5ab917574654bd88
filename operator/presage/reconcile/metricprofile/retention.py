"""Whether the tiers of a MetricProfile's metrics are enforced, by what its MetricSource proved."""

from __future__ import annotations

from collections.abc import Iterable

from presage.core.conditions import Condition
from presage.core.recording.retention.tiers import find_tiers
from presage.core.recording.retention.verdict import judge_retention
from presage.core.recording.types import RecordingProfile
from presage.reconcile.kind import Reason
from presage.reconcile.metricprofile.inputs import Problem, RetentionView
from presage.reconcile.ports import Objects, Source
from presage.reconcile.source_retention import CONDITION, read_states
from presage.resources.metricprofile import MetricProfile
from presage.resources.metricsource import MetricSource


def view_retention(
    profile: MetricProfile, source: Source | Problem, objects: Objects, recorded: Iterable[RecordingProfile]
) -> RetentionView | None:
    """Return what is known of the tiers of all that may be recorded; None where nobody asks that they be enforced."""
    if profile.spec.retention is None:
        return None
    view = RetentionView(profile.spec.source_ref.name, find_tiers(recorded))
    if isinstance(source, Problem):
        return RetentionView(view.source, view.wanted, problem=source)
    stored = objects.get(MetricSource.meta.kind, "", source.name) or {}
    offered = MetricSource.parse(stored).spec.retention
    if offered is None:
        return view
    retention = offered.to_core()
    return RetentionView(view.source, view.wanted, retention, read_states(stored, retention))


def judge_tiers(view: RetentionView | None, generation: int) -> Condition:
    """Return the condition `RetentionEnforced`. Pure."""
    if view is None:
        message = "spec.retention is not given: nothing is done or said about how long series are kept."
        return Condition(CONDITION, "False", "Inactive", message, generation)
    if view.problem is not None:
        return Condition(CONDITION, "Unknown", "SourceDown", view.problem.message, generation)
    verdict = judge_retention(view.source, view.retention, view.wanted, view.states)
    return Condition(CONDITION, verdict.status, verdict.reason, verdict.message, generation)


REASONS = (
    Reason(CONDITION, "Inactive", "spec.retention is not given."),
    Reason(CONDITION, "Proven", "A canary of each tier was gone in time."),
    Reason(CONDITION, "Waiting", "A tier is not proven yet.", "Wait until dueAt of the MetricSource's status."),
    Reason(CONDITION, "NotEnforced", "Series are kept longer or shorter than their tier.", "See docs/retention.md."),
    Reason(
        CONDITION, "BackendSingleRetention", "The source keeps all series equally long.", "Ask its owner for tiers."
    ),
    Reason(CONDITION, "TierMissing", "No server keeps a tier that a metric names.", "Name another, or ask its owner."),
    Reason(CONDITION, "SourceDown", "The source, or a tier's server, cannot be asked.", "See the message."),
)
