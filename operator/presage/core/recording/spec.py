"""What the owner of a function asks to be recorded, in plain data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from presage.core.recording.types import DEBUG, RecordingProfile

DEFAULT_CPU_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class Level:
    """A profile for a range of load, which ends where the next level begins.

    Attributes:
        profile: Its name.
        above: Events per second above which it begins; the lowest level begins at 0.
    """

    profile: str
    above: float = 0.0


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """How the profile of one event type is chosen.

    Attributes:
        name: Of the event type.
        levels: Lowest first, `above` strictly rising; profiles in any order. May be empty if critical.
        critical: Whether everything is recorded whatever the load.
    """

    name: str
    levels: tuple[Level, ...] = ()
    critical: bool = False


@dataclass(frozen=True, slots=True)
class Budget:
    """What recording may cost.

    Attributes:
        cpu_share: Share of the CPU that the function's instances have.
        bytes_per_second: Bytes exported by all instances together; None = any number.
        bytes_share: The same as a share of the data volume that the event types are predicted to carry; None = any.
    """

    cpu_share: float = DEFAULT_CPU_SHARE
    bytes_per_second: float | None = None
    bytes_share: float | None = None


@dataclass(frozen=True, slots=True)
class EscalationPolicy:
    """What some instances record for a while when something unforeseen happens.

    Attributes:
        profile: Its name.
        share: Share of the instances, above 0, at most 1.
        lasts_s: Seconds for which they do.
        pause_s: Seconds after that before the next time.
    """

    profile: str = DEBUG
    share: float = 0.1
    lasts_s: float = 600.0
    pause_s: float = 3600.0


@dataclass(frozen=True, slots=True)
class RecordingSpec:
    """The wish of one MetricProfile; without event types nothing is recorded by presage's choice.

    Attributes:
        event_types: Those for which a profile is chosen, by name unique.
        profiles: Those that this object defines or redefines.
        budget: What recording may cost.
        escalation: None = never.
        enforce: Whether pods that lack the injected reference are restarted.
        found: How the profile of each event type is chosen that is found by a label, without a name; None = none is.
    """

    event_types: tuple[RecordedEvent, ...] = ()
    profiles: tuple[RecordingProfile, ...] = ()
    budget: Budget = Budget()
    escalation: EscalationPolicy | None = None
    enforce: Literal["Off", "Restart"] = "Off"
    found: RecordedEvent | None = None

    @property
    def active(self) -> bool:
        """Whether anything is chosen at all."""
        return bool(self.event_types) or self.found is not None

    def with_shared(self, profiles: Iterable[RecordingProfile]) -> RecordingSpec:
        """Return the same wish with the installation's profiles behind its own, which win."""
        return replace(self, profiles=(*profiles, *self.profiles))

    def with_found(self, names: Iterable[str]) -> RecordingSpec:
        """Return the same wish with the event types that were found among those that it names."""
        if self.found is None:
            return self
        events = (replace(self.found, name=name) for name in names)
        return replace(self, event_types=(*self.event_types, *events))
