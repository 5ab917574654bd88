"""Every reason of `ProfileApplied` and `Injected`, and of the events that tell of recording."""

from __future__ import annotations

from presage.reconcile.kind import Reason

_APPLIED, _INJECTED = "ProfileApplied", "Injected"

RECORDING_REASONS = (
    Reason(_APPLIED, "Applied", "Ready pods record by the profiles chosen."),
    Reason(_APPLIED, "NoPods", "The profiles chosen are stored; there is no pod."),
    Reason(_APPLIED, "Updating", "The profiles chosen are on their way to the pods."),
    Reason(_APPLIED, "PodsBehind", "Pods have not taken the profiles over for three minutes.", "See those pods' logs."),
    Reason(_APPLIED, "SdkNotSeen", "No pod says what it records by.", "Use presage.sdk, or see why it is not scraped."),
    Reason(_APPLIED, "NotInjected", "No pod has the reference to its profiles.", "See the condition Injected."),
    Reason(_APPLIED, "RecordingUnknown", "The source does not tell what pods record by.", "See DataAvailable."),
    Reason(_APPLIED, "TargetNotFound", "There is no such Deployment.", "Create it or correct spec.target.name."),
    Reason(_APPLIED, "Paused", "Profiles are chosen and not written.", "Take spec.paused or the annotation away."),
    Reason(_APPLIED, "TooLarge", "What is to be recorded exceeds its bound.", "Name fewer metrics or attributes."),
    Reason(_APPLIED, "NameTaken", "A ConfigMap of that name is somebody else's.", "Rename or remove it."),
    Reason(_APPLIED, "Forbidden", "presage may not write ConfigMaps.", "Restore the chart's ClusterRole."),
    Reason(_APPLIED, "Refused", "The API server refused the ConfigMap.", "See the message."),
    Reason(_APPLIED, "Unavailable", "The ConfigMap could not be written; it is tried again."),
    Reason(_APPLIED, "TouchRefused", "presage may not annotate pods: changes take 90 s.", "Restore the ClusterRole."),
    Reason(_INJECTED, "AllInjected", "Every pod has the reference to its profiles."),
    Reason(_INJECTED, "LabelMissing", "The pod template lacks the label.", "Add the one that the message names."),
    Reason(_INJECTED, "PodsNotInjected", "Some pods were made without the reference.", "Restart them."),
    Reason(_INJECTED, "NotInForce", "Neither admission policy nor webhook works.", "See the chart's value injection."),
    Reason(_INJECTED, "TargetNotFound", "There is no such Deployment.", "Create it or correct spec.target.name."),
    Reason("", "ProfileChosen", "An event type is recorded by another profile; the message says why."),
    Reason("", "RecordingEscalated", "Some instances record more for a while; the message says why."),
    Reason("", "PodRestarted", "A pod without the reference was evicted, as spec.injection.enforce asks."),
)
