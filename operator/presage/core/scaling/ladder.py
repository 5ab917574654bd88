"""The ladder of rungs: how far the data of one tick may be trusted.

`Live`: fresh and complete, replicas may fall. `Coasting`: the last good forecast moves along in time, replicas may
only rise. `Hold`: the forecast has run out, replicas stay. Absence of data is never zero load.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Rung = Literal["Live", "Coasting", "Hold"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the source said at one tick, over all event types of an object.

    Attributes:
        observed: Load now. With `missing` event types or lost series it is a lower bound; None = nothing known.
        newest_at: Epoch second of the newest raw sample, of the event type where it is oldest.
        series: How many series contributed.
        missing: Event types without any series.
        error: Why the source did not answer; empty if it did.
    """

    observed: float | None
    newest_at: float | None
    series: int
    missing: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The rung in force and why.

    Attributes:
        rung: See the module's head.
        reason: Reason of the condition `DataAvailable`.
        message: For a person.
    """

    rung: Rung
    reason: str
    message: str


def judge(
    reading: Reading, *, now: float, max_age_s: float, expected_series: float | None, forecast_covers_now: bool
) -> Judgement:
    """Return the rung for one tick; the first fault found names it.

    Args:
        reading: What the source said.
        now: Epoch seconds.
        max_age_s: Age of the newest sample up to which data counts as fresh.
        expected_series: How many series settled pods should give; None = not known yet.
        forecast_covers_now: Whether the last forecast still reaches the present.
    """
    fault = _find_fault(reading, now, max_age_s, expected_series)
    if fault is None:
        return Judgement("Live", "Fresh", "Samples are fresh and complete.")
    reason, what = fault
    if forecast_covers_now:
        return Judgement("Coasting", reason, f"{what} The last good forecast is followed; no replica is removed.")
    return Judgement("Hold", reason, f"{what} Replicas stay as they are until data is back.")


def _find_fault(
    reading: Reading, now: float, max_age_s: float, expected_series: float | None
) -> tuple[str, str] | None:
    if reading.error:
        return "SourceUnavailable", reading.error
    if reading.missing:
        names = ", ".join(reading.missing)
        return "NoMatchingSeries", (
            f"No series matches the load of event type {names}: check metric and matchers, and that it is scraped."
        )
    if reading.observed is None or reading.newest_at is None:
        return "NoSamples", "The series exist but have too few samples for a rate: windowSeconds may be too short."
    if now - reading.newest_at > max_age_s:
        return "StaleSamples", f"The newest sample is older than {max_age_s:g} s: is the target still scraped?"
    if expected_series is not None and reading.series < expected_series - 1e-9:
        return "TargetsMissing", "Fewer series report than the Ready pods should give: some are no longer scraped."
    return None
