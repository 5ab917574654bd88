"""The `decision` block of status: the arithmetic of one decision, all numbers of the same moment."""

from __future__ import annotations

from pydantic import Field
from pydantic.config import JsonDict

from presage.resources.base import Model

_TIME: JsonDict = {"format": "date-time"}


class EventLoadStatus(Model):
    """What the source said of one event type."""

    event_type: str = Field(max_length=63, description="Its name in the spec.")
    load: float | None = Field(default=None, description="Its load, before its weight; absent if there is none.")
    weight: float = Field(description="What the load is multiplied with in the sum.")
    newest_sample_time: str | None = Field(
        default=None, description="Time of the newest raw sample (RFC 3339).", json_schema_extra=_TIME
    )
    targets: int = Field(default=0, ge=0, description="Host and pod names of scraped instances with a fresh sample.")
    flaw: str | None = Field(default=None, max_length=32, description="Why its value is no load; absent if it is one.")


class ForecastLoadStatus(Model):
    """The highest forecast load up to a moment."""

    load: float = Field(description="The load, on the curve that replicas are made for.")
    at: str | None = Field(default=None, description="Start of its slot (RFC 3339).", json_schema_extra=_TIME)
    until: str = Field(description="How far was looked (RFC 3339).", json_schema_extra=_TIME)
    replicas: int | None = Field(default=None, ge=0, description="Load over perPod, rounded up.")


class MarginStatus(Model):
    """What the reactive part adds to the load that it sees."""

    load: float = Field(ge=0, description="The addition, in the unit of the load.")
    percent: float = Field(ge=0, description="The same as a share of the load seen, in percent.")
    source: str = Field(
        max_length=32,
        description="Given (headroomPercent) or Chosen (by the objective).",
    )


class ReactiveStatus(Model):
    """The part that follows the load seen now."""

    load: float = Field(description="Load seen now: the weighted sum.")
    margin: MarginStatus = Field(description="What is added to it.")
    planned: float = Field(description="Load and margin.")
    replicas: int | None = Field(default=None, ge=0, description="Planned load over perPod, rounded up.")


class BrakeStatus(Model):
    """Why there are more replicas than the load asks for."""

    held_by: str = Field(
        max_length=32,
        description=(
            "Data (not fresh or complete), Window (no whole stabilization window was seen), Tolerance, Later (the "
            "forecast), Earlier (what was wanted within the window), Step (as many as may go at once went) or Manual "
            "(somebody else set them)."
        ),
    )
    since: str | None = Field(
        default=None, description="From when on decisions followed each other (RFC 3339).", json_schema_extra=_TIME
    )
    earlier: int = Field(ge=0, description="Most replicas wanted within the stabilization window.")
    later: ForecastLoadStatus | None = Field(
        default=None, description="The forecast over the lead time and the stabilization window."
    )
    removed: int = Field(ge=0, description="Replicas removed within the last downPeriodSeconds, before this decision.")
    step: int = Field(ge=0, description="Replicas that might go besides.")


class MetricDecisionStatus(Model):
    """The decision for one metric, as if it were the only one."""

    name: str = Field(max_length=16, description="Which metric.")
    per_pod: float = Field(ge=0, description="How much of it one ready pod serves.")
    curve: str = Field(max_length=64, description="Course of it that replicas are made for, such as p95.")
    events: tuple[EventLoadStatus, ...] = Field(
        default=(), max_length=16, description="What the source said, by event type."
    )
    forecast: ForecastLoadStatus | None = Field(
        default=None, description="The forecast over the lead time and one slot; absent if none is in force."
    )
    reactive: ReactiveStatus | None = Field(default=None, description="What the load now asks for; absent if unknown.")
    wanted: int = Field(ge=0, description="The larger of both needs, within the limits.")
    brake: BrakeStatus | None = Field(default=None, description="Absent where no more replicas are kept than wanted.")
    replicas: int = Field(ge=0, description="What this metric alone would have.")
    binding_reason: str = Field(max_length=64, description="What decided.")


class DecisionStatus(Model):
    """How the number of replicas came about."""

    time: str = Field(description="When it was decided (RFC 3339).", json_schema_extra=_TIME)
    current_replicas: int = Field(ge=0, description="Replicas that the target asked for then.")
    note: str | None = Field(
        default=None, max_length=300, description="What else than load and limits held the number; absent: nothing."
    )
    metrics: tuple[MetricDecisionStatus, ...] = Field(
        default=(), max_length=4, description="The decision for each metric; the largest counts."
    )
