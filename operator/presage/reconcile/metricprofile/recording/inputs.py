"""Plain data of what is recorded: what is read of it, remembered, and planned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from presage.core.recording.decision import RecordingMemory as ChoiceMemory
from presage.core.recording.injection import Mechanism
from presage.core.recording.numbering import Numbered
from presage.core.recording.rollout import RecordingPod, Sighting


@dataclass(frozen=True, slots=True)
class Stored:
    """The document's ConfigMap, as last seen.

    Attributes:
        document: Generation and digest; None if what is there cannot be read.
        at: Epoch second at which it was written, by the API server's clock; None if nobody knows.
    """

    document: Numbered | None
    at: float | None


@dataclass(frozen=True, slots=True)
class RecordingInput:
    """What a decision about recording rests on, besides the choice itself.

    Attributes:
        namespace: Of the MetricProfile.
        name: Of the MetricProfile.
        stored: The document's ConfigMap; None if there is none of ours, or nothing in it.
        recalled: Generation that status holds; 0 without one.
        asks: Value of the label on the target's pod template, empty without one; None if there is no Deployment.
        replicas: That the target asks for.
        pods: Of the target, those on their way out left out.
        sighting: What instances said of the generation they record by; None if that is not known.
        mechanism: By what new pods get their reference.
    """

    namespace: str
    name: str
    stored: Stored | None
    recalled: int
    asks: str | None
    replicas: int
    pods: tuple[RecordingPod, ...]
    sighting: Sighting | None
    mechanism: Mechanism


@dataclass(frozen=True, slots=True)
class RecordingMemory:
    """What one decision leaves to the next about recording.

    Attributes:
        choice: For the next choice; None before the first look. A restart takes it from status.
        asked: Content and generation asked for last; None after a restart.
        sighting: What instances said when they were asked last.
        content: Nothing was missing then: there is no hurry to ask again.
        applied: Profile that all pods were last seen to record an event type by. A restart takes it from status.
    """

    choice: ChoiceMemory | None = None
    asked: Numbered | None = None
    sighting: Sighting | None = None
    content: bool = False
    applied: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecordingPlan:
    """What is written about recording.

    Attributes:
        name: Of the ConfigMap.
        document: To be stored; empty where what is stored is right.
        generation: Of the document that is stored then.
        obsolete: The document goes: nothing is chosen any more.
        touch: Names of pods to be touched once it is stored.
        more: Pods left to touch after these.
        restart: Name and uid of a pod to be replaced; None = none.
    """

    name: str
    document: str = ""
    generation: int = 0
    obsolete: bool = False
    touch: tuple[str, ...] = ()
    more: bool = False
    restart: tuple[str, str] | None = None
