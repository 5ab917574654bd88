"""The blocks of a status that show what is recorded, and how many pods know of it."""

from __future__ import annotations

from pydantic import Field
from pydantic.config import JsonDict

from presage.resources.base import Model
from presage.resources.fields import QUANTITY_MAX_LENGTH

_TIME: JsonDict = {"format": "date-time"}


class RaiseStatus(Model):
    """What the budget made rarer than the profile says."""

    profile: str = Field(max_length=63, description="In which profile.")
    metric: str | None = Field(
        default=None, max_length=63, description="Whose everyEvents; absent for the profile's export interval."
    )
    asked: int = Field(ge=1, description="Events, or seconds of the interval, by the profile.")
    given: int = Field(ge=1, description="Events, or seconds of the interval, in force.")


class EventProfileStatus(Model):
    """By which profile one event type is recorded."""

    event_type: str = Field(max_length=63, description="Name of the event type.")
    wanted: str = Field(max_length=63, description="Profile that presage chose.")
    applied: str | None = Field(
        default=None,
        max_length=63,
        description="Profile that all pods seen record by; absent while none is known to, or they differ.",
    )
    reason: str = Field(
        max_length=64,
        description=(
            "Why: PredictedLoad, Critical, NoForecast, NearThreshold and Dwell (a lower level is due), UnknownProfile "
            "(nobody defines the one that is due), Surprise and ObjectiveBurn (some pods record more for a while)."
        ),
    )
    predicted: str | None = Field(
        default=None,
        max_length=QUANTITY_MAX_LENGTH,
        description="Events per second that it was chosen for, rounded, as a quantity; absent without a forecast.",
    )
    since: str | None = Field(
        default=None, description="From when on this profile is wanted (RFC 3339).", json_schema_extra=_TIME
    )
    generation: int | None = Field(default=None, ge=0, description="Generation of what pods were told.")
    pods_applied: int | None = Field(default=None, ge=0, description="Pods that record by this generation.")
    pods_total: int | None = Field(default=None, ge=0, description="Pods of the target.")
    escalated_until: str | None = Field(
        default=None,
        description="When the last escalation ends or ended (RFC 3339); absent if there was none.",
        json_schema_extra=_TIME,
    )
    raised: tuple[RaiseStatus, ...] = Field(
        default=(), max_length=160, description="What the budget made rarer than the profiles say."
    )


class InjectionStatus(Model):
    """How many pods of the target know where to look for what to record."""

    injected: int = Field(ge=0, description="Pods that do.")
    total: int = Field(ge=0, description="Pods of the target.")
    mechanism: str | None = Field(
        default=None,
        max_length=64,
        description="What tells new pods: Policy (in the API server), Webhook (of presage) or None.",
    )
