"""The `forecast` block of every kind that forecasts."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from presage.core.forecast.spec import ForecastSpec
from presage.resources.base import Model, Rule
from presage.resources.fields import TimeZone

_WEEK_S = 604_800
_MAX_HISTORY_SLOTS = 50_000
_MAX_HORIZON_SLOTS = 3_600


def _is_quantile(text: str) -> bool:
    digits = text.removeprefix("0.")
    return text.startswith("0.") and digits.isdecimal() and digits.isascii() and 0.5 <= float(text) <= 0.99


Quantile = Annotated[
    str,
    Field(min_length=3, max_length=6),
    Rule(
        "self.matches('^0[.][0-9]{1,4}$') && double(self) >= 0.5 && double(self) <= 0.99",
        'quantile must be from 0.5 to 0.99, written as a string such as "0.9"',
        _is_quantile,
    ),
]
Season = Annotated[int, Field(ge=2, le=4 * _WEEK_S)]


class ForecastSettings(Model):
    """How the load is forecast. Steps, seasons and horizon may be short, so that a compressed day can be played."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.horizonSeconds >= self.stepSeconds",
            "horizonSeconds must be at least stepSeconds",
            lambda spec: spec.horizon_seconds >= spec.step_seconds,
        ),
        Rule(
            f"self.horizonSeconds <= {_MAX_HORIZON_SLOTS} * self.stepSeconds",
            f"horizonSeconds must be at most {_MAX_HORIZON_SLOTS} × stepSeconds",
            lambda spec: spec.horizon_seconds <= _MAX_HORIZON_SLOTS * spec.step_seconds,
        ),
        Rule(
            "self.historySeconds >= 2 * self.stepSeconds",
            "historySeconds must be at least 2 × stepSeconds",
            lambda spec: spec.history_seconds >= 2 * spec.step_seconds,
        ),
        Rule(
            f"self.historySeconds <= {_MAX_HISTORY_SLOTS} * self.stepSeconds",
            f"historySeconds must be at most {_MAX_HISTORY_SLOTS} × stepSeconds",
            lambda spec: spec.history_seconds <= _MAX_HISTORY_SLOTS * spec.step_seconds,
        ),
        Rule(
            "self.seasonsSeconds.all(s, s >= 2 * self.stepSeconds)",
            "each of seasonsSeconds must be at least 2 × stepSeconds",
            lambda spec: all(season >= 2 * spec.step_seconds for season in spec.seasons_seconds),
        ),
        Rule(
            "self.seasonsSeconds.all(s, self.historySeconds >= 2 * s)",
            "historySeconds must be at least 2 × the longest of seasonsSeconds",
            lambda spec: all(spec.history_seconds >= 2 * season for season in spec.seasons_seconds),
        ),
    )

    step_seconds: int = Field(
        default=300, ge=1, le=3600, description="Width of one slot of the history and of the forecast, in seconds."
    )
    history_seconds: int = Field(
        default=3 * _WEEK_S, ge=2, le=8 * _WEEK_S, description="How far back the history is read, in seconds."
    )
    horizon_seconds: int = Field(
        default=3600, ge=1, le=_WEEK_S, description="How far ahead the forecast goes, in seconds."
    )
    seasons_seconds: tuple[Season, ...] = Field(
        default=(),
        max_length=4,
        description="Lengths of the seasons in the load, in seconds. Left empty, 1 hour, 1 day and 7 days are tested.",
        examples=[[86_400, 604_800]],
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    quantile: Quantile | None = Field(
        default=None,
        description=(
            "Level of the forecast that replicas are made for, 0.5 to 0.99: higher is safer and dearer. Left out, "
            "spec.scaling.objective chooses."
        ),
        examples=["0.9"],
    )
    time_zone: TimeZone | None = Field(
        default=None,
        description="Time zone in which days begin, as an IANA name. Left out, UTC.",
        examples=["Europe/Berlin"],
    )

    @field_validator("seasons_seconds", mode="after")
    @classmethod
    def _no_season_twice(cls, seasons: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(seasons)) < len(seasons):
            raise PydanticCustomError("duplicate", "seasonsSeconds must not contain a length twice")
        return seasons

    def to_core(self) -> ForecastSpec:
        """Return the same settings in plain numbers."""
        return ForecastSpec(
            step_s=self.step_seconds,
            history_s=self.history_seconds,
            horizon_s=self.horizon_seconds,
            seasons_s=tuple(sorted(self.seasons_seconds)),
            quantile=None if self.quantile is None else float(self.quantile),
            time_zone=self.time_zone,
        )


class ForecastPoint(Model):
    """The forecast of one moment."""

    at: str = Field(description="The moment (RFC 3339).", json_schema_extra={"format": "date-time"})
    p50: float = Field(description="Median of the load.")
    p90: float = Field(description="Load that nine of ten outcomes stay below.")


class CoverageStatus(Model):
    """How often the truth stayed at or below the asked quantile."""

    asked: float = Field(ge=0, le=1, description="Level that was asked for.")
    got: float = Field(ge=0, le=1, description="Share of outcomes at or below it.")
    samples: int = Field(ge=0, description="Number of outcomes counted.")


class SeasonStatus(Model):
    """A season that was considered."""

    season_seconds: int = Field(ge=1, description="Its length, in seconds.")
    used: bool = Field(description="Whether the forecast counts on it.")
    reason: str = Field(
        max_length=32,
        description=(
            "Given (in the spec), Repeats (found), or why not: NoBetterThanRivals, NotCorrelated, TooLittleHistory."
        ),
    )
    loss: float | None = Field(default=None, description="Mean absolute error of the value one season before.")
    rival_loss: float | None = Field(
        default=None,
        description=(
            "What that must be clearly below: the lowest such error of the season's mean, of the value half a season "
            "before, and of shorter seasons in use."
        ),
    )
    autocorrelation: float | None = Field(default=None, description="Autocorrelation one season apart, -1 to 1.")


class NaiveLossStatus(Model):
    """Errors of the naive forecasts."""

    last: float | None = Field(default=None, description="Of the last value.")
    day: float | None = Field(default=None, description="Of the value one day before.")
    week: float | None = Field(default=None, description="Of the value one week before.")


class LossStatus(Model):
    """Mean absolute errors in the backtest up to one distance ahead, beyond the distance before it."""

    horizon_seconds: int = Field(ge=1, description="How far ahead it goes, in seconds.")
    loss: float | None = Field(default=None, description="Of the leader, in the load's unit.")
    naive: NaiveLossStatus | None = Field(
        default=None,
        description="Of the naive forecasts. Given seasons: the shortest of 24 slots or more is the day.",
    )


class ForecastStatus(Model):
    """The forecast in force. Refreshed with changes, else at most every ten minutes."""

    origin_time: str | None = Field(
        default=None, description="End of the last slot known (RFC 3339).", json_schema_extra={"format": "date-time"}
    )
    step_seconds: int | None = Field(default=None, ge=1, description="Width of a slot, in seconds.")
    seasons_seconds: tuple[int, ...] = Field(
        default=(), max_length=8, description="Lengths of the seasons in use, in seconds."
    )
    season_tests: tuple[SeasonStatus, ...] = Field(
        default=(), max_length=8, description="Each season that was considered, shortest first, and why it is used."
    )
    next: tuple[ForecastPoint, ...] = Field(default=(), max_length=12, description="Points ahead.")
    leader: str | None = Field(default=None, max_length=64, description="Model with the largest share.")
    weights: dict[str, float] = Field(
        default_factory=dict, max_length=32, description="Share of each model, those of 5 % and more."
    )
    coverage: CoverageStatus | None = Field(
        default=None, description="How honest the quantile that replicas are made for has been."
    )
    coverage_by_level: tuple[CoverageStatus, ...] = Field(
        default=(), max_length=8, description="The same of each level in use."
    )
    loss: float | None = Field(
        default=None,
        description="Mean absolute error of the leader in the backtest, over the whole horizon, in the load's unit.",
    )
    naive_loss: float | None = Field(
        default=None, description="The same of the best naive forecast: last value, yesterday or last week."
    )
    loss_by_horizon: tuple[LossStatus, ...] = Field(
        default=(), max_length=8, description="Errors in the backtest, by how far ahead."
    )
    history_rung: str | None = Field(
        default=None, max_length=32, description="How much history there is: Hours, Day, Days or Full."
    )
    level_shift_time: str | None = Field(
        default=None,
        description="When the load last changed its level for good (RFC 3339); absent if that was not seen.",
        json_schema_extra={"format": "date-time"},
    )
    warnings: tuple[Annotated[str, Field(max_length=200)], ...] = Field(
        default=(), max_length=4, description="What to know about the history, one sentence each."
    )
    tier: str | None = Field(
        default=None,
        max_length=16,
        description="Which tier fitted it: batch, which is there at once, or full, which is better and takes longer.",
    )
    refitted: str | None = Field(
        default=None,
        description="When the models were last fitted (RFC 3339).",
        json_schema_extra={"format": "date-time"},
    )
