"""What a user may ask of a forecast, in plain numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ForecastSpec:
    """Settings of one forecast.

    Attributes:
        step_s: width of a slot of the history and of the forecast, in seconds.
        history_s: how far back the history goes, in seconds.
        horizon_s: how far ahead the forecast goes, in seconds.
        seasons_s: season lengths in seconds; empty means that 1 hour, 1 day and 7 days are tested.
        quantile: level of the forecast that scaling acts on, from 0.5 to 0.99; None = the objective chooses.
        time_zone: IANA name of the zone in which days begin; None means UTC.
    """

    step_s: int
    history_s: int
    horizon_s: int
    seasons_s: tuple[int, ...]
    quantile: float | None
    time_zone: str | None

    @property
    def horizon_slots(self) -> int:
        """Number of slots that cover the horizon."""
        return -(-self.horizon_s // self.step_s)
