"""How far a document has come among a target's pods, and what is done about those that it has not reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from presage.core.conditions import Condition, Status
from presage.core.recording.injection import Mechanism
from presage.core.recording.marks import LABEL

LATE_S = 180.0
"""After this time a document that was stored must be in use everywhere: a kubelet brings it within 90 s unasked, and
what the function says of it is exported within a minute."""

CREATION_SLACK_S = 2.0  # creation times are whole seconds, and API servers may differ a little
MAX_TOUCHED = 100  # pods in one decision; the others follow with the next
RESTART_GAP_S = 30.0  # for how long the newest pod must have been ready before another one is replaced
RESTART_IN_VAIN_S = 600.0  # until a replacement that was not injected either is followed by another try


@dataclass(frozen=True, slots=True)
class RecordingPod:
    """A pod of the target, as far as recording goes.

    Attributes:
        name: Of the pod.
        uid: Of the pod.
        address: IP; empty before it has one.
        created: Epoch second.
        ready_at: Epoch second at which it became Ready; None while it is not.
        injected: It has the reference to this very document.
        touched: The generation that its annotation names; empty without one.
    """

    name: str
    uid: str
    address: str
    created: float
    ready_at: float | None
    injected: bool
    touched: str


@dataclass(frozen=True, slots=True)
class Sighting:
    """What instances said of the generation they record by, by their names and addresses, at epoch second `at`."""

    at: float
    generations: Mapping[str, float]

    def find(self, pod: RecordingPod) -> float | None:
        """Return the generation a pod records by; None if it said none."""
        by_address = self.generations.get(pod.address) if pod.address else None
        return self.generations.get(pod.name, by_address)


@dataclass(frozen=True, slots=True)
class Rollout:
    """Where a document stands.

    Attributes:
        profile: Name of the MetricProfile.
        target: Name of the Deployment.
        asks: Value of the label on the target's pod template, empty without one; None if there is no Deployment.
        replicas: That the target asks for.
        pods: Of the target, those on their way out left out.
        mechanism: By what new pods get their reference.
        generation: Of the document wanted.
        stored_at: Epoch second at which the document wanted was stored, by the API server's clock; None = not yet.
        sighting: What instances said; None if that is not known.
        settle_s: Seconds after which a ready pod must have been heard of.
        now: Epoch seconds.
    """

    profile: str
    target: str
    asks: str | None
    replicas: int
    pods: tuple[RecordingPod, ...]
    mechanism: Mechanism
    generation: int
    stored_at: float | None
    sighting: Sighting | None
    settle_s: float
    now: float

    @property
    def injected(self) -> tuple[RecordingPod, ...]:
        """Pods that have the reference."""
        return tuple(pod for pod in self.pods if pod.injected)

    @property
    def ready(self) -> tuple[RecordingPod, ...]:
        """Pods that are Ready."""
        return tuple(pod for pod in self.pods if pod.ready_at is not None)

    @property
    def applied(self) -> int | None:
        """How many ready pods record by the document wanted, or a later one; None if nothing is known of them."""
        return None if self.sighting is None else sum(self.records(pod) for pod in self.ready)

    @property
    def heard(self) -> bool:
        """Whether any ready pod that has the reference says what it records by."""
        return any(pod.injected and self._find(pod) is not None for pod in self.ready)

    @property
    def overdue(self) -> bool:
        """Whether a pod has been ready for so long that it must have been heard of, and was not."""
        return any(pod.injected and self._find(pod) is None and self._is_settled(pod) for pod in self.ready)

    @property
    def behind(self) -> tuple[RecordingPod, ...]:
        """Ready pods that record by an earlier document, or should have said by now and did not."""
        return tuple(
            pod
            for pod in self.ready
            if pod.injected and not self.records(pod) and (self._find(pod) is not None or self._is_settled(pod))
        )

    def records(self, pod: RecordingPod) -> bool:
        """Return whether a pod is known to record by the document wanted, or a later one."""
        said = self._find(pod)
        return pod.injected and said is not None and said >= self.generation

    def _find(self, pod: RecordingPod) -> float | None:
        return self.sighting.find(pod) if self.sighting else None

    def _is_settled(self, pod: RecordingPod) -> bool:
        return pod.ready_at is not None and self.now - pod.ready_at >= self.settle_s


def judge_applied(at: Rollout, observed: int) -> Condition:
    """Return `ProfileApplied`; `observed` is the generation of the spec.

    No pod counts as recording by a document because nothing is known of it.
    """

    def say(status: Status, reason: str, message: str) -> Condition:
        return Condition("ProfileApplied", status, reason, message, observed)

    if at.stored_at is None:
        return say("False", "Updating", "The profiles chosen are being stored.")
    if at.asks is None:
        return say("False", "TargetNotFound", f"There is no Deployment {at.target}: the profiles chosen are stored.")
    if not at.pods:
        return say("True", "NoPods", "The profiles chosen are stored; there is no pod to record by them.")
    if not at.injected:
        return say("False", "NotInjected", f"No pod of Deployment {at.target} has the reference to what is chosen.")
    if not any(pod.injected for pod in at.ready):
        return say("False", "Updating", "The profiles chosen are stored; no pod that reads them is ready yet.")
    if at.sighting is None:
        return say("Unknown", "RecordingUnknown", "The source does not tell what pods record by.")
    if not at.heard and at.overdue:
        message = (
            "No pod says by which profiles it records: either its image is without presage.sdk, or its metrics do not "
            "reach the source with the pod's name or address."
        )
        return say("False", "SdkNotSeen", message)
    if at.applied and not at.behind:
        return say("True", "Applied", "Every ready pod that was heard of records by the profiles chosen.")
    if at.behind and at.now - at.stored_at > LATE_S:
        names = ", ".join(sorted(pod.name for pod in at.behind)[:3])
        return say("False", "PodsBehind", f"Some pods do not record by the profiles chosen, such as {names}.")
    return say("False", "Updating", "The profiles chosen are on their way to the pods.")


def judge_injected(at: Rollout, observed: int) -> Condition:
    """Return `Injected`: whether all pods have the reference, or what keeps them from it.

    Pods that their owner gave the reference by hand need neither label nor mechanism.
    """

    def say(status: Status, reason: str, message: str) -> Condition:
        return Condition("Injected", status, reason, message, observed)

    if at.asks is None:
        return say("False", "TargetNotFound", f"There is no Deployment {at.target}.")
    whole, labelled = len(at.injected) == len(at.pods), at.asks == at.profile
    if not labelled and not (whole and at.pods):
        other = f"; it has {at.asks} there, which is another MetricProfile's" if at.asks else ""
        message = f"Add the label {LABEL}: {at.profile} to the pod template of Deployment {at.target}{other}."
        return say("False", "LabelMissing", message)
    if labelled and at.mechanism == "None":
        return say(
            "False", "NotInForce", "Neither admission policy nor webhook is in force: new pods get no reference."
        )
    if not whole:
        message = (
            f"Some pods were made without the reference: run kubectl rollout restart deployment/{at.target}, or set "
            "spec.injection.enforce to Restart."
        )
        return say("False", "PodsNotInjected", message)
    by = {"Policy": " by the admission policy", "Webhook": " by the webhook"}.get(at.mechanism, "")
    return say("True", "AllInjected", f"Every pod gets its reference{by}.")


def find_untouched(at: Rollout) -> tuple[RecordingPod, ...]:
    """Return the pods to be touched, so that their kubelets bring the document at once; the longest ready first.

    A pod made after the document was stored has it from the start, and one that records by it needs nothing.
    """
    mark = str(at.generation)
    since = at.now if at.stored_at is None else at.stored_at + CREATION_SLACK_S
    waiting = [pod for pod in at.injected if pod.touched != mark and pod.created <= since and not at.records(pod)]
    return tuple(sorted(waiting, key=lambda pod: (pod.ready_at is None, pod.ready_at or 0.0, pod.name)))


def find_restart(at: Rollout) -> RecordingPod | None:
    """Return the pod to be replaced by one that has the reference; None if none is, or not now.

    One at a time, and only where the others are all ready. A replacement that lacks the reference too is not followed
    by another one soon. The only pod of a target is left alone: without it nothing would serve.
    """
    left = sorted((pod for pod in at.pods if not pod.injected), key=lambda pod: (pod.created, pod.name))
    can_help = at.asks == at.profile and at.mechanism in ("Policy", "Webhook")
    if not left or not can_help or len(at.pods) < max(2, at.replicas) or len(at.ready) < len(at.pods):
        return None
    newest = max(at.pods, key=lambda pod: (pod.created, pod.name))
    if at.now - (newest.ready_at or at.now) < RESTART_GAP_S:
        return None
    in_vain = not newest.injected and at.now - newest.created < RESTART_IN_VAIN_S
    return None if in_vain else left[0]
