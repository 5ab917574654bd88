"""Whether the tiers of a MetricProfile's metrics are enforced, by what its MetricSource proved."""

from __future__ import annotations

from presage.core.conditions import Condition
from presage.core.recording.retention.prometheus_operator import POD_MONITORS
from presage.core.recording.retention.tiers import Retention
from presage.core.recording.retention.verdict import judge_retention
from presage.core.recording.retention.wanted import find_wanted
from presage.core.recording.spec import RecordingSpec
from presage.reconcile.kind import Reason
from presage.reconcile.metricprofile.inputs import Problem, RetentionView
from presage.reconcile.metricprofile.monitors import build_monitors
from presage.reconcile.owned import find_children, owner_of
from presage.reconcile.ports import Objects, Source, Watched
from presage.reconcile.source_retention import CONDITION, read_states
from presage.resources.metricprofile import MetricProfile
from presage.resources.metricsource import MetricSource


def view_retention(
    profile: MetricProfile, recording: RecordingSpec, source: Source | Problem, objects: Objects, watched: Watched
) -> RetentionView:
    """Return what is known of the profile's tiers."""
    present = tuple(child["name"] for child in find_children(watched, owner_of(profile), POD_MONITORS))
    if profile.spec.retention is None:
        return RetentionView(asked=False, present=present)
    name, wanted = profile.spec.source_ref.name, find_wanted(recording)
    if isinstance(source, Problem):
        return RetentionView(True, name, wanted, problem=source, present=present)
    retention = source.spec.retention or Retention("Other")
    monitors = build_monitors(retention, wanted, profile.metadata.name, profile.spec.retention.to_core())
    states = read_states(objects.get(MetricSource.meta.kind, "", name) or {}, retention)
    return RetentionView(True, name, wanted, retention, states, monitors=monitors, present=present)


def judge_tiers(view: RetentionView, generation: int) -> Condition:
    """Return the condition `RetentionEnforced`. Pure."""
    if not view.asked:
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
    Reason(CONDITION, "Forbidden", "presage may not write PodMonitors.", "Restore the chart's ClusterRole."),
    Reason(CONDITION, "Refused", "The API server refused a PodMonitor.", "See the message."),
    Reason(CONDITION, "Unavailable", "A PodMonitor could not be made.", "Install Prometheus Operator."),
    Reason(CONDITION, "NameTaken", "Somebody else's PodMonitor has the name.", "Remove or rename it."),
    Reason(CONDITION, "SourceDown", "The source, or a tier's server, cannot be asked.", "See the message."),
)
