"""Every reason a condition or an event of a MetricProfile can carry, for the reference and for people who meet one."""

from __future__ import annotations

from presage.reconcile.kind import Reason
from presage.reconcile.metricprofile.recording.reasons import RECORDING_REASONS
from presage.reconcile.metricprofile.retention import REASONS as RETENTION_REASONS

_DATA = "DataAvailable"
_TRUST = "ForecastTrusted"
_SCALING = "ScalingActive"
_FOUND = "EventTypesFound"

REASONS = (
    Reason("Ready", "AsSpecified", "What the spec asks for is in force."),
    Reason("Ready", "InvalidSpec", "The spec breaks a rule.", "Correct the field that the message names."),
    Reason("TargetFound", "Found", "The Deployment exists."),
    Reason("TargetFound", "TargetNotFound", "There is no such Deployment.", "Create it or correct spec.target.name."),
    Reason(_DATA, "Fresh", "Samples are fresh and complete; replicas may fall."),
    Reason(_DATA, "SourceNotFound", "There is no such MetricSource.", "Create it or correct spec.sourceRef.name."),
    Reason(_DATA, "SourceInvalid", "The MetricSource has an invalid spec.", "See the MetricSource's conditions."),
    Reason(_DATA, "NamespaceNotAdmitted", "The MetricSource does not admit this namespace.", "Ask its owner."),
    Reason(_DATA, "SourceUnavailable", "The source did not answer.", "See the message and the MetricSource."),
    Reason(_DATA, "NoMatchingSeries", "A load matches no series.", "Check metric, matchers and scraping."),
    Reason(_DATA, "NoSamples", "Series have too few samples.", "Raise windowSeconds to four scrape intervals."),
    Reason(_DATA, "NotACounter", "A gauge was given as a counter.", "Give it as load.gauge, or name a counter."),
    Reason(_DATA, "BadValue", "The value is negative, not a number or too large.", "See what exports the metric."),
    Reason(_DATA, "FutureSamples", "The newest sample lies in the future.", "Set the clocks, such as by NTP."),
    Reason(_DATA, "StaleSamples", "The newest sample is too old.", "See why the target is no longer scraped."),
    Reason(_DATA, "TargetsMissing", "Some pods no longer report.", "See the source's list of targets."),
    Reason(_TRUST, "BacktestPassed", "The forecast drives scaling."),
    Reason(_TRUST, "NoForecast", "There is no forecast yet.", "Wait for data, or see DataAvailable."),
    Reason(_TRUST, "HistoryUnavailable", "The history cannot be read.", "See the message; narrow matchers or history."),
    Reason(_TRUST, "ShortHistory", "Less than one season of history.", "Wait, or give a shorter season."),
    Reason(_TRUST, "NaiveIsBetter", "A naive forecast does better: scaling follows the load."),
    Reason(_SCALING, "Active", "Replicas follow the decision."),
    Reason(_SCALING, "TargetNotFound", "There is nothing to scale.", "Create the Deployment."),
    Reason(_SCALING, "Off", "spec.scaling.mode is Off."),
    Reason(_SCALING, "DryRun", "Decisions are shown and not written."),
    Reason(_SCALING, "Paused", "Decisions are shown and not written.", "Take spec.paused or the annotation away."),
    Reason(_SCALING, "TargetOwned", "Another autoscaler scales the target.", "Remove it to hand the target over."),
    Reason(_SCALING, "TargetContested", "Two MetricProfiles aim at one target.", "Keep only one."),
    Reason(_SCALING, "ScaledToZero", "Someone scaled the target to 0.", "Set 1 or more replicas to hand it back."),
    Reason(_SCALING, "Forbidden", "presage may not scale the target.", "Restore the chart's ClusterRole."),
    Reason(_SCALING, "Refused", "The API server refused the new number.", "See the message."),
    Reason(_SCALING, "Unavailable", "The API server did not answer; it is tried again."),
    *RETENTION_REASONS,
    Reason(_FOUND, "Found", "The values of the label are event types."),
    Reason(_FOUND, "TooManyEventTypes", "The label has more values than may count.", "Narrow matchers or raise max."),
    Reason(_FOUND, "NoValues", "No series has the label that event types are found from.", "Check metric and label."),
    Reason(_FOUND, "SourceUnavailable", "The source did not tell the label's values.", "See the message."),
    Reason("Paused", "Paused", "The user asked to change nothing."),
    Reason("Paused", "NotPaused", "The user did not ask to pause."),
    *RECORDING_REASONS,
    Reason("", "Rescaled", "The target's replicas were set to another number."),
    Reason("", "ScaledByHand", "Somebody else set the target's replicas; the message says what becomes of it."),
    Reason("", "BindingChanged", "Another rule has decided the number for three decisions; the message explains it."),
    Reason("", "PerPodDiffers", "A pod seems to serve another load than perPod says.", "Compare; correct perPod."),
    Reason("", "CalendarBegan", "A window or a holiday of the calendar began."),
    Reason("", "CalendarEnded", "A window or a holiday of the calendar is over."),
    Reason("", "EventTypeFound", "A value of the label was seen for the first time; the message names its event type."),
    Reason("", "LevelShifted", "The load changed its level for good; the forecast learns the new one."),
)
